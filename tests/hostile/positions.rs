//! Rows in quarantine are where their entries say: in that line of the user's file.

use std::io::Write;

use crate::harness::{Case, Ran};

/// The second operator refuses rows with a short text, which must not change the reported place.
const RECIPE: &str = "process:\n  - text_length_filter: {min_len: 0}\nmax_quarantine_ratio: 1\n";

/// Checks that the lines of the rows in quarantine contain `BAD`.
#[track_caller]
fn check(name: &str, text: &str, packed: impl AsRef<[u8]>, partitions: usize) -> Ran {
    let case = Case::new();
    case.write(name, packed);
    let recipe = format!(
        "{RECIPE}dataset_path: {name}\npartition: {{mode: manual, num_of_partitions: {partitions}}}\n"
    );
    let ran = case.run(&recipe).ok();
    let wanted: Vec<usize> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("BAD"))
        .map(|(i, _)| i + 1)
        .collect();
    let mut found: Vec<usize> = ran
        .quarantine
        .iter()
        .map(|entry| entry["line"].as_u64().unwrap() as usize)
        .collect();
    found.sort_unstable();
    assert_eq!(found, wanted, "{name}");
    assert!(
        !wanted.is_empty()
            && ran
                .quarantine
                .iter()
                .all(|entry| entry["file"].as_str().unwrap().ends_with(name))
    );
    ran
}

#[test]
fn rows_of_tables_with_line_breaks() {
    // A number in place of a text, missing fields, and bytes that are not UTF-8 are all bad; the
    // text of a good row spans lines.
    let mut table = "id,text\n".to_owned();
    for i in 0..3000 {
        match i % 10 {
            3 => table += &format!("BAD{i}\n"),
            5 => table += &format!("{i},\"one\ntwo\n\nthree {i}\"\n"),
            6 => table += "\n\n",
            7 => table += &format!("BAD{i},too,many\n"),
            _ => table += &format!("{i},\"row \"\"{i}\"\"\"\n"),
        }
    }
    for partitions in [1, 3] {
        let ran = check("in.csv", &table, &table, partitions);
        assert_eq!(ran.quarantine.len(), 600);
        let reason = ran.quarantine[0]["reason"].as_str().unwrap();
        assert!(reason.contains("has 1 field, the header has 2"), "{reason}");
        assert!(ran.quarantine.iter().all(|entry| {
            entry["reason"]
                .as_str()
                .unwrap()
                .contains(&format!("line {} ", entry["line"]))
        }));
    }
    let windows = table.replace('\n', "\r\n");
    check("windows.csv", &table, &windows, 2);
    check("mac.csv", &table, table.replace('\n', "\r"), 2);
    check("marked.csv", &table, format!("\u{feff}{table}"), 1);
    check("in.tsv", &table, table.replace(',', "\t"), 2);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(windows.as_bytes()).unwrap();
    check("in.csv.gz", &table, encoder.finish().unwrap(), 2);
}

#[test]
fn rows_that_an_operator_refuses() {
    // These have an empty text, so that only an operator can refuse them.
    let table = "text\n\"a\nb\"\n\"c\nd\"\nBAD\n\"e\n\nf\"\nBAD\n";
    let case = Case::new();
    case.write("in.csv", table);
    let recipe = "process:\n  - text_length_filter: {text_key: other, min_len: 0}\nmax_quarantine_ratio: 1\ndataset_path: in.csv\n";
    let ran = case.run(recipe).ok();
    let lines: Vec<u64> = ran
        .quarantine
        .iter()
        .map(|entry| entry["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 4, 6, 7, 10]);
}

#[test]
fn elements_of_arrays() {
    let mut pretty = "\n[\n".to_owned();
    for i in 0..2000 {
        let text = if i % 9 == 4 {
            "{\"BAD\": 1,\n   \"n\": [\n1]}".to_owned()
        } else {
            format!("{{\n  \"text\": \"row {i}\",\n\n  \"n\": 1}}")
        };
        pretty += &format!("{text}{}\n", if i == 1999 { "" } else { "," });
    }
    pretty += "]\n";
    for partitions in [1, 4] {
        check("in.json", &pretty, &pretty, partitions);
    }
    // All on one line, several on one, and consecutive objects.
    let line = "[{\"text\": \"a\"}, {\"BAD\": 1}, {\"text\": \"b\"}]";
    check("line.json", line, line, 1);
    let several =
        "[{\"text\": \"a\"}, {\"text\": \"b\"},\n{\"BAD\": 1}, {\"text\": \"b\"}\n,\n{\"BAD\": 2}]";
    check("several.json", several, several, 1);
    let objects = "{\n\"text\": \"a\"\n}\n{\"BAD\":\n1}\n\n{\"BAD\": 2}";
    check("objects.json", objects, objects, 1);
}

#[test]
fn lines_of_packed_rows() {
    let rows: String = (0..500)
        .map(|i| {
            if i % 50 == 7 {
                "BAD\n".to_owned()
            } else {
                format!("{{\"text\": \"{i}\"}}\n\n")
            }
        })
        .collect();
    check("in.jsonl", &rows, &rows, 3);
    check(
        "in.jsonl.zst",
        &rows,
        zstd::bulk::compress(rows.as_bytes(), 1).unwrap(),
        3,
    );
}
