//! Jobs in each state, as the events that they have written.

use crate::rundir::events::*;
use crate::rundir::lock::Liveness;
use crate::rundir::{Holder, ProcessId};

/// 2026-01-01 12:00:00 UTC.
pub(super) const NOON: f64 = 1_767_268_800.0;

pub(super) struct Scene {
    pub(super) records: Vec<Record>,
    pub(super) liveness: Liveness,
    pub(super) stop_requested: bool,
    pub(super) now: f64,
}

pub(super) fn record(attempt: u32, seq: u64, timestamp: f64, event: Event) -> Record {
    Record {
        timestamp,
        message: event.to_string(),
        event_id: format!("{attempt}-{seq}"),
        job_id: "20260101_120000_a1b2c3".into(),
        attempt,
        seq,
        process_id: 4242,
        thread_id: 1,
        node: None,
        worker: None,
        status: None,
        performance_metrics: event.metrics(),
        event,
    }
}

pub(super) fn held(attempt: u32) -> Liveness {
    let process = ProcessId {
        pid: 4242,
        start_ticks: 1,
        boot_id: "b".into(),
    };
    Liveness::Held(Some(Holder {
        format_version: 1,
        process,
        host: "h".into(),
        attempt,
        since: NOON,
        does_more: false,
    }))
}

pub(super) const NAMES: [&str; 4] = [
    "fix_unicode_mapper",
    "text_length_filter",
    "words_num_filter",
    "document_deduplicator",
];

pub(super) fn op(index: usize) -> OpRef {
    OpRef::new(index, NAMES[index])
}

pub(super) fn done(
    partition_id: usize,
    index: usize,
    input_rows: u64,
    output_rows: u64,
    duration: f64,
) -> Event {
    let cpu_seconds = duration / 2.0;
    Event::OpCompleted(OpDone {
        partition_id,
        op: op(index),
        duration,
        cpu_seconds,
        input_rows,
        output_rows,
        input_bytes: input_rows * 4000,
        ..OpDone::default()
    })
}

pub(super) fn saved(partition_id: usize, index: usize, rows: u64) -> Event {
    let checkpoint_path = format!("checkpoint_op_{index:04}_partition_{partition_id:04}.parquet");
    Event::CheckpointSaved(CheckpointDone {
        partition_id,
        op: op(index),
        checkpoint_path,
        duration: 0.25,
        output_rows: rows,
        bytes: rows * 1000,
        ..CheckpointDone::default()
    })
}

pub(super) fn begin(partition_id: usize, stage: usize, first: usize, last: usize) -> Event {
    let input_rows = Some(1000);
    Event::PartitionStarted {
        partition_id,
        stage,
        operation_idx: first,
        last_operation_idx: last,
        input_bytes: 4_000_000,
        input_rows,
    }
}

pub(super) fn progressed(partition_id: usize, stage: usize, share: f64) -> Event {
    let (input_rows, done_bytes) = ((1000.0 * share) as u64, (4e6 * share) as u64);
    Event::PartitionProgressed {
        partition_id,
        stage,
        input_rows,
        done_bytes,
        input_bytes: 4_000_000,
    }
}

pub(super) fn job_start(is_resuming: bool) -> Event {
    Event::JobStarted {
        dataset_path: "data/pages.jsonl".into(),
        export_path: "out/pages.jsonl".into(),
        work_dir: "outputs/20260101_120000_a1b2c3".into(),
        config_file: Some("recipe.yaml".into()),
        executor_type: "ray_partitioned".into(),
        operations: (0..NAMES.len()).map(op).collect(),
        is_resuming,
    }
}

pub(super) const COMMAND: &str = "djhost run --config recipe.yaml --resume 20260101_120000_a1b2c3";

/// Attempt 1 after 20 seconds: partition 0 has passed its first stage, 1 is halfway through it, 2
/// failed once and waits, 3 has not begun.
pub(super) fn running_events() -> Vec<(f64, Event)> {
    vec![
        (0.0, job_start(false)),
        (
            0.5,
            Event::PartitionsPlanned {
                total_partitions: 4,
                input_bytes: 16_000_000,
                input_rows: Some(4000),
            },
        ),
        (1.0, begin(0, 0, 0, 2)),
        (1.0, begin(1, 0, 0, 2)),
        (
            1.1,
            Event::OpStarted {
                partition_id: 0,
                op: op(0),
            },
        ),
        (
            1.1,
            Event::OpStarted {
                partition_id: 1,
                op: op(0),
            },
        ),
        (6.0, progressed(0, 0, 0.5)),
        (
            6.0,
            Event::RowsQuarantined {
                partition_id: 0,
                op: None,
                rows: 3,
                reason: "not JSON".into(),
                quarantine_path: "q".into(),
            },
        ),
        (
            7.0,
            Event::OpStarted {
                partition_id: 1,
                op: op(1),
            },
        ),
        (11.0, done(0, 0, 997, 997, 6.0)),
        (11.0, done(0, 1, 997, 900, 2.0)),
        (11.0, done(0, 2, 900, 800, 1.0)),
        (11.0, saved(0, 2, 800)),
        (
            11.0,
            Event::StageCompleted {
                partition_id: 0,
                stage: 0,
                duration: 10.0,
                input_rows: 1000,
                output_rows: 800,
                input_bytes: 4_000_000,
            },
        ),
        (12.0, begin(2, 0, 0, 2)),
        (
            13.0,
            Event::TaskRetried {
                partition_id: Some(2),
                stage: 0,
                retry_count: 1,
                error_message: "out of memory".into(),
            },
        ),
        (18.0, progressed(1, 0, 0.5)),
    ]
}

