//! How much an operator may make from a row: bounded by the row, whatever batch it comes in and
//! however JSON spells it.

use serde_json::Value;

use crate::harness::Case;
use crate::sandbox::{case, isolates, lines, recipe};

#[test]
fn a_small_row_makes_no_megabytes() {
    // 2 MB from a row of some 30 bytes, for each guilty one; the batch as a whole would be allowed
    // more.
    let ran = isolates(
        "rogue_mapper",
        "bloat_2097152",
        "",
        &[4, 5, 700],
        "invalid answer: an answer of 2097152 bytes for a row of which it was given",
    );
    assert!(
        ran.quarantine[0]["reason"]
            .as_str()
            .unwrap()
            .contains("more than output_ratio 16 and row_output_kb 1024 allow")
    );
    isolates(
        "rogue_mapper",
        "double_60000",
        "",
        &[4, 700],
        "invalid answer: 60000 rows of ",
    );
    // Both are settings, also per operator; half a megabyte is allowed by default.
    let rows = lines(100, &[7]);
    for (how, limits, bad) in [
        ("bloat_524288", "{}", 0),
        ("bloat_2097152", "{row_output_kb: 4096}", 0),
        ("bloat_524288", "{row_output_kb: 64}", 1),
        ("double_60000", "{row_output_kb: 4096}", 0),
    ] {
        let ran = case(&rows)
            .run(&format!(
                "process:\n  - rogue_mapper: {{how: {how}, limits: {limits}}}\n"
            ))
            .ok();
        assert_eq!(ran.quarantine.len(), bad, "{how} {limits}");
    }
}

#[test]
fn the_verdict_does_not_depend_on_how_the_work_is_cut() {
    let guilty: Vec<usize> = (0..1000).step_by(3).collect();
    let rows = lines(1000, &guilty);
    let mut outputs = Vec::new();
    for settings in [
        "batch_size_kb: 16",
        "",
        "partition: {mode: manual, num_of_partitions: 13}",
    ] {
        let ran = case(&rows).run(&format!("max_quarantine_ratio: 1\n{settings}\nprocess:\n  - rogue_mapper: {{how: bloat_65536}}\n")).ok();
        assert!(ran.quarantine.is_empty());
        outputs.push(ran.output.unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(outputs[0].len() > guilty.len() * 65_536);
}

#[test]
fn a_job_has_a_limit_of_its_own() {
    // 300 rows of half a megabyte each are 150 MB.
    let guilty: Vec<usize> = (0..300).collect();
    let rows = lines(300, &guilty);
    let small = recipe(
        "rogue_mapper",
        "bloat_524288",
        "op_limits: {job_output_mb: 50}",
    );
    let case = case(&rows);
    let ran = case.run(&small);
    assert_eq!(
        ran.stderr.matches("op 0 `rogue_mapper`").count(),
        1,
        "{}",
        ran.stderr
    );
    ran.failed(
        1,
        &[
            "op 0 `rogue_mapper` makes too much of its rows",
            "job_output_mb 50",
            "raise `job_output_mb`",
        ],
    );
    // With a higher limit the job continues.
    let ran = case.run(&small.replace("50", "500")).ok();
    assert_eq!(ran.text().lines().count(), 300);
    // Copies count, too: rows of 20 KB, 200 made from each.
    let rows: Vec<String> = (0..30)
        .map(|i| {
            format!(
                "{{\"id\": {i}, \"text\": \"GUILTY\", \"more\": \"{}\"}}\n",
                "x".repeat(20_000)
            )
        })
        .collect();
    let copies = recipe(
        "rogue_mapper",
        "double_200",
        "op_limits: {job_output_mb: 10}",
    );
    crate::sandbox::case(&rows)
        .run(&copies)
        .failed(1, &["`rogue_mapper` makes too much of its rows"]);
    let ran = crate::sandbox::case(&rows)
        .run(&copies.replace("10}", "200}"))
        .ok();
    assert_eq!(ran.text().lines().count(), 6000);
}

#[test]
fn chunks_of_a_text_are_as_many_however_it_is_spelled() {
    let chunks = |row: &str| {
        let ran = Case::with_input(format!("{row}\n"))
            .run("process:\n  - text_chunk_mapper: {max_len: 100}\n")
            .ok();
        assert!(ran.quarantine.is_empty(), "{}", ran.quarantine[0]["reason"]);
        let text = |line: &str| {
            serde_json::from_str::<Value>(line).unwrap()["text"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        ran.text().lines().map(text).collect::<Vec<_>>()
    };
    // Python: [text[i:i+100] for i in range(0, len(text), 100)]
    let escaped = r"line of text. \n".repeat(20_000);
    let made = chunks(&format!("{{\"text\": \"{escaped}\"}}"));
    assert_eq!((made.len(), made.concat().len()), (3000, 300_000));
    let chinese = "中文文本".repeat(10_000);
    let spelled: String = chinese
        .chars()
        .map(|c| format!("\\u{:04x}", c as u32))
        .collect();
    let plain = chunks(&format!("{{\"text\": \"{chinese}\"}}"));
    assert_eq!(plain.len(), 400);
    assert_eq!(chunks(&format!("{{\"text\": \"{spelled}\"}}")), plain);
    // Copied fields, in either spelling.
    for note in ["n".repeat(5000), "\\n".repeat(5000), "\\u4e2d".repeat(1000)] {
        assert_eq!(
            chunks(&format!(
                "{{\"note\": \"{note}\", \"text\": \"{}\"}}",
                "y".repeat(10_000)
            ))
            .len(),
            100
        );
    }
}

#[test]
fn a_plugin_cannot_declare_a_stat_as_a_field() {
    let case = case(&lines(3, &[]));
    let ran = case.run(&recipe("rogue_mapper", "write_stat", ""));
    ran.failed(
        2,
        &[
            "rogue_mapper",
            "it writes the field `__dj__stats__.text_len`",
            "plugins/rogue.wasm",
        ],
    );
    assert!(!case.path("work").exists(), "something was started");
}
