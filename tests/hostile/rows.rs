//! Rows that are broken or odd.

use serde_json::{Value, json};

use crate::harness::{Case, Ran};
use crate::hostile::{KEEP, good};

/// Runs over good rows with `bad` ones between them: the good ones come out byte for byte, the bad
/// ones are in quarantine with these reasons.
#[track_caller]
fn quarantines(bad: &[(&[u8], &str)]) -> Ran {
    let mut input = Vec::new();
    for (i, (line, _)) in bad.iter().enumerate() {
        input.extend_from_slice(format!("{{\"text\": \"before {i}\", \"n\": 1E2}}\n").as_bytes());
        input.extend_from_slice(line);
        input.push(b'\n');
    }
    input.extend_from_slice(b"{\"text\": \"the last\"}");
    let ran = Case::with_input(input)
        .run(&format!("{KEEP}max_row_mb: 1\n"))
        .ok();
    let wanted: String = (0..bad.len())
        .map(|i| format!("{{\"text\": \"before {i}\", \"n\": 1E2}}\n"))
        .collect();
    assert_eq!(ran.text(), wanted + "{\"text\": \"the last\"}\n");
    assert_eq!(ran.quarantine.len(), bad.len(), "{:?}", ran.quarantine);
    for (i, (entry, (_, reason))) in ran.quarantine.iter().zip(bad).enumerate() {
        let said = entry["reason"].as_str().unwrap();
        assert!(
            said.contains(reason),
            "line {}: `{reason}` is not in `{said}`",
            i * 2 + 2
        );
        assert_eq!(entry["line"].as_u64().unwrap() as usize, i * 2 + 2);
        assert!(
            entry.get("operation_name").is_none(),
            "the reader refuses them, no op"
        );
    }
    ran
}

#[test]
fn malformed_lines() {
    quarantines(&[
        (b"{", ""),
        (b"}{", ""),
        (b"{\"text\": \"cut", ""),
        (b"{\"text\": \"x\"} trailing", ""),
        (b"{\"text\": \"x\"}{\"text\": \"y\"}", ""),
        (b"{\"text\": \"x\", }", ""),
        (b"{'text': 'x'}", ""),
        (b"not json at all", ""),
        (b"\0\0\0\0", ""),
        (b"{\"text\": \"raw\x01control\"}", ""),
    ]);
}

#[test]
fn rows_of_other_shapes() {
    quarantines(&[
        (b"[\"text\"]", "object"),
        (b"\"text\"", "object"),
        (b"null", "object"),
        (b"{}", "text"),
        (b"{\"text\": null}", "text"),
        (b"{\"text\": 7}", "text"),
        (b"{\"text\": [\"x\"]}", "text"),
        (b"{\"Text\": \"x\"}", "text"),
    ]);
}

#[test]
fn text_that_is_not_unicode() {
    quarantines(&[
        (b"{\"text\": \"\xff\xfe\"}", "UTF-8"),
        (b"{\"text\": \"x\", \"other\": \"\xc3\"}", "UTF-8"),
        (b"{\"text\": \"\\ud800\"}", "surrogate"),
        (b"{\"text\": \"\\udc00\\ud800\"}", "surrogate"),
    ]);
}

#[test]
fn rows_too_large_or_too_deep() {
    let huge = format!("{{\"text\": \"{}\"}}", "x".repeat(3 << 20));
    let deep = format!(
        "{{\"text\": \"x\", \"a\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let ran = quarantines(&[
        (huge.as_bytes(), "more than the 1048576 that a row may have"),
        (deep.as_bytes(), ""),
    ]);
    // Only the beginning of an overlong row is kept.
    assert!(ran.quarantine[0]["row"].as_str().unwrap().len() <= 64 << 10);
}

