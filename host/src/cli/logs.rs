//! `djhost logs`: prints the log of a job for people.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::error::{UserError, exit};
use crate::jobs::Job;

/// How often a followed log is checked for new lines.
const LOOK: Duration = Duration::from_millis(250);

/// Prints the log of a job's last attempt.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    /// Continue until the job ends.
    #[arg(short, long)]
    pub follow: bool,
    /// The log of this attempt (1, 2, …) instead of the last one.
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
    /// Look for the job in this directory only.
    #[arg(long, value_name = "DIR")]
    pub base_dir: Option<PathBuf>,
}

/// Runs the subcommand. Returns [`exit::DONE`].
pub fn run(args: &LogsArgs) -> Result<u8> {
    let job = Job::find(&args.job, args.base_dir.as_deref())?;
    let files = job.paths().log_files()?;
    let path = match args.attempt {
        Some(attempt) => {
            let path = job.paths().log(attempt);
            if !files.contains(&path) {
                return Err(
                    UserError::new("--attempt", format!("attempt `{attempt}` has no log"))
                        .hint(format!(
                            "`{}` has the logs of {}",
                            job.paths().logs().display(),
                            crate::term::counted(files.len() as u64, "attempt")
                        ))
                        .into(),
                );
            }
            path
        }
        None => match files.last() {
            Some(path) => path.clone(),
            None => {
                return Err(UserError::new(
                    "",
                    format!(
                        "job `{}` has no logs in `{}`",
                        job.paths().job_id(),
                        job.paths().logs().display()
                    ),
                )
                .into());
            }
        },
    };
    let mut file =
        File::open(&path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let running = || {
        let is_running = job.running_process()?.is_some();
        job.paths().refresh()?;
        anyhow::Ok(is_running)
    };
    loop {
        // Checked before reading, so that the last lines of a job that ends meanwhile are printed.
        let goes_on = args.follow && running()?;
        if !copy(&mut file, &path)? || !goes_on {
            return Ok(exit::DONE);
        }
        std::thread::sleep(LOOK);
    }
}

/// Prints what is new in the file. Returns false if standard output was closed.
fn copy(file: &mut File, path: &Path) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = file
            .read(&mut buffer)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        if n == 0 {
            break;
        }
        match out.write_all(&buffer[..n]).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
            written => written?,
        }
    }
    Ok(true)
}
