//! All tests through the built program and the public library, in one binary, so that it is linked
//! once. `cargo test --test all crash` runs one suite.

mod harness;

// The house rules that a program can see.
mod house;
// The command line, the recipe and their mistakes.
mod cli;
// The page that djhost implements, from top to bottom.
mod page;
// Whole jobs; a case is a folder.
mod jobs;
// `djhost ops`.
mod ops;
// Other people's data.
mod hostile;
// Datasets behind URLs, of servers that fail.
mod remote;
// Operators that break every rule.
mod sandbox;
// Watching and stopping from other processes.
mod watch;
// Kills, faults, damage and changes between attempts.
mod crash;
// Tasks in other processes.
mod workers;