#[test]
fn odd_rows_pass_byte_for_byte() {
    let keys: String = (0..50_000).map(|i| format!("\"k{i}\": {i}, ")).collect();
    let rows = [
        format!("{{{keys}\"text\": \"x\"}}"),
        r#"{"text": "x", "n": NaN, "m": -Infinity, "big": 123456789012345678901234567890}"#
            .to_owned(),
        r#"{"text": "x", "n": 1e999, "z": -0.0, "lone": "\ud800"}"#.to_owned(),
        r#"{"text": "first", "text": "second", "a": 1, "a": "two"}"#.to_owned(),
        "{\"text\":\t\"x\" ,\"escaped\": \"\\u0041\\/\"}".to_owned(),
        "{\"text\": \"\\ud83d\\ude00 \u{202e}\u{feff}\\u0000\"}".to_owned(),
        "  {\"text\": \"indented\"}  ".to_owned(),
    ];
    let ran = Case::with_input(rows.join("\n") + "\n\n   \n")
        .run(KEEP)
        .ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    let trimmed: String = rows.iter().map(|r| r.trim().to_owned() + "\n").collect();
    let got: String = ran
        .text()
        .lines()
        .map(|r| r.trim().to_owned() + "\n")
        .collect();
    assert_eq!(got, trimmed);
}

#[test]
fn odd_values_in_fields_that_are_read_and_changed() {
    let rows = [
        r#"{"text": "see http://a.example twice", "text": "see http://b.example last", "n": 1}"#,
        r#"{"text": "see http://c.example", "n": 1e999}"#,
        r#"{"text": "see http://d.example", "n": NaN}"#,
        r#"{"text": "see http://e.example", "n": -Infinity}"#,
        r#"{"text": "see http://f.example", "n": 5, "n": 7}"#,
    ];
    let process = "process:\n  - clean_links_mapper:\n  - specified_numeric_field_filter: {field_key: n, min_value: 6}\n";
    let ran = Case::with_input(rows.join("\n"))
        .run(&format!("max_quarantine_ratio: 1\n{process}"))
        .ok();
    // The last of equal keys counts, and is the one that changes; what no double can hold is not
    // a number for this filter.
    assert_eq!(
        ran.text().lines().collect::<Vec<_>>(),
        [r#"{"text": "see ", "n": 5, "n": 7}"#]
    );
    let all = "process:\n  - clean_links_mapper:\n";
    let ran = Case::with_input(rows.join("\n")).run(all).ok();
    assert_eq!(
        ran.text().lines().next(),
        Some(r#"{"text": "see http://a.example twice", "text": "see  last", "n": 1}"#)
    );
}

#[test]
fn too_many_bad_rows_end_the_job() {
    let input = "nonsense\n".repeat(2001) + &good(2000);
    let ran = Case::with_input(input).run("process:\n  - text_length_filter: {min_len: 0}\n");
    ran.failed(
        1,
        &["2,001 of 4,001 rows cannot be read, more than max_unreadable_ratio 0.5"],
    );
}

#[test]
fn on_error_fail_ends_at_the_first_bad_row() {
    let input = good(10) + "nonsense\n" + &good(10);
    Case::with_input(input)
        .run(&format!("{KEEP}on_error: fail\n"))
        .failed(
            1,
            &[
                "the reader cannot process",
                "in.jsonl:11, and on_error is `fail`",
            ],
        );
}

#[test]
fn shards_may_differ_in_everything() {
    let case = Case::new();
    case.write("in/a.jsonl", "{\"text\": \"x\", \"meta\": {\"n\": 1}}\n");
    case.write(
        "in/b.jsonl",
        "{\"meta\": [1, \"two\"], \"text\": \"y\"}\r\n{\"text\": \"z\", \"meta\": \"no\"}",
    );
    case.write("in/c.jsonl", "\u{feff}{\"text\": \"w\"}\n");
    let ran = case.run(&format!("{KEEP}dataset_path: in\n")).ok();
    let wanted = "{\"text\": \"x\", \"meta\": {\"n\": 1}}\n{\"meta\": [1, \"two\"], \"text\": \"y\"}\n{\"text\": \"z\", \"meta\": \"no\"}\n{\"text\": \"w\"}\n";
    assert_eq!(ran.text(), wanted);
}

#[test]
fn a_long_row_may_become_many_short_ones() {
    // 200 rows, which would be 200 times the size if each counted with the whole old text.
    let text: String = (0..40_000).map(|i| format!("{i:09} ")).collect();
    let case = Case::with_input(format!("{{\"text\": \"{text}\", \"id\": 7}}\n"));
    let ran = case
        .run("process:\n  - text_chunk_mapper: {max_len: 2000, split_pattern: null}\n")
        .ok();
    assert!(ran.quarantine.is_empty(), "{:?}", ran.quarantine);
    let rows: Vec<serde_json::Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.len() == 200 && rows.iter().all(|row| row["id"] == 7));
    assert_eq!(
        rows.iter()
            .map(|row| row["text"].as_str().unwrap())
            .collect::<String>(),
        text
    );
}

#[test]
fn rows_in_quarantine_keep_their_bytes() {
    let case = Case::with_input(b"{\"text\":\"caf\xe9\"}\r\n{\"text\":\"good\"}\n");
    let ran = case.run(KEEP).ok();
    assert_eq!(ran.quarantine[0]["row_base64"], "eyJ0ZXh0IjoiY2Fm6SJ9");
    let quarantine = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args(["quarantine", "work/job"])
            .args(args)
            .current_dir(case.path(""))
            .output()
            .unwrap()
    };
    assert!(quarantine(&["export", "rows.jsonl"]).status.success());
    assert_eq!(
        std::fs::read(case.path("rows.jsonl")).unwrap(),
        b"{\"text\":\"caf\xe9\"}\n"
    );
    let unknown = quarantine(&["list", "--op", "text_lenght_filter"]);
    assert_eq!(unknown.status.code(), Some(2));
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(
        message.contains("no op `text_lenght_filter`")
            && message.contains("did you mean `text_length_filter`?"),
        "{message}"
    );
}

