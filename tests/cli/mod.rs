//! The command line and the configuration.

mod config;
