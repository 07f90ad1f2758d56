use super::progress::*;
use crate::rundir::RunPaths;
use crate::rundir::events::*;

/// One event of each type, with every field set.
pub(crate) fn one_of_each() -> Vec<Event> {
    let op = || OpRef::new(4, "text_length_filter");
    let text = |s: &str| s.to_owned();
    let checkpoint = || CheckpointDone {
        partition_id: 3,
        op: op(),
        checkpoint_path: text("c"),
        duration: 0.5,
        cpu_seconds: 0.2,
        stall_seconds: 0.1,
        output_rows: 90,
        bytes: 9000,
        taken_over: true,
    };
    vec![
        Event::JobStarted {
            dataset_path: text("d"),
            export_path: text("e"),
            work_dir: text("w"),
            config_file: Some(text("c.yaml")),
            executor_type: text("default"),
            operations: vec![op()],
            is_resuming: true,
        },
        Event::PartitionsPlanned {
            total_partitions: 4,
            input_bytes: 1000,
            input_rows: Some(100),
        },
        Event::DagBuildStarted { ast_node_count: 1 },
        Event::DagBuildCompleted {
            dag_node_count: 4,
            build_duration: 0.25,
        },
        Event::DagExecutionPlanSaved {
            plan_path: text("p"),
            node_count: 4,
        },
        Event::PartitionStarted {
            partition_id: 3,
            stage: 0,
            operation_idx: 0,
            last_operation_idx: 4,
            input_bytes: 250,
            input_rows: Some(100),
        },
        Event::PartitionProgressed {
            partition_id: 3,
            stage: 0,
            input_rows: 50,
            done_bytes: 125,
            input_bytes: 250,
        },
        Event::PartitionResumed {
            partition_id: 3,
            op: op(),
            checkpoint_path: text("c"),
            output_rows: 90,
        },
        Event::StageCompleted {
            partition_id: 3,
            stage: 0,
            duration: 2.0,
            input_rows: 100,
            output_rows: 90,
            input_bytes: 250,
        },
        Event::PartitionCompleted {
            partition_id: 3,
            duration: 2.0,
            input_rows: 100,
            output_rows: 90,
            output_bytes: 225,
            taken_over: true,
            output_path: text("o"),
        },
        Event::PartitionFailed {
            partition_id: 3,
            stage: 0,
            duration: 2.0,
            error_message: text("e"),
            retry_count: 2,
        },
        Event::TaskRetried {
            partition_id: Some(3),
            stage: 0,
            retry_count: 1,
            error_message: text("e"),
        },
        Event::TaskCopied {
            partition_id: Some(3),
            stage: 0,
            slow: text("s"),
            other: text("o"),
        },
        Event::OpStarted {
            partition_id: 3,
            op: op(),
        },
        Event::OpCompleted(OpDone {
            partition_id: 3,
            op: op(),
            duration: 2.0,
            cpu_seconds: 1.5,
            input_rows: 100,
            output_rows: 75,
            input_bytes: 250,
            quarantined_rows: 5,
            merged_rows: 10,
            created_rows: 1,
            traps: 2,
            peak_memory: 65536,
            output_beyond: 0,
            changed_rows: None,
            stats: Default::default(),
            taken_over: true,
        }),
        Event::OpFailed {
            partition_id: 3,
            op: op(),
            duration: 1.0,
            error_message: text("e"),
            error_type: text("t"),
        },
        Event::OpTrapped {
            partition_id: 3,
            op: op(),
            rows: 1,
            error_message: text("unreachable"),
        },
        Event::RowsQuarantined {
            partition_id: 3,
            op: Some(op()),
            rows: 5,
            reason: text("r"),
            quarantine_path: text("q"),
        },
        Event::DeterminismChecked {
            operation_name: text("o"),
            batches: 9,
            different: 1,
            reason: Some(text("r")),
        },
        Event::ResolveStarted { op: op() },
        Event::ResolveCompleted {
            op: op(),
            duration: 1.0,
            cpu_seconds: 0.9,
            input_rows: 100,
            output_rows: 90,
            peak_memory: 1,
            spilled_bytes: 2,
        },
        Event::CheckpointSaved(checkpoint()),
        Event::CheckpointLoaded(checkpoint()),
        Event::CheckpointDiscarded {
            partition_id: 3,
            op: op(),
            checkpoint_path: text("c"),
            reason: text("r"),
        },
        Event::ExportStarted {
            output_path: text("o"),
            parts: 4,
        },
        Event::ExportCompleted {
            output_path: text("o"),
            duration: 0.5,
            output_rows: 90,
            output_bytes: 225,
        },
        Event::StopRequested { reason: text("r") },
        Event::JobCompleted {
            duration: 3.0,
            input_rows: 100,
            output_rows: 90,
            quarantined_rows: 5,
            output_path: text("o"),
        },
        Event::JobFailed {
            duration: 3.0,
            error_message: text("e"),
            error_type: text("t"),
            resumption_command: text("c"),
        },
        Event::JobStopped {
            duration: 3.0,
            reason: text("r"),
            resumption_command: text("c"),
        },
    ]
}

