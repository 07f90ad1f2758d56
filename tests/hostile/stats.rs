//! Stats decide what stays, so their origin matters: stats of the dataset are not trusted, and
//! those of an op are valid only for what it saw.

use serde_json::Value;

use crate::harness::{Case, Ran};

const KEPT: &str = "keep_stats_in_res_ds: true\nprocess:\n";

fn stats(ran: &Ran, key: &str) -> Vec<Value> {
    ran.text()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["__dj__stats__"][key].clone())
        .collect()
}

#[test]
fn stats_of_the_dataset_pass_no_filter() {
    let rows = "{\"text\": \"short\", \"__dj__stats__\": {\"text_len\": 5000}}\n{\"text\": \"long enough to stay\"}\n";
    let filter = "process:\n  - text_length_filter: {min_len: 10}\n";
    let ran = Case::with_input(rows).run(filter).ok();
    assert_eq!(ran.text(), "{\"text\": \"long enough to stay\"}\n");
    // Only users who trust the dataset opt in. Rows without the stat are measured.
    let ran = Case::with_input(rows)
        .run(&format!("reuse_input_stats: true\n{filter}"))
        .ok();
    assert_eq!(ran.text(), rows);
    // Not for a text that changed since.
    let ran = Case::with_input(rows)
        .run("reuse_input_stats: true\nprocess:\n  - clean_links_mapper:\n  - text_length_filter: {min_len: 10}\n")
        .ok();
    assert_eq!(ran.text(), "{\"text\": \"long enough to stay\"}\n");
    // Nor for rows that an op rewrote as a whole.
    let there_and_back = "reuse_input_stats: true\nprocess:\n  - naive_grouper:\n  - naive_reverse_grouper:\n  - text_length_filter: {min_len: 10}\n";
    let ran = Case::with_input(rows).run(there_and_back).ok();
    assert_eq!(ran.text().lines().count(), 1, "{}", ran.text());
}

#[test]
fn a_resumed_job_believes_no_more() {
    // The checkpoint after the first op has the row with its stats.
    let rows = "{\"text\": \"short\", \"__dj__stats__\": {\"text_len\": 5000, \"num_words\": 99}}\n{\"text\": \"long enough to stay\"}\n";
    let ops = "checkpoint: {strategy: every_op}\nprocess:\n  - words_num_filter: {min_num: 1}\n  - text_length_filter: {min_len: ";
    let case = Case::with_input(rows);
    assert_eq!(
        case.run(&format!("{ops}1}}\n")).ok().text().lines().count(),
        2
    );
    assert_eq!(
        case.run(&format!("{ops}10}}\n")).ok().text(),
        "{\"text\": \"long enough to stay\"}\n"
    );
    // The option is part of the lineage.
    let ran = case
        .run(&format!("reuse_input_stats: true\n{ops}10}}\n"))
        .ok();
    assert_eq!(ran.text().lines().count(), 2);
    assert_eq!(
        case.run(&format!("{ops}10}}\n"))
            .ok()
            .text()
            .lines()
            .count(),
        1
    );
}

#[test]
fn the_same_filter_before_and_after_a_mapper() {
    let rows = "{\"text\": \"see http://example.com/a/very/long/link here\"}\n{\"text\": \"words that stay as they are\"}\n";
    let recipe = "  - text_length_filter: {min_len: 15}\n  - clean_links_mapper:\n  - text_length_filter: {min_len: 15}\n";
    let ran = Case::with_input(rows).run(&format!("{KEPT}{recipe}")).ok();
    assert_eq!(stats(&ran, "text_len"), [27]);
    // A mapper of another field changes nothing; other parameters measure anew.
    let rows = "{\"text\": \"abc\", \"note\": \"a@b.cc\"}\n";
    let recipe = "  - text_length_filter: {min_len: 1}\n  - clean_email_mapper: {text_key: note}\n  - text_length_filter: {min_len: 1}\n  \
                  - text_length_filter: {min_len: 3, max_len: 3}\n  - text_length_filter: {text_key: note, max_len: 0, min_len: 0}\n";
    let ran = Case::with_input(rows).run(&format!("{KEPT}{recipe}")).ok();
    assert_eq!(stats(&ran, "text_len"), [0]);
}

