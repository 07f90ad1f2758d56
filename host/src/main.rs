//! The command line.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use djhost::error::{Stopped, exit, exit_code};

fn main() -> ExitCode {
    // The message of a panic has been printed by then; it is a failure like others, with the exit
    // code that scripts know.
    match catch_unwind(AssertUnwindSafe(|| {
        djhost::cli::main(std::env::args_os().collect())
    })) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            // A stop is what somebody asked for, and the job has said so.
            if !error.chain().any(|e| e.is::<Stopped>()) {
                djhost::cli::complain(&format!("{error:#}"));
            }
            ExitCode::from(exit_code(&error))
        }
        Err(_) => {
            say(
                "error: an internal error, which is a mistake in djhost: please report what stands above",
            );
            ExitCode::from(exit::FAILED)
        }
    }
}

/// Prints a line to standard error. That nobody reads it, or the disk below it is full, changes
/// nothing.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