fn written(events: &[Event]) -> (tempfile::TempDir, RunPaths) {
    let dir = tempfile::tempdir().unwrap();
    let paths = RunPaths::new(dir.path());
    let log = EventLog::open(&paths, "j", 1).unwrap();
    events.iter().for_each(|e| log.emit(e.clone()));
    log.flush().unwrap();
    (dir, paths)
}

#[test]
fn every_event_is_read_back_as_it_was_emitted() {
    let (_dir, paths) = written(&one_of_each());
    let logs = read_events(&paths).unwrap();
    assert_eq!((logs.torn_lines, logs.unknown_lines), (0, 0));
    assert_eq!(
        logs.records
            .iter()
            .map(|r| r.event.clone())
            .collect::<Vec<_>>(),
        one_of_each()
    );
}

#[test]
fn every_event_has_a_sentence() {
    for event in one_of_each() {
        let text = event.to_string();
        assert!(
            !text.is_empty() && !text.ends_with(": "),
            "{event:?}: {text:?}"
        );
    }
}

/// `README.md` names each event type and each field, and no type that does not exist.
#[test]
fn the_schema_document_is_complete() {
    let readme = include_str!("../rundir/events/README.md");
    let (_dir, paths) = written(&one_of_each());
    let text = std::fs::read_to_string(&paths.event_files().unwrap()[0]).unwrap();
    let mut types = Vec::new();
    for line in text.lines() {
        let line: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
        let event_type = line["event_type"].as_str().unwrap().to_owned();
        let row = readme
            .lines()
            .find(|l| l.starts_with(&format!("| `{event_type}` |")))
            .unwrap_or_else(|| panic!("README.md lacks `{event_type}`"));
        let common = readme.split("## Types").next().unwrap();
        for field in line.keys().filter(|f| *f != "event_type") {
            let named = |text: &str| text.contains(&format!("`{field}`"));
            assert!(
                named(row) || named(common),
                "README.md does not describe `{field}` of `{event_type}`"
            );
        }
        types.push(event_type);
    }
    let documented = readme
        .split("## Types")
        .nth(1)
        .unwrap()
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split('`').next());
    for name in documented {
        assert!(
            types.iter().any(|t| t == name),
            "README.md describes `{name}`, which does not exist or is not in `one_of_each`"
        );
    }
}

