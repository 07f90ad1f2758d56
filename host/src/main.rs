//! The command line.

use std::process::ExitCode;

use djhost::error::exit_code;

fn main() -> ExitCode {
    match djhost::cli::main(std::env::args_os().collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}
