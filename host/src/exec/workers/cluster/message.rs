//! What the bridge to Ray is told, and what it tells: one JSON value in a line each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the bridge is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ToBridge<'a> {
    /// The first line: the cluster to join.
    Open { address: &'a str },
    /// The second one: what workers are started with, and how many.
    Start(Start<'a>),
    /// A line for a worker.
    To { worker: usize, line: &'a str },
    /// Ends a worker at once.
    Kill(usize),
    /// How many workers there are to be from now on; none is ended.
    Want(usize),
    /// Ends everything.
    End,
}

/// What workers are started with.
#[derive(Debug, Serialize)]
pub(super) struct Start<'a> {
    pub(super) workers: usize,
    /// What each reserves.
    pub(super) cpus: usize,
    /// In bytes.
    pub(super) memory: Option<u64>,
    /// For how long nothing may be heard of one, in seconds.
    pub(super) silence: u64,
    pub(super) files: Vec<File>,
    pub(super) arguments: &'a [&'a str],
    pub(super) env: BTreeMap<String, String>,
    /// Faults of the first, second, … worker; empty: none.
    pub(super) faults: Vec<String>,
}

/// A file that the nodes get.
#[derive(Debug, Clone, Serialize)]
pub(super) struct File {
    /// Where it is here.
    pub(super) path: PathBuf,
    /// Where it is below the directory on a node; empty: at its digest.
    pub(super) at: String,
    /// Whether it is the program.
    pub(super) runs: bool,
}

/// What the bridge tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FromBridge {
    /// It has joined this cluster.
    Cluster { ray: String, nodes: Vec<Node> },
    /// It has not, and ends.
    Failed { what: Obstacle, detail: String },
    /// A worker has been started.
    Up {
        worker: usize,
        host: String,
        node: String,
        pid: u32,
    },
    /// A worker has said this.
    Out { worker: usize, lines: Vec<String> },
    /// A worker has written this to standard error.
    Err { worker: usize, lines: Vec<String> },
    /// A worker has gone; another one takes its place.
    Down {
        worker: usize,
        why: Gone,
        detail: String,
        code: Option<i32>,
    },
    /// Workers wait for room: as many, for as many CPUs; the cluster has `total`, and `free`.
    Waiting {
        workers: usize,
        cpus: f64,
        total: f64,
        free: f64,
    },
}

/// A node of the cluster.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Node {
    pub(super) cpus: f64,
}

/// Why the bridge has not joined a cluster.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Obstacle {
    /// The Python has no package `ray`.
    Missing,
    /// It is older than any that was tried.
    Old,
    /// No cluster of this version answers at the address.
    Unreachable,
}

/// How a worker has gone.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Gone {
    /// The process has ended.
    Exited,
    /// Ray has lost it.
    Lost,
    /// Nothing was heard of it.
    Silent,
    /// The node cannot start it.
    Refused,
    /// The bridge has ended it.
    Ended,
}
