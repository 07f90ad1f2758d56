//! When unusable rows end a job, what it says then, and what it warns of.

use crate::harness::Case;
use crate::hostile::good;

const FILTER: &str = "process:\n  - text_length_filter: {min_len: 0}\n";

#[test]
fn some_bad_rows_of_few_end_nothing() {
    let ran = Case::with_input("{\"text\": \"a\"}\nnonsense\n{\"text\": \"b\"}\n")
        .run(FILTER)
        .ok();
    assert_eq!(
        (ran.text(), ran.quarantine.len()),
        ("{\"text\": \"a\"}\n{\"text\": \"b\"}\n", 1)
    );
    // 999 of which all but one are bad.
    let ran = Case::with_input("nonsense\n".repeat(998) + &good(1))
        .run(FILTER)
        .ok();
    assert_eq!((ran.text().lines().count(), ran.quarantine.len()), (1, 998));
    // Exactly half is not more than half.
    let ran = Case::with_input("nonsense\n".repeat(500) + &good(500))
        .run(FILTER)
        .ok();
    assert_eq!(ran.quarantine.len(), 500);
    // An empty dataset has no bad rows.
    assert!(Case::with_input("").run(FILTER).ok().quarantine.is_empty());
}

#[test]
fn more_than_half_of_enough_rows_or_all_do() {
    let ran = Case::with_input("nonsense\n".repeat(501) + &good(499)).run(FILTER);
    ran.failed(
        1,
        &[
            "501 of 1,000 rows cannot be read, more than max_unreadable_ratio 0.5 allows",
            "501 of 1,000 rows: ",
            "in.jsonl, line 1",
        ],
    );
    Case::with_input("nonsense\n{\"text\": 7}\n")
        .run(FILTER)
        .failed(1, &["2 of 2 rows cannot be read"]);
    Case::with_input("nonsense\n")
        .run(&format!("on_error: drop\n{FILTER}"))
        .failed(1, &["1 of 1 rows cannot be read"]);
    // Both ratios are settings. A given one holds; otherwise rows may be unreadable at the rate
    // allowed to operators.
    let input = "nonsense\n".repeat(501) + &good(499);
    Case::with_input(&input)
        .run(&format!("max_unreadable_ratio: 0.6\n{FILTER}"))
        .ok();
    Case::with_input(&input)
        .run(&format!("max_quarantine_ratio: 0.6\n{FILTER}"))
        .ok();
    Case::with_input("nonsense\n".repeat(11) + &good(989))
        .run(&format!("max_unreadable_ratio: 0.01\n{FILTER}"))
        .failed(1, &["11 of 1,000 rows"]);
    Case::with_input("nonsense\n")
        .run(&format!("max_unreadable_ratio: 1\n{FILTER}"))
        .ok();
}

#[test]
fn the_message_has_the_commonest_reason_and_what_the_rows_have() {
    let rows: String = (0..1000)
        .map(|i| match i {
            0..300 => format!("{{\"text\": \"row {i}\"}}\n"),
            300..580 => "broken\n".to_owned(),
            _ => format!("{{\"content\": \"row {i}\", \"id\": {i}}}\n"),
        })
        .collect();
    let case = Case::new();
    case.write("in/a.jsonl", good(1));
    case.write("in/b.jsonl", rows);
    let recipe = format!("dataset_path: in\n{FILTER}");
    let parts = [
        "700 of 1,001 rows cannot be read",
        "420 of 1,001 rows: no field `text`; the rows have `content`, `id`",
        "in/b.jsonl, line 581",
    ];
    case.run(&recipe)
        .failed(1, &parts)
        .failed(1, &["wrong field"]);
    // The same when the job continues: nothing is read again.
    case.run(&recipe).failed(1, &parts);
    // In columns.
    let table: String = std::iter::once("content,id\n".to_owned())
        .chain((0..5).map(|i| format!("row {i},{i}\n")))
        .collect();
    let case = Case::new();
    case.write("in.csv", table);
    case.run(&format!("dataset_path: in.csv\n{FILTER}")).failed(
        1,
        &["5 of 5 rows: no field `text`; the rows have `content`, `id`"],
    );
}

#[test]
fn a_job_that_is_bad_as_a_whole_ends_early() {
    let ran = Case::with_input("{\"content\": \"x\"}\n".repeat(200_000))
        .run(&format!("batch_size_kb: 64\n{FILTER}"));
    let ran = ran.failed(
        1,
        &[
            "rows cannot be read",
            "no field `text`; the rows have `content`",
        ],
    );
    assert!(!ran.stderr.contains("200,000 rows"), "{}", ran.stderr);
}

#[test]
fn fields_that_no_row_has_are_told_before_the_work() {
    let rows: String = (0..50)
        .map(|i| format!("{{\"text\": \"row {i}\", \"meta\": {{\"lang\": \"en\"}}, \"n\": {i}}}\n"))
        .collect();
    let case = Case::with_input(&rows);
    let ran = case
        .run("process:\n  - specified_field_filter: {field_key: meta.lnag, target_value: [en]}\n")
        .ok();
    assert_eq!(ran.text(), "");
    for part in [
        "op 0 `specified_field_filter` reads the field `meta.lnag`, but none of the 50 rows looked at has it",
        "did you mean `meta.lang`?",
        "op 0 `specified_field_filter` has removed all 50 rows that came to it",
    ] {
        assert!(
            ran.stderr.contains(part),
            "`{part}` is not in: {}",
            ran.stderr
        );
    }
    // One of two in an expression; a stat that no op computed; a field of a selector.
    for (op, part) in [
        (
            "general_field_filter: {filter_condition: 'n >= 0 and meat.lang == 1'}",
            "reads the field `meat.lang`",
        ),
        (
            "topk_specified_field_selector: {field_key: __dj__stats__.text_len, topk: 3}",
            "reads the field `__dj__stats__.text_len`",
        ),
        (
            "range_specified_field_selector: {field_key: m, lower_rank: 1, upper_rank: 3}",
            "reads the field `m`",
        ),
        (
            "key_value_grouper: {group_by_keys: [meta.lang, source]}",
            "reads the field `source`",
        ),
        (
            "clean_links_mapper: {text_key: content}",
            "requires the field `content`",
        ),
    ] {
        let ran =
            Case::with_input(&rows).run(&format!("max_quarantine_ratio: 1\nprocess:\n  - {op}\n"));
        assert!(
            ran.stderr.contains(part),
            "`{part}` is not in: {}",
            ran.stderr
        );
    }
    // No warning about fields that exist, or that an op makes.
    let fine = "process:\n  - text_length_filter: {min_len: 1}\n  - pii_redaction_mapper:\n  - specified_field_filter: {field_key: meta.lang, target_value: [en]}\n  \
                - topk_specified_field_selector: {field_key: __dj__stats__.text_len, topk: 3}\n";
    let ran = Case::with_input(&rows).run(fine).ok();
    assert!(
        !ran.stderr.contains("the field") && !ran.stderr.contains("removed all"),
        "{}",
        ran.stderr
    );
}