#[test]
fn data_juicers_readers_find_their_fields_at_the_top_level() {
    let (_dir, paths) = written(&one_of_each());
    let text = std::fs::read_to_string(&paths.event_files().unwrap()[0]).unwrap();
    let op: serde_json::Value = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .find(|l: &serde_json::Value| l["event_type"] == "op_complete")
        .unwrap();
    assert_eq!(op["operation_idx"], 4);
    assert_eq!(op["operation_name"], "text_length_filter");
    assert_eq!(op["duration"], 2.0);
    assert_eq!(op["performance_metrics"]["throughput"], 50.0);
    assert_eq!(op["performance_metrics"]["reduction_ratio"], 0.25);
}

#[test]
fn ids_are_unique_over_threads_attempts_and_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let paths = RunPaths::new(dir.path());
    for attempt in 1..=3 {
        let log = EventLog::open(&paths, "j", attempt).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..250).for_each(|_| log.emit(Event::DagBuildStarted { ast_node_count: 1 }))
                });
            }
        });
    }
    assert_eq!(
        paths.event_files().unwrap().len(),
        3,
        "attempts within one second share a file"
    );
    let logs = read_events(&paths).unwrap();
    assert_eq!(logs.records.len(), 3000);
    assert!(
        logs.records
            .windows(2)
            .all(|w| (w[0].attempt, w[0].seq) < (w[1].attempt, w[1].seq))
    );
}

#[test]
fn a_torn_line_costs_only_itself() {
    let events = one_of_each();
    let (_dir, paths) = written(&events);
    let whole = std::fs::read(&paths.event_files().unwrap()[0]).unwrap();
    let lines = whole.iter().filter(|b| **b == b'\n').count();
    for cut in 0..whole.len() {
        let mut logs = EventLogs::default();
        logs.add(&whole[..cut]);
        let complete = whole[..cut].iter().filter(|b| **b == b'\n').count();
        // A line that lacks only its line end is complete.
        assert!(
            logs.records.len() == complete
                || (logs.records.len() == complete + 1 && whole[cut] == b'\n'),
            "cut at {cut}"
        );
        assert!(logs.torn_lines <= 1);
    }
    assert_eq!(lines, events.len());
}

#[test]
fn progress_after_every_batch_does_not_flood_the_log() {
    let progress = |partition_id| Event::PartitionProgressed {
        partition_id,
        stage: 0,
        input_rows: 1,
        done_bytes: 1,
        input_bytes: 2,
    };
    let batches: Vec<_> = (0..10_000).map(|n| progress(n % 2)).collect();
    let (_dir, paths) = written(&batches);
    let records = read_events(&paths).unwrap().records;
    // One per partition and second; emitting these takes far less than a minute.
    assert!((2..120).contains(&records.len()), "{}", records.len());
    assert!(
        records.iter().enumerate().all(|(i, r)| r.seq == i as u64),
        "what is left out leaves a gap"
    );
}

/// `PROGRESS.md` names each field that `djhost monitor --json` and `djhost jobs --json` print.
#[test]
fn the_document_of_the_json_output_is_complete() {
    fn keys(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => map.iter().for_each(|(key, value)| {
                found.push(key.clone());
                keys(value, found);
            }),
            serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let op = OpProgress::default();
    let partition = PartitionProgress {
        ops: vec![op.clone()],
        checkpoints: vec![CheckpointInfo::default()],
        current_op: Some(OpRef::default()),
        ..PartitionProgress::default()
    };
    let progress = JobProgress {
        ops: vec![op],
        partition: vec![partition],
        ..JobProgress::default()
    };
    let mut found = Vec::new();
    keys(&serde_json::to_value(progress).unwrap(), &mut found);
    let document = include_str!("PROGRESS.md");
    for key in found {
        assert!(
            document.contains(&format!("`{key}`")),
            "PROGRESS.md lacks `{key}`"
        );
    }
    for state in [
        JobState::Running,
        JobState::Stopping,
        JobState::Completed,
        JobState::Failed,
        JobState::Stopped,
        JobState::Died,
    ] {
        assert!(
            document.contains(&format!("`{state}`")),
            "PROGRESS.md lacks `{state}`"
        );
    }
}
