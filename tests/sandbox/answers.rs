//! What an operator does in `process`: traps, overruns, answers that break the contract.

use crate::sandbox::{case, isolates, recipe};

const SHORT: &str = "op_limits: {timeout_s: 0.05}";

#[test]
fn endless_loops_are_interrupted() {
    for how in ["loop", "loop_memory"] {
        let ran = isolates(
            "rogue_filter",
            how,
            SHORT,
            &[333],
            "out of time: the call took longer than 50ms",
        );
        assert!(ran.stderr.contains("1 in quarantine"), "{}", ran.stderr);
    }
}

#[test]
fn memory_is_bounded() {
    let ran = isolates(
        "rogue_filter",
        "allocate",
        "op_limits: {memory_mb: 48}",
        &[0, 999],
        "of its 48 MiB",
    );
    let peak = ran.summary["ops"][0]["peak_memory"].as_u64().unwrap();
    assert!((16 << 20..=48 << 20).contains(&peak), "{peak} bytes");
    let whole = ran.summary["totals"]["peak_memory"].as_u64().unwrap();
    assert!(whole < 400 << 20, "the host used {whole} bytes");
    // The limit of one operator overrides the general one.
    let own = "limits: {memory_mb: 24}";
    let lines = crate::sandbox::lines(100, &[7]);
    let recipe = format!("process:\n  - rogue_filter: {{how: allocate, {own}}}\n");
    let ran = crate::sandbox::case(&lines).run(&recipe).ok();
    assert!(
        ran.quarantine[0]["reason"]
            .as_str()
            .unwrap()
            .contains("of its 24 MiB")
    );
}

#[test]
fn traps_cost_the_guilty_rows() {
    for (how, reason) in [
        ("recurse", "stack overflow"),
        ("recurse_frames", "access outside of its memory"),
        ("unreachable", "wasm `unreachable` instruction executed"),
        ("panic", "this operator does not like the row"),
        ("abort", "unreachable"),
        ("exit", "xit"),
        ("overflow_index", "index out of bounds"),
    ] {
        isolates("rogue_filter", how, "", &[0, 500, 501, 999], reason);
    }
}

#[test]
fn many_guilty_rows_are_all_found() {
    let guilty: Vec<usize> = (0..45).map(|i| i * 22).collect();
    isolates("rogue_filter", "panic", "", &guilty, "does not like");
    let neighbours: Vec<usize> = (480..520).collect();
    isolates(
        "rogue_filter",
        "unreachable",
        "",
        &neighbours,
        "unreachable",
    );
}

#[test]
fn what_suffers_does_not_depend_on_how_the_work_is_cut() {
    let guilty = [0, 17, 18, 400, 999];
    let lines = crate::sandbox::lines(crate::sandbox::ROWS, &guilty);
    for settings in [
        "batch_size_kb: 16",
        "partition: {mode: manual, num_of_partitions: 7}",
        "partition: {mode: manual, num_of_partitions: 40}",
    ] {
        let ran = crate::sandbox::case(&lines)
            .run(&format!(
                "{settings}\nprocess:\n  - rogue_filter: {{how: panic}}\n"
            ))
            .ok();
        let mut found = crate::sandbox::quarantined(&ran);
        found.sort_unstable();
        assert_eq!(found, guilty, "{settings}");
        let kept: String = lines
            .iter()
            .enumerate()
            .filter(|(i, _)| !guilty.contains(i))
            .map(|(_, line)| line.as_str())
            .collect();
        assert!(ran.text() == kept, "{settings}");
    }
}

#[test]
fn an_operator_may_give_up_on_a_row() {
    isolates(
        "rogue_filter",
        "error",
        "",
        &[3, 700],
        "the operator \\u{1b}[31mgives up",
    );
    let ran = isolates("rogue_filter", "rejected_long", "", &[3], "because because");
    assert!(ran.quarantine[0]["reason"].as_str().unwrap().len() <= 4096 + "…".len());
    isolates(
        "rogue_filter",
        "giant_error",
        "op_limits: {output_ratio: 4}",
        &[3],
        "the answer is larger than",
    );
}

#[test]
fn invalid_answers_of_filters_are_refused() {
    for (how, reason) in [
        ("short_flags", "0 keep values for 1 rows"),
        ("long_flags", "2 keep values for 1 rows"),
        ("flag_two", "`keep` flag 2; 0 or 1 is allowed"),
        ("flag_255", "`keep` flag 255"),
        ("giant_reply", "the answer is larger than 9.4 MB"),
        ("rejected_range", "rejected rows: row 1 of a batch of 1"),
        (
            "rejected_twice",
            "rejected rows: row 0 does not come after row 0",
        ),
        ("undeclared_stat", "`other` is not in the signature"),
        (
            "stat_type",
            "stat `rogue`: values of type S64 where the signature says Utf8",
        ),
        ("stat_name", "`other` is not in the signature"),
        ("stat_short", "stat `rogue`: 1 offsets for 1 rows"),
        (
            "stat_validity",
            "stat `rogue`: 0 bytes of validity for 1 rows",
        ),
        ("stat_offsets_fall", "stat `rogue`: offsets from "),
        (
            "stat_offsets_range",
            "stat `rogue`: offsets from 0 to 100 over 1 values",
        ),
        ("stat_no_offsets", "stat `rogue`: 0 offsets for 1 rows"),
        ("stat_not_utf8", "stat `rogue`: text that is not UTF-8"),
        (
            "wrong_kind",
            "a filter gave the answer of another kind of operator",
        ),
    ] {
        isolates(
            "rogue_filter",
            how,
            "",
            &[250],
            &format!("invalid answer: {reason}")
                .replace("invalid answer: the answer", "the answer"),
        );
    }
}