#[test]
fn the_same_stat_with_other_parameters() {
    // 63 n-grams of 10 and 70 of 3, of which 6 differ: the two most frequent of them make the
    // ratio.
    let rows = format!("{{\"text\": \"{}\"}}\n", "abcdef".repeat(12));
    let of = |recipe: &str| {
        stats(
            &Case::with_input(&rows).run(&format!("{KEPT}{recipe}")).ok(),
            "char_rep_ratio",
        )[0]
        .as_f64()
        .unwrap()
    };
    let filter =
        |len: u32| format!("  - character_repetition_filter: {{rep_len: {len}, max_ratio: 1}}\n");
    let (ten, three) = (of(&filter(10)), of(&filter(3)));
    assert_eq!((ten, three), (22.0 / 63.0, 24.0 / 70.0));
    // The result has the later one, whatever was there before.
    assert_eq!(of(&(filter(10) + &filter(3))), three);
    assert_eq!(of(&(filter(3) + &filter(10))), ten);
    assert_eq!(of(&(filter(10) + &filter(3) + &filter(10))), ten);
    // And each judges by its own.
    let case = Case::with_input(&rows);
    let cut = f64::midpoint(ten, three);
    let both = format!(
        "process:\n{}  - character_repetition_filter: {{rep_len: 3, max_ratio: {cut}}}\n",
        filter(10)
    );
    assert_eq!(case.run(&both).ok().text(), rows);
    // Lists of words of two languages.
    let rows = "{\"text\": \"the cat and the dog\"}\n";
    let both = "  - stopwords_filter: {lang: en, min_ratio: 0}\n  - stopwords_filter: {lang: zh, min_ratio: 0}\n";
    assert_eq!(
        stats(
            &Case::with_input(rows).run(&format!("{KEPT}{both}")).ok(),
            "stopwords_ratio"
        ),
        [0.0]
    );
    let ran = Case::with_input(rows).run(&format!("{KEPT}{both}"));
    assert!(
        ran.stderr
            .contains("op 1 `stopwords_filter` computes the stat `stopwords_ratio` again"),
        "{}",
        ran.stderr
    );
}

#[test]
fn stats_read_as_fields_are_those_of_the_op_before() {
    let rows = "{\"text\": \"abc\", \"__dj__stats__\": {\"text_len\": 1}}\n{\"text\": \"a\", \"__dj__stats__\": {\"text_len\": 9}}\n";
    let top = "  - topk_specified_field_selector: {field_key: __dj__stats__.text_len, topk: 1}\n";
    // Without an op that computes it, only who trusts the dataset reads it.
    let refused = [
        "recipe.yaml:2",
        "`topk_specified_field_selector` reads the field `__dj__stats__.text_len`, a stat that no operator before it computes",
        "`reuse_input_stats: true`",
    ];
    Case::with_input(rows)
        .run(&format!("process:\n{top}"))
        .failed(2, &refused);
    let ran = Case::with_input(rows)
        .run(&format!("reuse_input_stats: true\nprocess:\n{top}"))
        .ok();
    assert_eq!(ran.text(), rows.lines().nth(1).unwrap().to_owned() + "\n");
    for op in [
        "general_field_filter: {filter_condition: __dj__stats__.text_len > 5}",
        "key_value_grouper: {group_by_keys: [__dj__stats__.text_len]}",
    ] {
        Case::with_input(rows)
            .run(&format!("process:\n  - {op}\n  - text_length_filter:\n"))
            .failed(2, &["put `text_length_filter` (op 1) before it"]);
    }
    let ran = Case::with_input(rows)
        .run(&format!(
            "process:\n  - text_length_filter: {{min_len: 1}}\n{top}"
        ))
        .ok();
    assert_eq!(ran.text(), rows.lines().next().unwrap().to_owned() + "\n");
    assert!(!ran.stderr.contains("reads the stat"), "{}", ran.stderr);
}

#[test]
fn a_stat_that_is_older_than_its_field_is_said() {
    let rows = "{\"text\": \"a@b.co and c@d.co and\"}\n{\"text\": \"a longer text\"}\n";
    let length = "  - text_length_filter: {min_len: 1}\n";
    let top = "  - topk_specified_field_selector: {field_key: __dj__stats__.text_len, topk: 1}\n";
    let clean = "  - clean_email_mapper:\n";
    let said = "op 2 `topk_specified_field_selector` reads the stat `text_len` as op 0 `text_length_filter` has computed it, but op 1 \
                `clean_email_mapper` may have changed `text` since";
    let ran = Case::with_input(rows)
        .run(&format!("process:\n{length}{clean}{top}"))
        .ok();
    assert_eq!(ran.text(), "{\"text\": \" and  and\"}\n");
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let ran = Case::with_input(rows)
        .run(&format!("process:\n{length}{clean}{length}{top}"))
        .ok();
    assert_eq!(ran.text(), "{\"text\": \"a longer text\"}\n");
    assert!(!ran.stderr.contains("reads the stat"), "{}", ran.stderr);
}

