use super::*;
use crate::rundir::events::OpRef;

fn done(index: usize, input_rows: u64, output_rows: u64) -> OpDone {
    OpDone {
        op: OpRef::new(index, "op"),
        input_rows,
        output_rows,
        ..OpDone::default()
    }
}

#[test]
fn the_ledger_balances_only_if_every_row_is_accounted_for() {
    let mut ledger = Ledger {
        read: 100,
        quarantined: 2,
        ..Ledger::default()
    };
    ledger.add_op(&OpDone {
        quarantined_rows: 3,
        ..done(0, 98, 90)
    });
    ledger.add_op(&OpDone {
        merged_rows: 10,
        ..done(1, 90, 80)
    });
    ledger.add_op(&OpDone {
        created_rows: 40,
        ..done(2, 80, 120)
    });
    ledger.output = 120;
    ledger.check_balance().unwrap();
    assert_eq!(
        (
            ledger.dropped[&0],
            ledger.merged[&1],
            ledger.created[&2],
            ledger.quarantined
        ),
        (5, 10, 40, 5)
    );
    ledger.output = 119;
    assert!(
        ledger
            .check_balance()
            .unwrap_err()
            .to_string()
            .contains("140")
    );
}

#[test]
fn a_later_attempt_keeps_the_start_and_the_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let paths = RunPaths::new(dir.path().join("j"));
    paths.create().unwrap();
    let mut first = JobSummary::start(&paths, "j", 1, &paths.events("20260101_000000", 0)).unwrap();
    first.finish(Status::Stopped, None);
    first.save(&paths).unwrap();
    let second = JobSummary::start(&paths, "j", 2, &paths.events("20260101_000001", 0)).unwrap();
    assert_eq!(second.start_time, first.start_time);
    assert_eq!(
        second
            .attempts
            .iter()
            .map(|a| (a.attempt, a.status))
            .collect::<Vec<_>>(),
        [(1, Status::Stopped), (2, Status::Running)]
    );
}

#[test]
fn a_summary_that_somebody_else_tore_does_not_keep_the_job_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    let paths = RunPaths::new(dir.path());
    std::fs::write(paths.summary(), r#"{"job_id":"j","sta"#).unwrap();
    assert!(JobSummary::load(&paths).is_err());
    assert!(JobSummary::start(&paths, "j", 2, &paths.events("20260101_000000", 0)).is_ok());
    std::fs::write(
        paths.summary(),
        r#"{"format_version":99,"job_id":"j","status":"stopped","start_time":1}"#,
    )
    .unwrap();
    assert!(
        JobSummary::start(&paths, "j", 2, &paths.events("20260101_000000", 0)).is_err(),
        "a newer program's file is overwritten"
    );
}

#[test]
fn fields_of_others_are_ignored_and_a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let paths = RunPaths::new(dir.path());
    std::fs::write(paths.summary(), r#"{"job_id":"j","status":"stopped","start_time":1,"stop_time":2.5,"stop_reason":"manual_stop"}"#)
        .unwrap();
    assert_eq!(
        JobSummary::load(&paths)
            .unwrap()
            .unwrap()
            .stop_reason
            .as_deref(),
        Some("manual_stop")
    );
    std::fs::write(
        paths.summary(),
        r#"{"format_version":99,"job_id":"j","status":"stopped","start_time":1}"#,
    )
    .unwrap();
    assert!(
        JobSummary::load(&paths)
            .unwrap_err()
            .to_string()
            .contains("99")
    );
}
