//! The command line.

use std::process::ExitCode;

use djhost::error::{Stopped, exit_code};

fn main() -> ExitCode {
    match djhost::cli::main(std::env::args_os().collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A stop is what somebody asked for, and the job has said so.
            if !error.chain().any(|e| e.is::<Stopped>()) {
                djhost::cli::complain(&format!("{error:#}"));
            }
            ExitCode::from(exit_code(&error))
        }
    }
}
