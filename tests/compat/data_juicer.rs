use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use djhost::error::exit;
use djhost::event::JobState;
use djhost::job::example::{PretendedJob, finished_job};
use djhost::job::{JobUtils, Status, StopFlag};

/// The version whose readers we follow. It does not start without `aiohttp`, which it forgets to declare.
const PACKAGES: [&str; 2] = ["py-data-juicer==1.6.1", "aiohttp"];

/// Tells a copy of this test program to run a pretended job in that directory.
const PRETEND: &str = "DJHOST_TEST_PRETEND";

/// The Python that has Data-Juicer; None, with a message, where it cannot be had.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON
        .get_or_init(|| {
            let wish = std::env::var("DJHOST_COMPAT").unwrap_or_default();
            match install(!wish.is_empty()) {
                Ok(python) => Some(python),
                Err(why) if wish == "required" => panic!("{why}"),
                Err(why) => {
                    // Not captured by the test harness, as `eprintln!` would be.
                    let _ = writeln!(std::io::stderr(), "skipped: {why}");
                    None
                }
            }
        })
        .as_deref()
}

fn install(may_install: bool) -> Result<PathBuf, String> {
    let venv = std::env::var_os("DJHOST_COMPAT_VENV")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("data-juicer-venv"), PathBuf::from);
    let python = venv.join("bin/python");
    let works = || run(Command::new(&python).args(["-c", "import data_juicer.utils.job.stopper"]));
    if works().is_ok() {
        return Ok(python);
    }
    if !may_install {
        return Err("Data-Juicer is not installed; set `DJHOST_COMPAT=1` to install it into the target directory".to_owned());
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| format!("cannot make a Python environment: {e}"))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES))
        .map_err(|e| format!("pip cannot install Data-Juicer: {e}"))?;
    works().map_err(|e| format!("Data-Juicer is installed and does not start: {e}"))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{}: {e}", command.get_program().display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(String::from_utf8_lossy(&output.stdout).into_owned()) } else { Err(stderr.into_owned()) }
}

fn script(python: &Path, what: &str, job: &JobUtils) -> Command {
    let root = job.paths().root();
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/check.py"))
        .arg(what)
        .arg(root.parent().unwrap())
        .arg(job.paths().job_id());
    command
}

/// Data-Juicer's monitor says of the job what `djhost monitor` says. Gives what it printed.
fn agrees(python: &Path, job: &JobUtils) -> String {
    let ours = serde_json::to_vec(&job.overall_progress().unwrap()).unwrap();
    let mut child = script(python, "show", job).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&ours).unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    printed
}

fn job(root: &Path) -> JobUtils {
    JobUtils::find(root.to_str().unwrap(), None).unwrap()
}

#[test]
fn a_finished_job_is_shown_as_it_is() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("job_done");
    finished_job(&root).unwrap();
    let printed = agrees(python, &job(&root));
    for line in ["Total Samples: 2,000", "Samples: 2,000/2,000", "(2/2 partitions)", "Total Checkpoints: 2"] {
        assert!(printed.contains(line), "`{line}` is missing in:\n{printed}");
    }
    // 1000 rows in 0.5 s, a tenth dropped.
    assert!(printed.contains("Duration:    0.5s | Throughput:   2000 rows/s | Reduction: 10.00%"), "{printed}");
}

#[test]
fn failed_and_stopped_jobs_are_shown_as_such() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    for (name, status) in [("job_failed", Status::Failed), ("job_stopped", Status::Stopped)] {
        let root = dir.path().join(name);
        let mut pretended = PretendedJob::start(&root, 3).unwrap();
        pretended.begin(0, 0, 0.5).unwrap();
        pretended.checkpoint(0, 1);
        pretended.complete(0, 0).unwrap();
        pretended.begin(1, 0, 0.5).unwrap();
        pretended.finish(status, "disk full").unwrap();
        agrees(python, &job(&root));
    }
}

#[test]
fn after_a_resume_nothing_of_the_earlier_attempt_is_missing() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("job_resumed");
    let mut first = PretendedJob::start(&root, 3).unwrap();
    first.begin(0, 0, 0.5).unwrap();
    first.checkpoint(0, 2);
    first.complete(0, 0).unwrap();
    first.begin(1, 0, 0.5).unwrap();
    first.checkpoint(1, 1);
    first.finish(Status::Stopped, "request").unwrap();
    let mut second = PretendedJob::start(&root, 3).unwrap();
    second.take_over(0).unwrap();
    second.begin(1, 2, 0.5).unwrap();
    assert_eq!(job(&root).overall_progress().unwrap().status, JobState::Running);
    agrees(python, &job(&root));
    second.complete(1, 2).unwrap();
    second.begin(2, 0, 0.5).unwrap();
    second.complete(2, 0).unwrap();
    second.finish(Status::Completed, "").unwrap();
    let progress = job(&root).overall_progress().unwrap();
    assert_eq!((progress.status, progress.attempt, progress.rows.read, progress.rows.output), (JobState::Completed, 2, 3000, 2700));
    agrees(python, &job(&root));
}

/// The body of the child process below; does nothing in an ordinary run of the tests.
#[test]
#[expect(clippy::exit, reason = "a run ends with the code of a stopped job")]
fn pretended_job() {
    let Some(root) = std::env::var_os(PRETEND) else { return };
    let flag = StopFlag::new();
    flag.watch_signals().unwrap();
    let mut job = PretendedJob::start(Path::new(&root), 2).unwrap();
    flag.watch_requests(&job.paths).unwrap();
    job.begin(0, 0, 0.5).unwrap();
    std::fs::write(job.paths.root().join("ready"), "").unwrap();
    while !flag.requested() {
        std::thread::sleep(Duration::from_millis(5));
    }
    job.finish(Status::Stopped, &flag.reason().unwrap()).unwrap();
    std::process::exit(exit::STOPPED.into());
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn data_juicers_stopper_stops_a_job_gracefully() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("job_running");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "data_juicer::pretended_job", "--nocapture"]).env(PRETEND, &root).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let start = Instant::now();
    while !root.join("ready").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "the pretended job did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let printed = agrees(python, &job(&root));
    assert!(printed.contains("Status: RUNNING"), "{printed}");
    // The stopper waits for the process, so somebody has to take its exit code meanwhile.
    let stopper = script(python, "stop", &job(&root)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(exit::STOPPED.into()));
    let output = stopper.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // It rewrites the summary with fields of its own; ours are still read.
    assert_eq!(job(&root).overall_progress().unwrap().status, JobState::Stopped);
    agrees(python, &job(&root));
}
