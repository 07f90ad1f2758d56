use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use djhost::cli::stop::code;
use djhost::error::exit;
use djhost::jobs::{Holder, JobUtils, ProcessId, RunPaths};
use djhost::jobs::{JobState, events::now};
use djhost::testing::lock::FORMAT_VERSION;
use djhost::testing::process::Signal;
use djhost::testing::{PretendedJob, finished_job};

/// A pretended job.
pub(super) struct Running {
    child: Child,
    root: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(super) fn start(root: &Path, deaf: bool) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pretended-job"));
        command
            .arg(root)
            .arg("3")
            .args(deaf.then_some("--deaf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let running = Self {
            child: command.spawn().unwrap(),
            root: root.to_owned(),
        };
        assert!(
            wait_for(|| root.join("ready").exists()),
            "the pretended job did not start"
        );
        running
    }

    fn id(&self) -> ProcessId {
        ProcessId::of(self.child.id()).unwrap()
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    fn job(&self) -> JobUtils {
        JobUtils::new(RunPaths::new(&self.root))
    }
}

pub(super) fn wait_for(condition: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Runs the program with its state in `home`.
fn djhost(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(args)
        .env("XDG_STATE_HOME", home.join("state"))
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .current_dir(home)
        .output()
        .unwrap()
}

fn code_of(output: &Output) -> u8 {
    output.status.code().unwrap().try_into().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn root(home: &Path) -> PathBuf {
    home.join("outputs/job_1")
}

#[test]
fn stop_ends_a_job_that_listens_and_says_how_to_continue() {
    let home = crate::harness::directory();
    let mut running = Running::start(&root(home.path()), false);
    assert_eq!(
        running.job().overall_progress().unwrap().status,
        JobState::Running
    );
    let listed = djhost(home.path(), &["stop", "--list"]);
    assert!(text(&listed).contains("job_1"), "{}", text(&listed));
    let stopped = djhost(home.path(), &["stop", "job"]);
    assert_eq!(code_of(&stopped), exit::DONE, "{}", text(&stopped));
    assert!(
        text(&stopped).contains("--resume job_1"),
        "{}",
        text(&stopped)
    );
    assert_eq!(running.exit_code(), Some(exit::STOPPED.into()));
    let progress = running.job().overall_progress().unwrap();
    assert_eq!(
        (
            progress.status,
            progress.partitions.done,
            progress.partitions.waiting
        ),
        (JobState::Stopped, 1, 2)
    );
    assert!(!running.job().paths().stop_request().exists());
    let again = djhost(home.path(), &["stop", "job_1"]);
    assert_eq!(code_of(&again), code::NOT_RUNNING, "{}", text(&again));
}

#[test]
fn a_job_that_does_not_listen_is_only_killed_if_told_so() {
    let home = crate::harness::directory();
    let mut running = Running::start(&root(home.path()), true);
    for _ in 0..2 {
        // The second request does not count as a second signal.
        let asked = djhost(home.path(), &["stop", "job_1", "--timeout", "0"]);
        assert_eq!(code_of(&asked), code::STILL_RUNNING, "{}", text(&asked));
        assert!(text(&asked).contains("partition 1"), "{}", text(&asked));
    }
    assert_eq!(
        running.job().overall_progress().unwrap().status,
        JobState::Stopping
    );
    assert!(running.child.try_wait().unwrap().is_none());
    let killed = djhost(home.path(), &["stop", "job_1", "--force"]);
    assert_eq!(code_of(&killed), exit::DONE, "{}", text(&killed));
    assert_eq!(running.exit_code(), None, "it ended by itself");
    let progress = running.job().overall_progress().unwrap();
    assert_eq!((progress.status, progress.attempt), (JobState::Stopped, 1));
    assert!(progress.resumption_command.is_some());
}

#[test]
fn a_job_that_was_killed_is_dead_and_can_be_started_again() {
    let home = crate::harness::directory();
    let mut running = Running::start(&root(home.path()), false);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let monitor = djhost(home.path(), &["monitor", "job_1"]);
    assert_eq!(code_of(&monitor), exit::DONE);
    assert!(
        text(&monitor).contains("job_1 died")
            && text(&monitor).contains("to continue: `djhost run"),
        "{}",
        text(&monitor)
    );
    let stop = djhost(home.path(), &["stop", "job_1"]);
    assert_eq!(code_of(&stop), code::DIED, "{}", text(&stop));
    std::fs::remove_file(root(home.path()).join("ready")).unwrap();
    let again = Running::start(&root(home.path()), false);
    let progress = again.job().overall_progress().unwrap();
    assert_eq!((progress.status, progress.attempt), (JobState::Running, 2));
}

#[test]
fn a_process_that_got_the_pid_of_a_dead_one_is_never_signalled() {
    let home = crate::harness::directory();
    let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
    let id = ProcessId::of(stranger.id()).unwrap();
    let paths = RunPaths::new(root(home.path()));
    let job = PretendedJob::start(paths.root(), 1).unwrap();
    // The lock is held, but names a process that ended before a stranger got its pid.
    let process = ProcessId {
        start_ticks: id.start_ticks - 1,
        ..id.clone()
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap()
        .trim()
        .to_owned();
    let holder = Holder {
        format_version: FORMAT_VERSION,
        process,
        host,
        attempt: 1,
        since: now(),
        does_more: false,
    };
    std::fs::write(paths.lock(), serde_json::to_vec(&holder).unwrap()).unwrap();
    for args in [
        &["stop", "job_1", "--timeout", "0"][..],
        &["stop", "job_1", "--force", "--timeout", "0"],
    ] {
        let stop = djhost(home.path(), args);
        assert_ne!(code_of(&stop), exit::DONE, "{}", text(&stop));
        assert!(
            stranger.try_wait().unwrap().is_none(),
            "`{}` ended a stranger",
            args.join(" ")
        );
    }
    assert!(id.is_alive());
    drop(job);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn the_first_interrupt_stops_and_the_second_forces() {
    let home = crate::harness::directory();
    let mut polite = Running::start(&home.path().join("outputs/polite"), false);
    assert!(polite.id().signal(Signal::Terminate).unwrap());
    assert_eq!(polite.exit_code(), Some(exit::STOPPED.into()));
    let mut deaf = Running::start(&home.path().join("outputs/deaf"), true);
    assert!(deaf.id().signal(Signal::Terminate).unwrap());
    let ended = wait_for(|| {
        // Unhandled signals are merged, so it is sent until the process has ended.
        ProcessId::of(deaf.child.id()).is_none_or(|id| !id.signal(Signal::Terminate).unwrap())
    });
    assert!(ended);
    assert_eq!(deaf.exit_code(), Some(djhost::testing::FORCED));
}

#[test]
fn jobs_that_are_done_or_unknown_have_their_own_codes() {
    let home = crate::harness::directory();
    finished_job(&root(home.path())).unwrap();
    assert_eq!(
        code_of(&djhost(home.path(), &["stop", "job_1"])),
        code::NOT_RUNNING
    );
    let unknown = djhost(home.path(), &["stop", "jub_1"]);
    assert_eq!(code_of(&unknown), code::UNKNOWN);
    assert!(
        text(&unknown).contains("did you mean `job_1`"),
        "{}",
        text(&unknown)
    );
    assert_eq!(
        code_of(&djhost(home.path(), &["monitor", "jub_1"])),
        exit::USAGE
    );
    assert_eq!(code_of(&djhost(home.path(), &["stop"])), exit::USAGE);
}

#[test]
fn jobs_and_monitor_print_json_that_can_be_read_back() {
    let home = crate::harness::directory();
    finished_job(&root(home.path())).unwrap();
    let running = Running::start(&home.path().join("outputs/job_2"), false);
    let list = |args: &[&str]| {
        serde_json::from_slice::<Vec<djhost::jobs::JobEntry>>(&djhost(home.path(), args).stdout)
            .unwrap()
    };
    let jobs = list(&["jobs", "--json"]);
    assert_eq!(
        jobs.iter()
            .map(|j| (j.job_id.as_str(), j.status, j.process_id))
            .collect::<Vec<_>>(),
        [("job_2", JobState::Running, Some(running.child.id()))]
    );
    assert_eq!(list(&["jobs", "--all", "--json"]).len(), 2);
    let shown = djhost(home.path(), &["monitor", "outputs/job_1", "--json"]);
    let progress: djhost::jobs::JobProgress = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (progress.status, progress.rows.read, progress.rows.output),
        (JobState::Completed, 2000, 1800)
    );
    let watched = djhost(
        home.path(),
        &["monitor", "job_1", "--watch", "--interval", "1"],
    );
    assert!(
        text(&watched).starts_with("completed"),
        "{}",
        text(&watched)
    );
}

#[test]
fn logs_are_followed_until_the_job_ends() {
    let home = crate::harness::directory();
    let running = Running::start(&root(home.path()), false);
    let follow = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["logs", "job_1", "-f"])
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    use std::io::Write;
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(running.job().paths().log(1))
        .unwrap();
    log.write_all(b"a later line\n").unwrap();
    assert_eq!(
        code_of(&djhost(home.path(), &["stop", "job_1"])),
        exit::DONE
    );
    let output = follow.wait_with_output().unwrap();
    assert_eq!(text(&output), "a line for people\na later line\n");
    let missing = djhost(home.path(), &["logs", "job_1", "--attempt", "7"]);
    assert_eq!(code_of(&missing), exit::USAGE, "{}", text(&missing));
}
