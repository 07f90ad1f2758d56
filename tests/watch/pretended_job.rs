//! A process that runs a job without work, for tests of monitoring: `pretended-job RUN_DIR
//! PARTITIONS [--deaf]`. One partition is done, one half done; then it waits to be stopped. With
//! `--deaf` it never reacts.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use djhost::error::exit;
use djhost::testing::{PretendedJob, Status, StopFlag};

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flag = StopFlag::new();
    flag.watch_signals()?;
    let mut job = PretendedJob::start(Path::new(&args[0]), args[1].parse()?)?;
    flag.watch_requests(&job.paths)?;
    std::fs::write(job.paths.log(job.log.attempt()), "a line for people\n")?;
    job.begin(0, 0, 0.0)?;
    job.complete(0, 0)?;
    job.begin(1, 0, 0.5)?;
    std::fs::write(job.paths.root().join("ready"), "")?;
    while !flag.requested() || args.iter().any(|arg| arg == "--deaf") {
        std::thread::sleep(Duration::from_millis(5));
    }
    job.finish(Status::Stopped, &flag.reason().unwrap_or_default())?;
    Ok(ExitCode::from(exit::STOPPED))
}
