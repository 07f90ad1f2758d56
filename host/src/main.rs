//! The command line.

use std::process::ExitCode;

use clap::Parser;
use djhost::cli::{jobs, logs, monitor, stop};
use djhost::error::exit_code;

/// Runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
#[derive(Parser)]
#[command(version)]
enum Command {
    Monitor(monitor::MonitorArgs),
    Stop(stop::StopArgs),
    Jobs(jobs::JobsArgs),
    Logs(logs::LogsArgs),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Monitor(args) => monitor::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Logs(args) => logs::run(&args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit_code(&error))
        }
    }
}