pub(super) fn numbered(attempt: u32, start: f64, events: Vec<(f64, Event)>) -> Vec<Record> {
    events
        .into_iter()
        .enumerate()
        .map(|(seq, (after, event))| record(attempt, seq as u64, start + after, event))
        .collect()
}

pub(super) fn running() -> Scene {
    Scene {
        records: numbered(1, NOON, running_events()),
        liveness: held(1),
        stop_requested: false,
        now: NOON + 20.0,
    }
}

pub(super) fn with_end(end: Event) -> Scene {
    let mut events = running_events();
    events.push((20.0, end));
    Scene {
        records: numbered(1, NOON, events),
        liveness: Liveness::Free(None),
        stop_requested: false,
        now: NOON + 500.0,
    }
}

pub(super) fn stopped() -> Scene {
    with_end(Event::JobStopped {
        duration: 20.0,
        reason: "request".into(),
        resumption_command: COMMAND.into(),
    })
}

pub(super) fn failed() -> Scene {
    let mut scene = running();
    let why = || "op 1 `text_length_filter`: disk full".to_owned();
    let failed = Event::PartitionFailed {
        partition_id: 1,
        stage: 0,
        duration: 17.0,
        error_message: why(),
        retry_count: 2,
    };
    let n = scene.records.len() as u64;
    scene.records.push(record(1, n, NOON + 19.0, failed));
    let end = Event::JobFailed {
        duration: 20.0,
        error_message: why(),
        error_type: "io".into(),
        resumption_command: COMMAND.into(),
    };
    scene.records.push(record(1, n + 1, NOON + 20.0, end));
    Scene {
        liveness: Liveness::Free(None),
        now: NOON + 500.0,
        ..scene
    }
}

/// The second attempt, ten minutes later: partition 0 continues after its checkpoint, the others
/// start again.
pub(super) fn resumed() -> Scene {
    let mut scene = stopped();
    let events = vec![
        (0.0, job_start(true)),
        (
            0.5,
            Event::PartitionsPlanned {
                total_partitions: 4,
                input_bytes: 16_000_000,
                input_rows: Some(4000),
            },
        ),
        (
            1.0,
            Event::PartitionResumed {
                partition_id: 0,
                op: op(2),
                checkpoint_path: "c".into(),
                output_rows: 800,
            },
        ),
        (1.0, begin(0, 1, 3, 3)),
        (1.0, begin(1, 0, 0, 2)),
        (5.0, done(0, 3, 800, 790, 3.0)),
        (
            5.0,
            Event::PartitionCompleted {
                partition_id: 0,
                duration: 14.0,
                input_rows: 1000,
                output_rows: 790,
                output_bytes: 3_160_000,
                output_path: "parts/part_0000.jsonl".into(),
                taken_over: false,
            },
        ),
        (11.0, progressed(1, 0, 0.75)),
    ];
    scene.records.extend(numbered(2, NOON + 600.0, events));
    Scene {
        liveness: held(2),
        now: NOON + 612.0,
        ..scene
    }
}

pub(super) fn completed() -> Scene {
    let mut scene = resumed();
    let mut seq = 8;
    let mut add = |after: f64, event: Event| {
        scene
            .records
            .push(record(2, seq, NOON + 600.0 + after, event));
        seq += 1;
    };
    for partition in 1..4 {
        let at = 12.0 + 5.0 * partition as f64;
        add(at, begin(partition, 0, 0, 2));
        for (index, (rows_in, rows_out)) in [(1000, 1000), (1000, 900), (900, 850), (850, 800)]
            .into_iter()
            .enumerate()
        {
            add(at + 4.0, done(partition, index, rows_in, rows_out, 1.0));
        }
        let (input_rows, output_rows, output_path) = (1000, 800, "p".to_owned());
        add(
            at + 4.0,
            Event::PartitionCompleted {
                partition_id: partition,
                duration: 4.0,
                input_rows,
                output_rows,
                output_bytes: 1,
                output_path,
                taken_over: false,
            },
        );
    }
    add(
        40.0,
        Event::JobCompleted {
            duration: 40.0,
            input_rows: 4000,
            output_rows: 3190,
            quarantined_rows: 3,
            output_path: "o".into(),
        },
    );
    Scene {
        liveness: Liveness::Free(None),
        now: NOON + 900.0,
        ..scene
    }
}
