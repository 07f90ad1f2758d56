//! Workers on the nodes of a Ray cluster: [`Cluster`] is the bridge to it, `fleet` the workers that
//! come and go there.

mod bridge;
mod fleet;
mod message;
mod pace;
mod race;

pub(crate) use bridge::{Cluster, Room, Settings, Tree};
pub(super) use fleet::Fleet;