#[test]
fn a_text_cut_inside_a_character_is_refused() {
    // Needs two rows in the batch: alone the row has a valid value.
    let lines = crate::sandbox::lines(crate::sandbox::ROWS, &[10]);
    let ran = crate::sandbox::case(&lines)
        .run(&crate::sandbox::recipe("rogue_filter", "stat_cut", ""))
        .ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    assert!(ran.text() == lines.concat());
    assert!(
        ran.summary["ops"][0]["traps"].as_u64().unwrap() >= 5,
        "the cut texts were taken"
    );
}

#[test]
fn invalid_answers_of_mappers_are_refused() {
    for (how, reason) in [
        (
            "rows_fall",
            "rows of `text`: row 0 does not come after row 0",
        ),
        ("rows_range", "rows of `text`: row 1 of a batch of 1"),
        ("update_undeclared", "`meta.secret` is not in the signature"),
        ("update_short", "field `text`: 1 offsets for 1 rows"),
        (
            "update_type",
            "field `text`: values of type F64 where the signature says Utf8",
        ),
        ("origins_fall", "origins: row 0 does not come after row 1"),
        ("origins_range", "origins: row 1 of a batch of 1"),
        ("origins_many", "1000000 rows of "),
        ("fields_long", "field `text`: 3 offsets for 1 rows"),
        (
            "wrong_kind",
            "a mapper gave the answer of another kind of operator",
        ),
    ] {
        isolates(
            "rogue_mapper",
            how,
            "",
            &[750],
            &format!("invalid answer: {reason}"),
        );
    }
}

#[test]
fn invalid_answers_of_global_operators_are_refused() {
    for (how, reason) in [
        ("width_three", "fingerprints of 3 bytes"),
        ("none_per_row", "fingerprints of 8 bytes, 0 per row"),
        (
            "many_per_row",
            "8 bytes of fingerprints for 1 rows of 4294967295 times 8",
        ),
        (
            "prints_short",
            "7 bytes of fingerprints for 1 rows of 1 times 8",
        ),
        (
            "shape",
            "keys of another type or shape than those of the batches before",
        ),
        (
            "wrong_kind",
            "a deduplicator gave the answer of another kind of operator",
        ),
        ("panic", "does not like"),
    ] {
        // The guilty row is the last, in the last of several batches: the earlier ones show what is
        // right.
        isolates(
            "rogue_deduplicator",
            how,
            "batch_size_kb: 16",
            &[999],
            reason,
        );
    }
    isolates(
        "rogue_selector",
        "keys_short",
        "",
        &[5],
        "3 offsets for 1 rows",
    );
    isolates("rogue_selector", "panic", "", &[5, 6], "does not like");
}

#[test]
fn larger_batches_get_more_time_and_larger_answers() {
    // One row of 1 MB is 64 batches of 16 KB: 64 times 20 ms, and an answer of one byte per row.
    let mut lines = crate::sandbox::lines(3, &[1]);
    lines[1] = format!(
        "{{\"id\": 1, \"text\": \"GUILTY {}\"}}\n",
        "x".repeat(1 << 20)
    );
    let recipe = "batch_size_kb: 16\nmax_quarantine_ratio: 1\nprocess:\n  - rogue_filter: {how: loop, limits: {timeout_s: 0.02}}\n";
    let ran = crate::sandbox::case(&lines).run(recipe).ok();
    let reason = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(
        reason.contains("out of time: the call took longer than 1.28"),
        "{reason}"
    );
}

#[test]
fn a_busy_machine_makes_no_operator_late() {
    // Sixteen workers share the processors: a call's wall time is several times its CPU time.
    let all: Vec<usize> = (0..16).collect();
    let lines = crate::sandbox::lines(16, &all);
    let mut case = crate::sandbox::case(&lines);
    case.args.extend(["--np", "16"].map(str::to_owned));
    let settings = "partition: {mode: manual, num_of_partitions: 16}\nop_limits: {timeout_s: 1.5}";
    let ran = case
        .run(&format!(
            "{settings}\nprocess:\n  - rogue_filter: {{how: work}}\n"
        ))
        .ok();
    assert!(
        ran.quarantine.is_empty() && ran.text() == lines.concat(),
        "{:?}",
        ran.quarantine
    );
}