#[test]
fn no_mapper_writes_stats() {
    let case = Case::with_input("{\"text\": \"abc\", \"__dj__stats__\": {\"note\": \"a@b.cc\"}}\n");
    for key in ["__dj__stats__.note", "__dj__stats__"] {
        let ran = case.run(&format!(
            "process:\n  - clean_email_mapper: {{text_key: {key}}}\n"
        ));
        ran.failed(
            2,
            &[
                "clean_email_mapper",
                &format!("it writes the field `{key}`"),
                "stats are computed by filters",
            ],
        );
    }
}

/// A field may be called like a stat: it is the user's.
#[test]
fn a_field_with_the_path_of_a_stat_stays() {
    use crate::hostile::values::{parquet, read, table, texts, to_lines};
    use std::sync::Arc;
    let mine = Arc::new(arrow::array::Int64Array::from(vec![7])) as arrow::array::ArrayRef;
    let rows = table(vec![("text", texts(1)), ("__dj__stats__.text_len", mine)]);
    let line = "{\"text\":\"row 0\",\"__dj__stats__.text_len\":7}\n";
    for more in [
        "",
        "  - document_deduplicator:\n",
        "checkpoint: {strategy: every_op}\n",
    ] {
        for keep in [false, true] {
            for input in ["in.jsonl", "in.parquet"] {
                for output in ["result.jsonl", "result.parquet", "result.arrow"] {
                    let case = Case::new();
                    if input == "in.jsonl" {
                        case.write(input, line);
                    } else {
                        case.write(input, parquet(&rows));
                    }
                    let ran = case
                        .run(&format!(
                            "dataset_path: {input}\nexport_path: out/{output}\nkeep_stats_in_res_ds: {keep}\nprocess:\n  - text_length_filter: {{min_len: 0}}\n{more}"
                        ))
                        .ok();
                    let lines = if output == "result.jsonl" {
                        ran.text().to_owned()
                    } else {
                        to_lines(&read(&case.path("out").join(output)))
                            .text()
                            .to_owned()
                    };
                    let row: Value = serde_json::from_str(&lines).unwrap();
                    let place = format!("{input} {output} {keep} {more}");
                    assert_eq!(row["__dj__stats__.text_len"], 7, "{place}");
                    let stat = &row["__dj__stats__"]["text_len"];
                    assert_eq!(stat.as_i64(), keep.then_some(5), "{place}");
                }
            }
        }
    }
}

/// Something else stands where stats are to be written.
#[test]
fn stats_take_the_place_of_nothing_silently() {
    use crate::hostile::values::{parquet, table, texts};
    use std::sync::Arc;
    let mine = Arc::new(arrow::array::StringArray::from(vec!["mine"])) as arrow::array::ArrayRef;
    let rows = table(vec![("text", texts(1)), ("__dj__stats__", mine)]);
    for output in ["result.jsonl", "result.parquet", "result.arrow"] {
        let case = Case::new();
        case.write("in.parquet", parquet(&rows));
        let recipe = format!("dataset_path: in.parquet\nexport_path: out/{output}\n");
        case.run(&format!(
            "{recipe}{KEPT}  - text_length_filter: {{min_len: 0}}\n"
        ))
        .failed(2, &["`__dj__stats__`", "which is Utf8 and no struct"]);
        case.run(&format!(
            "{recipe}process:\n  - text_length_filter: {{min_len: 0}}\n"
        ))
        .ok();
        let lines = "{\"text\": \"a\", \"__dj__stats__\": \"mine\"}\n{\"text\": \"b\", \"__dj__stats__\": null}\n{\"text\": \"c\"}\n";
        let ran = Case::with_input(lines)
            .run(&format!(
                "export_path: out/{output}\n{KEPT}  - text_length_filter: {{min_len: 0}}\n"
            ))
            .ok();
        let warnings = ran.summary["warnings"].to_string();
        assert!(
            warnings.contains("field `__dj__stats__`: 1 value was no object: the stats"),
            "{warnings}"
        );
    }
}
