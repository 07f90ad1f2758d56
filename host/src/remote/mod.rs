//! Datasets where they live: objects in buckets and files behind URLs, read by ranges. Everything
//! that speaks to a server is here; the rest of the host sees an [`Object`] with a size, a version
//! and bytes.
//!
//! Nothing runs in the background but what reads ahead. Requests block the thread that makes them:
//! a worker waits for its input as it waits for a disk, and a server sees one connection for each.
//!
//! What a run directory in a bucket needs, conditional writes, is in [`Bucket`], beside [`Object`],
//! on the same stores.

pub(crate) mod address;
#[cfg(feature = "remote")]
mod ahead;
#[cfg(feature = "remote")]
mod aws;
#[cfg(feature = "remote")]
mod aws_profile;
#[cfg(feature = "remote")]
mod azure;
#[cfg(feature = "remote")]
mod bucket;
#[cfg(feature = "remote")]
mod buffers;
pub(crate) mod cache;
#[cfg(feature = "remote")]
mod client;
#[cfg(feature = "remote")]
mod failure;
#[cfg(feature = "remote")]
mod gcs;
pub(crate) mod given;
#[cfg(feature = "remote")]
mod http;
#[cfg(feature = "remote")]
pub(crate) mod hub;
#[cfg(feature = "remote")]
mod hub_lfs;
#[cfg(feature = "remote")]
mod hub_push;
#[cfg(feature = "remote")]
mod list;
#[cfg(feature = "remote")]
mod object;
#[cfg(feature = "remote")]
mod ray;
#[cfg(feature = "remote")]
mod store;
#[cfg(feature = "remote")]
mod unfinished;
#[cfg(feature = "remote")]
mod upload;
#[cfg(not(feature = "remote"))]
#[path = "without.rs"]
mod without;

pub(crate) use cache::{cache_home, fetch_dir_to_cache, fetch_files_to_cache, fetch_to_cache};

#[cfg(feature = "remote")]
pub(crate) use self::{
    ahead::Ahead,
    bucket::{Bucket, Got, Put, Version, When},
    failure::Failure,
    list::{Listed, is_empty, list},
    object::Object,
    ray::{RayJob, RayJobs},
    unfinished::{unfinished, unfinished_below},
    upload::{Unfinished, Upload, check_writable, remove},
};
#[cfg(not(feature = "remote"))]
pub(crate) use without::{
    Ahead, Bucket, Failure, Got, Listed, Object, Put, RayJob, RayJobs, Unfinished, Upload, Version,
    When, check_writable, hub, is_empty, list, remove, unfinished, unfinished_below,
};
