use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::python::{Package, run};
use djhost::error::exit;
use djhost::jobs::{JobState, events::Event};
use djhost::jobs::{JobUtils, RunPaths, Status};
use djhost::testing::{PretendedJob, finished_job};

/// The version whose readers djhost follows. It fails to start without `aiohttp`, which it does not
/// declare.
const PACKAGE: Package = Package {
    name: "data-juicer",
    install: &["py-data-juicer==1.6.1", "aiohttp"],
    works: "import data_juicer.utils.job.stopper",
    dir: env!("CARGO_TARGET_TMPDIR"),
};

/// The Python that has Data-Juicer.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| PACKAGE.python())
}

/// The call of the script.
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

/// Checks that Data-Juicer's monitor agrees with `djhost monitor`. Returns what it printed.
fn agrees(python: &Path, job: &JobUtils) -> String {
    let ours = serde_json::to_vec(&job.overall_progress().unwrap()).unwrap();
    let mut child = script(python, "show", job)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&ours).unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

fn job(root: &Path) -> JobUtils {
    JobUtils::find(root.to_str().unwrap(), None).unwrap()
}

#[test]
fn a_finished_job_is_shown_as_it_is() {
    let python = python();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("job_done");
    finished_job(&root).unwrap();
    let printed = agrees(python, &job(&root));
    for line in [
        "Total Samples: 2,000",
        "Samples: 2,000/2,000",
        "(2/2 partitions)",
        "Total Checkpoints: 2",
    ] {
        assert!(printed.contains(line), "`{line}` is missing in:\n{printed}");
    }
    // 1000 rows in 0.5 s, a tenth dropped.
    assert!(
        printed.contains("Duration:    0.5s | Throughput:   2000 rows/s | Reduction: 10.00%"),
        "{printed}"
    );
}