#[test]
fn a_row_has_a_time_limit_of_its_own() {
    // The batch may take a minute, but twenty rows of 50 ms are done in a second; the guilty row is
    // given up after its own 50 ms.
    let lines = crate::sandbox::lines(20, &[7]);
    for (general, own) in [(0.05, ""), (60.0, ", limits: {row_timeout_s: 0.05}")] {
        let recipe = format!(
            "op_limits: {{row_timeout_s: {general}}}\nmax_quarantine_ratio: 1\nprocess:\n  - rogue_filter: {{how: loop{own}}}\n"
        );
        let ran = crate::sandbox::case(&lines).run(&recipe).ok();
        assert_eq!(crate::sandbox::quarantined(&ran), [7]);
        let reason = ran.quarantine[0]["reason"].as_str().unwrap();
        assert!(
            reason.contains("out of time: the call took longer than 50ms"),
            "{reason}"
        );
    }
    // Rows within the limit pass, however long their batch takes; an operator's own limit overrides
    // the general one.
    let recipe = "op_limits: {row_timeout_s: 0.001}\nprocess:\n  - rogue_filter: {how: behave, limits: {row_timeout_s: 5}}\n";
    let ran = crate::sandbox::case(&lines).run(recipe).ok();
    assert!(ran.quarantine.is_empty() && ran.text() == lines.concat());
}

#[test]
fn mappers_and_global_operators_that_hang_or_bloat_are_stopped_too() {
    for op in ["rogue_mapper", "rogue_deduplicator", "rogue_selector"] {
        for (how, reason) in [
            ("loop", "out of time"),
            ("allocate", "of its 48 MiB"),
            ("recurse", "stack overflow"),
            ("abort", "unreachable"),
        ] {
            let limits = if how == "loop" {
                "op_limits: {timeout_s: 0.1}"
            } else {
                "op_limits: {memory_mb: 48}"
            };
            isolates(op, how, limits, &[10], reason);
        }
    }
}

#[test]
fn a_selector_has_memory_for_the_keys_of_all_rows() {
    let rows = 600_000u64;
    let case = crate::harness::Case::with_input(
        (0..rows)
            .map(|i| format!("{{\"v\":{}}}\n", i * 7919 % rows))
            .collect::<String>(),
    );
    // 24 bytes for each key exceed the 8 MB that other calls have.
    let ran = case.run("process:\n  - topk_specified_field_selector: {field_key: v, topk: 3, limits: {memory_mb: 8}}\n").ok();
    let mut kept: Vec<&str> = ran.text().lines().collect();
    kept.sort_unstable();
    assert_eq!(kept, ["{\"v\":599997}", "{\"v\":599998}", "{\"v\":599999}"]);
}

#[test]
fn a_value_without_a_place_goes_to_quarantine() {
    let rows = [
        r#"{"id": 0, "text": {"deep": "GUILTY"}}"#,
        r#"{"id": 1, "text": {"deep": {"x": "GUILTY", "y": 1}}}"#,
        r#"{"id": 2, "text": "GUILTY"}"#,
        r#"{"id": 3, "text": {"deep": null}}"#,
        r#"{"id": 4, "text": ["GUILTY"]}"#,
        r#"{"id": 5, "text": {"other": 7}}"#,
        r#"{"id": 6, "text": 12, "text.deep.x": "flat"}"#,
    ];
    let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
    for how in ["under", "rows_under"] {
        let ran = case(&lines)
            .run(&recipe("rogue_mapper", how, "max_quarantine_ratio: 1.0"))
            .ok();
        assert_eq!(
            ran.text().lines().collect::<Vec<_>>(),
            [
                r#"{"id": 1, "text": {"deep": {"x": "x", "y": 1}}}"#,
                r#"{"id": 3, "text": {"deep": {"x": "x"}}}"#,
                r#"{"id": 5, "text": {"other": 7, "deep": {"x": "x"}}}"#,
                r#"{"id": 6, "text": 12, "text.deep.x": "x"}"#,
            ],
            "{how}"
        );
        assert_eq!(crate::sandbox::quarantined(&ran), [0, 2, 4]);
        let reasons: Vec<&str> = ran
            .quarantine
            .iter()
            .map(|e| e["reason"].as_str().unwrap())
            .collect();
        assert_eq!(
            reasons[0],
            "`text.deep.x` cannot be written, as `text.deep` is no object in this row"
        );
        assert_eq!(
            reasons[1],
            "`text.deep.x` cannot be written, as `text` is no object in this row"
        );
        assert_eq!(
            ran.quarantine[1]["row"], rows[2],
            "the row is as it was before the operator"
        );
    }
}

#[test]
fn a_value_without_a_place_in_columns_is_found_while_planning() {
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    let column: ArrayRef = std::sync::Arc::new(StringArray::from(vec!["GUILTY"]));
    let rows = RecordBatch::try_from_iter([("text", column)]).unwrap();
    let mut file = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut file, rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let case = case(&[]);
    case.write("in.parquet", file);
    let recipe = recipe("rogue_mapper", "under", "dataset_path: in.parquet");
    let parts = [
        "process[0].rogue_mapper",
        "this op writes `text.deep.x`, but the column `text` of the dataset is Utf8 and has no fields",
    ];
    case.run(&recipe).failed(2, &parts);
    assert!(!case.path("work").exists(), "something was started");
}
