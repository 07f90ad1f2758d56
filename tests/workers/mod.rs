//! Tasks in other processes: what they are told and tell, and that jobs make the same bytes whoever
//! does the work, and whoever is killed.

mod jobs;
mod protocol;
mod single;
mod talk;