#[test]
fn failed_and_stopped_jobs_are_shown_as_such() {
    let python = python();
    let dir = tempfile::tempdir().unwrap();
    for (name, status) in [
        ("job_failed", Status::Failed),
        ("job_stopped", Status::Stopped),
    ] {
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
    let python = python();
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
    assert_eq!(
        job(&root).overall_progress().unwrap().status,
        JobState::Running
    );
    agrees(python, &job(&root));
    second.complete(1, 2).unwrap();
    second.begin(2, 0, 0.5).unwrap();
    second.complete(2, 0).unwrap();
    second.finish(Status::Completed, "").unwrap();
    let progress = job(&root).overall_progress().unwrap();
    assert_eq!(
        (
            progress.status,
            progress.attempt,
            progress.rows.read,
            progress.rows.output
        ),
        (JobState::Completed, 2, 3000, 2700)
    );
    agrees(python, &job(&root));
}

/// Data-Juicer's stopper, ready to stop a job.
struct Stopper(Child);

impl Stopper {
    fn start(python: &Path, root: &Path) -> Self {
        let mut command = script(python, "stop", &JobUtils::new(RunPaths::new(root)));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        child
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut ready)
            .unwrap();
        Self(child)
    }

    /// Stops the job, which must end like any stopped job.
    fn stop(mut self, running: &mut Running) {
        self.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
        // It waits for the process, so somebody must collect the exit code meanwhile.
        assert_eq!(running.0.wait().unwrap().code(), Some(exit::STOPPED.into()));
        let output = self.0.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
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
    let python = python();
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("job_running");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pretended-job"));
    command
        .arg(&root)
        .arg("2")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let start = Instant::now();
    while !root.join("ready").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "the pretended job did not start"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let printed = agrees(python, &job(&root));
    assert!(printed.contains("Status: RUNNING"), "{printed}");
    Stopper::start(python, &root).stop(&mut running);
    // It rewrites the summary with fields of its own; ours can still be read.
    assert_eq!(
        job(&root).overall_progress().unwrap().status,
        JobState::Stopped
    );
    agrees(python, &job(&root));
}

/// A recipe over `rows` rows: every tenth is too short, and every fourth of the others repeats the
/// text of another.
fn recipe(dir: &Path, rows: usize) -> PathBuf {
    let mut lines = String::new();
    for i in 0..rows {
        let text = match i {
            i if i % 10 == 9 => "short".to_owned(),
            i if i % 10 == 4 => format!(
                "This sentence stands in row {} and is long enough to stay. ",
                i - 1
            )
            .repeat(30),
            i => format!("This sentence stands in row {i} and is long enough to stay. ").repeat(30),
        };
        lines += &format!("{{\"text\": \"{text}\"}}\n");
    }
    std::fs::write(dir.join("in.jsonl"), lines).unwrap();
    let recipe = dir.join("recipe.yaml");
    let text = "dataset_path: in.jsonl\nexport_path: out/out.jsonl\nwork_dir: jobs\njob_id: real\nnp: 1\n\
                partition: {mode: manual, num_of_partitions: 4}\ncheckpoint: {strategy: every_n_ops, n_ops: 2}\n\
                process:\n  - whitespace_normalization_mapper: {}\n  - text_length_filter: {min_len: 100}\n  - document_deduplicator: {}\n\
                \x20 - character_repetition_filter: {max_ratio: 1.0}\n  - word_repetition_filter: {max_ratio: 1.0}\n";
    std::fs::write(&recipe, text).unwrap();
    recipe
}

fn djhost(dir: &Path, recipe: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .arg("run")
        .arg(recipe)
        .arg("--quiet")
        .current_dir(dir)
        .env("XDG_STATE_HOME", dir.join("state"))
        .stderr(Stdio::piped());
    command
}

#[test]
fn a_real_job_is_shown_as_it_is() {
    let python = python();
    let dir = tempfile::tempdir().unwrap();
    let recipe = recipe(dir.path(), 2000);
    run(&mut djhost(dir.path(), &recipe)).unwrap();
    let job = job(&dir.path().join("jobs/real"));
    let progress = job.overall_progress().unwrap();
    assert_eq!(
        (progress.status, progress.rows.total, progress.rows.output),
        (JobState::Completed, Some(2000), 1600)
    );
    let kept: Vec<_> = progress
        .ops
        .iter()
        .map(|op| (op.totals.rows_in, op.totals.rows_out))
        .collect();
    assert_eq!(
        kept,
        [
            (2000, 2000),
            (2000, 1800),
            (1800, 1600),
            (1600, 1600),
            (1600, 1600)
        ]
    );
    let printed = agrees(python, &job);
    assert!(
        printed.contains("Total Samples: 2,000") && printed.contains("Samples: 2,000/2,000"),
        "{printed}"
    );
}

#[test]
fn data_juicers_stopper_stops_a_real_job_which_then_continues() {
    let python = python();
    let dir = tempfile::tempdir().unwrap();
    // Long enough to be caught at work.
    let recipe = recipe(dir.path(), 40_000);
    let root = dir.path().join("jobs/real");
    let stopper = Stopper::start(python, &root);
    let mut running = Running(djhost(dir.path(), &recipe).spawn().unwrap());
    let begun = || {
        let Ok(logs) = JobUtils::new(RunPaths::new(&root)).load_event_logs() else {
            return false;
        };
        logs.records
            .iter()
            .any(|r| matches!(r.event, Event::CheckpointSaved(_)))
    };
    while !begun() {
        assert!(
            running.0.try_wait().unwrap().is_none(),
            "the job ended before it was stopped"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    stopper.stop(&mut running);
    assert_eq!(
        job(&root).overall_progress().unwrap().status,
        JobState::Stopped
    );
    agrees(python, &job(&root));
    run(&mut djhost(dir.path(), &recipe)).unwrap();
    let progress = job(&root).overall_progress().unwrap();
    assert_eq!(
        (progress.status, progress.attempt, progress.rows.output),
        (JobState::Completed, 2, 32_000)
    );
    agrees(python, &job(&root));
}
