//! The command line.

use std::process::ExitCode;

use djhost::error::{Stopped, exit_code};

fn main() -> ExitCode {
    // Components of plugins are compiled by a process of this program, which knows the command for it.
    if let Some(program) = djhost::op::this_program() {
        djhost::op::compile_with(program);
    }
    match djhost::cli::main(std::env::args_os().collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // A stop is what somebody asked for, and the job has said so.
            if !error.chain().any(|e| e.is::<Stopped>()) {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(exit_code(&error))
        }
    }
}