/// Short sentences are recognised; the previous detector took the first for Welsh.
#[test]
fn short_sentences_keep_their_language() {
    let texts = [
        (
            "I am planning a trip to Japan next spring with two small children.",
            "en",
        ),
        ("How do I cook rice without a rice cooker?", "en"),
        ("Ich suche eine Wohnung mit zwei Zimmern in Leipzig.", "de"),
        (
            "Je voudrais réserver une table pour quatre personnes.",
            "fr",
        ),
        ("¿Cuánto cuesta un billete de ida y vuelta?", "es"),
        ("Ile kosztuje bilet w obie strony?", "pl"),
        ("Сколько стоит билет туда и обратно?", "ru"),
        ("Rwy'n dysgu siarad Cymraeg bob dydd.", "cy"),
        ("12345 !!", ""),
    ];
    let input: String = texts
        .iter()
        .map(|(text, _)| format!("{}\n", json!({ "text": text })))
        .collect();
    let recipe =
        "keep_stats_in_res_ds: true\nprocess:\n  - language_id_score_filter: {min_score: 0}\n";
    let ran = Case::with_input(input).run(recipe).ok();
    let langs: Vec<String> = ran
        .text()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["__dj__stats__"]["lang"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(langs, texts.map(|(_, lang)| lang.to_owned()));
}

/// Quarantine holds what `max_row_mb` lets in: more in one partition than fits into memory
/// comfortably goes to the disk while the partition is at work, in the order of the input.
#[test]
fn quarantine_holds_rows_as_large_as_rows_may_be() {
    let mut input = Vec::new();
    let good = "{\"text\": \"a good row\"}\n".repeat(4);
    for letter in [b'a', b'b', b'c'] {
        input.extend_from_slice(good.as_bytes());
        input.extend_from_slice(b"{\"text\": \"");
        input.resize(input.len() + (95 << 20), letter);
        input.extend_from_slice(b"\n");
    }
    input.extend_from_slice(good.as_bytes());
    let ran = Case::with_input(input)
        .run("max_row_mb: 128\npartition: {mode: manual, num_of_partitions: 1}\nprocess:\n  - text_length_filter:\n")
        .ok();
    assert_eq!(ran.summary["ledger"]["output"], 16);
    assert_eq!(ran.quarantine.len(), 3);
    for (i, (entry, letter)) in ran.quarantine.iter().zip(["a", "b", "c"]).enumerate() {
        assert_eq!(entry["line"], 5 * (i as u64 + 1));
        let row = entry["row"].as_str().unwrap();
        assert_eq!(row.len(), (95 << 20) + "{\"text\": \"".len());
        assert!(row.ends_with(letter));
    }
}
