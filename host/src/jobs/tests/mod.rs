//! Tests of the monitor's text for each state of a job, and of what the fold must not depend on.

mod scenes;

use proptest::prelude::*;

use super::progress::*;
use super::show::render;
use super::snapshot::{Facts, snapshot};
use crate::rundir::events::*;
use crate::rundir::lock::Liveness;
use crate::term::Style;
use scenes::*;

fn progress_of(scene: &Scene) -> JobProgress {
    let mut logs = EventLogs {
        records: scene.records.clone(),
        ..EventLogs::default()
    };
    logs.sort();
    let facts = Facts {
        logs: &logs,
        summary: None,
        mapping: None,
        liveness: &scene.liveness,
        stop_requested: scene.stop_requested,
        now: scene.now,
    };
    snapshot(&facts)
}

/// Compares with `golden/{name}.txt`, or writes it if `DJHOST_TEST_BLESS=1`.
fn check(name: &str, scene: &Scene) {
    let text = render(
        &progress_of(scene),
        name.ends_with("detailed"),
        Style::plain(),
    );
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("host/src/jobs/golden")
        .join(format!("{name}.txt"));
    if std::env::var_os("DJHOST_TEST_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == golden,
        "`{name}` is now:\n{text}\nand was:\n{golden}\nif this is right, run the test with DJHOST_TEST_BLESS=1"
    );
}

#[test]
fn a_running_job() {
    check("running", &running());
    check("running_detailed", &running());
}

#[test]
fn a_job_that_was_asked_to_stop() {
    check(
        "stopping",
        &Scene {
            stop_requested: true,
            ..running()
        },
    );
}

#[test]
fn a_stopped_job() {
    check("stopped", &stopped());
}

#[test]
fn a_failed_job() {
    check("failed", &failed());
}

#[test]
fn a_job_that_died() {
    check(
        "died",
        &Scene {
            liveness: Liveness::Free(None),
            now: NOON + 500.0,
            ..running()
        },
    );
}

#[test]
fn a_resumed_job() {
    check("resumed", &resumed());
}

#[test]
fn a_completed_job() {
    check("completed_detailed", &completed());
}

#[test]
fn an_attempt_that_has_taken_the_lock_and_said_nothing_yet_runs() {
    assert_eq!(
        progress_of(&Scene {
            liveness: held(2),
            ..stopped()
        })
        .status,
        JobState::Running
    );
    assert_eq!(
        progress_of(&Scene {
            liveness: held(1),
            ..stopped()
        })
        .status,
        JobState::Stopped,
        "it is about to end"
    );
}

#[test]
fn work_that_is_repeated_by_a_later_attempt_is_counted_once() {
    let once = progress_of(&resumed());
    let mut scene = resumed();
    // The second attempt repeats what it took over as events of its own.
    let mut taken = done(0, 0, 997, 997, 6.0);
    if let Event::OpCompleted(done) = &mut taken {
        done.taken_over = true;
    }
    scene.records.push(record(2, 100, NOON + 611.0, taken));
    assert_eq!(progress_of(&scene).ops, once.ops);
}

#[test]
fn a_later_stage_of_the_same_attempt_is_no_resumption() {
    let mut scene = running();
    let n = scene.records.len() as u64;
    // Partition 0 continues from its own checkpoint.
    scene.records.push(record(
        1,
        n,
        NOON + 18.5,
        Event::PartitionResumed {
            partition_id: 0,
            op: op(2),
            checkpoint_path: "c".into(),
            output_rows: 800,
        },
    ));
    scene
        .records
        .push(record(1, n + 1, NOON + 18.5, begin(0, 1, 3, 3)));
    let (before, after) = (progress_of(&running()), progress_of(&scene));
    assert_eq!(
        (after.checkpoints.resumed, after.partition[0].ops.len()),
        (0, 3)
    );
    assert_eq!(
        (after.fraction, after.eta_seconds),
        (before.fraction, before.eta_seconds)
    );
}

#[test]
fn a_stage_without_ops_only_writes_rows_out() {
    let mut scene = running();
    let n = scene.records.len() as u64;
    scene
        .records
        .push(record(1, n, NOON + 18.5, begin(0, 1, 4, 3)));
    let shown = &progress_of(&scene).partition[0];
    assert_eq!((shown.current_ops, shown.fraction), (None, 1.0));
}

