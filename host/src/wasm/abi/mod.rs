//! One module per version of the WIT contract: bindings, and translation between the guest's
//! columns and Arrow's.

pub(crate) mod v0_1;
pub(crate) mod v0_2;