#[test]
fn a_partition_that_was_done_waits_again_if_the_next_attempt_does_not_take_it_over() {
    let mut scene = completed();
    let taken = Event::PartitionCompleted {
        partition_id: 3,
        duration: 4.0,
        input_rows: 1000,
        output_rows: 800,
        output_bytes: 1,
        output_path: "p".into(),
        taken_over: true,
    };
    let start = vec![(0.0, job_start(true)), (1.0, taken)];
    scene.records.extend(numbered(3, NOON + 1000.0, start));
    scene.liveness = held(3);
    scene.now = NOON + 1001.0;
    assert_eq!(
        progress_of(&scene).partitions.done,
        4,
        "it has not said what it does again"
    );
    scene
        .records
        .push(record(3, 2, NOON + 1002.0, begin(0, 0, 0, 2)));
    let counts = progress_of(&scene).partitions;
    assert_eq!((counts.done, counts.running, counts.waiting), (1, 1, 2));
    // An attempt that finds everything done reports no partitions.
    let mut scene = completed();
    scene
        .records
        .extend(numbered(3, NOON + 1000.0, vec![(0.0, job_start(true))]));
    let end = Event::JobCompleted {
        duration: 0.0,
        input_rows: 4000,
        output_rows: 3190,
        quarantined_rows: 3,
        output_path: "o".into(),
    };
    scene.records.push(record(3, 1, NOON + 1001.0, end));
    let progress = progress_of(&scene);
    assert_eq!((progress.partitions.done, progress.rows.output), (4, 3190));
}

#[test]
fn starting_over_forgets_the_earlier_attempt() {
    let mut scene = stopped();
    scene
        .records
        .extend(numbered(2, NOON + 600.0, vec![(0.0, job_start(false))]));
    let progress = progress_of(&Scene {
        liveness: held(2),
        now: NOON + 601.0,
        ..scene
    });
    assert_eq!(
        (
            progress.rows.read,
            progress.checkpoints.saved,
            progress.partition.len()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        progress.start_time,
        Some(NOON),
        "the job is as old as before"
    );
}

#[test]
fn the_time_to_go_follows_from_the_work_of_this_attempt_alone() {
    let progress = progress_of(&resumed());
    // Partition 0: the last of four ops; partition 1: 0.75 of three ops. In 11 seconds.
    let gained = 0.25 + 0.75 * 0.75;
    let left = 4.0 - 1.0 - 0.75 * 0.75;
    let expected = left * 11.0 / gained;
    assert!(
        (progress.eta_seconds.unwrap() - expected).abs() < 0.01,
        "{:?} instead of {expected}",
        progress.eta_seconds
    );
}

proptest! {
    /// Event files may be listed in any order, lines may be read twice, and a kill may tear the
    /// last line of each file.
    #[test]
    fn the_fold_does_not_depend_on_the_order_of_files_nor_on_torn_ends(order in Just((0..3usize).collect::<Vec<_>>()).prop_shuffle(), twice in 0..3usize, torn in 1..200usize) {
        let scene = completed();
        let lines: Vec<Vec<u8>> = scene.records.iter().map(|r| [serde_json::to_vec(r).unwrap(), b"\n".to_vec()].concat()).collect();
        let third = lines.len().div_ceil(3);
        let files: Vec<Vec<u8>> = lines.chunks(third).map(<[_]>::concat).collect();
        let mut logs = EventLogs::default();
        for index in order.iter().chain([&twice]) {
            let torn_line = &lines[0][..torn.min(lines[0].len() - 2)];
            logs.add(&[&files[*index][..], torn_line].concat());
        }
        logs.sort();
        prop_assert_eq!(logs.torn_lines, 4);
        let facts = Facts { logs: &logs, summary: None, mapping: None, liveness: &scene.liveness, stop_requested: false, now: scene.now };
        prop_assert_eq!(JobProgress { torn_lines: 0, ..snapshot(&facts) }, progress_of(&scene));
    }

    /// However many events have happened, the numbers stay in range and never count a partition
    /// twice.
    #[test]
    fn every_moment_of_a_job_adds_up(cut in 0..100usize) {
        let mut scene = completed();
        scene.records.truncate(cut);
        let p = progress_of(&scene);
        let c = &p.partitions;
        prop_assert_eq!(c.total, c.done + c.running + c.failed + c.waiting);
        prop_assert!((0.0..=1.0).contains(&p.fraction));
        prop_assert!(p.rows.read <= 4000 && p.rows.output <= 3190);
    }
}
