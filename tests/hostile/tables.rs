//! CSV and TSV with rows that do not fit.

use crate::harness::Case;
use crate::hostile::{KEEP, run_on};

#[test]
fn rows_that_do_not_fit_go_to_quarantine() {
    let mut table =
        b"id,text\n1,one\n2\n3,three,more\n4,\"two\nlines, \"\"quoted\"\"\"\n5,caf\xe9\n6,six"
            .to_vec();
    let ran = run_on("in.csv", &table).ok();
    assert_eq!(
        ran.text(),
        "{\"id\":1,\"text\":\"one\"}\n{\"id\":4,\"text\":\"two\\nlines, \\\"quoted\\\"\"}\n{\"id\":6,\"text\":\"six\"}\n"
    );
    let rows: Vec<&str> = ran
        .quarantine
        .iter()
        .map(|entry| entry["row"].as_str().unwrap())
        .collect();
    for (row, part) in rows.iter().zip([
        "line 3 has 1 field, the header has 2",
        "line 4 has 3 fields",
        "line 7 is not UTF-8",
    ]) {
        assert!(row.contains(part), "{row}");
    }
    assert_eq!(rows.len(), 3);
    // With bad rows at both ends, and a byte order mark.
    table.splice(..0, *b"\xef\xbb\xbf");
    table.extend(b"\n7,8,9\n");
    let ran = run_on("in.csv", &table).ok();
    assert_eq!((ran.text().lines().count(), ran.quarantine.len()), (3, 4));
    let tabs: Vec<u8> = table
        .iter()
        .map(|&byte| if byte == b',' { b'\t' } else { byte })
        .collect();
    assert_eq!(run_on("in.tsv", tabs).ok().quarantine.len(), 4);
}

#[test]
fn many_bad_rows_keep_their_places() {
    let rows = |i: usize| {
        if i.is_multiple_of(7) {
            format!("{i}\n")
        } else {
            format!("{i},row {i}\n")
        }
    };
    let table: String = std::iter::once("id,text\n".to_owned())
        .chain((1..20_000).map(rows))
        .collect();
    let case = Case::new();
    case.write("in.csv", table);
    let ran = case.run(&format!("{KEEP}dataset_path: in.csv\n")).ok();
    let expected: String = (1..20_000)
        .filter(|i| i % 7 != 0)
        .map(|i| format!("{{\"id\":{i},\"text\":\"row {i}\"}}\n"))
        .collect();
    assert_eq!(ran.text(), expected);
    // The header is the first line.
    let lines: Vec<u64> = ran
        .quarantine
        .iter()
        .map(|entry| entry["line"].as_u64().unwrap() - 1)
        .collect();
    assert_eq!(
        lines,
        (1..20_000).filter(|i| i % 7 == 0).collect::<Vec<u64>>()
    );
}

#[test]
fn a_quote_that_is_never_closed_swallows_no_rows() {
    let table = "id,text\n1,one\n2,\"two\n3,three\n4,four\n";
    run_on("in.csv", table).failed(
        1,
        &[
            "in.csv",
            "a quote that opens in line 3 or below is never closed",
        ],
    );
    run_on("in.csv", b"id,t\xe9xt\n1,one\n").failed(1, &["in.csv", "the header is not UTF-8"]);
}

#[test]
fn a_column_has_one_type_in_all_files() {
    let case = Case::new();
    case.write("in/a.csv", "text,zip,flag\na,02134,True\n");
    case.write("in/b.tsv", "text\tzip\tflag\nb\tK1A\tno\n");
    let recipe = format!("{KEEP}dataset_path: in\n");
    let rows = "{\"text\":\"a\",\"zip\":\"02134\",\"flag\":\"True\"}\n{\"text\":\"b\",\"zip\":\"K1A\",\"flag\":\"no\"}\n";
    assert_eq!(case.run(&recipe).ok().text(), rows);
    // A file that changes the type changes the rows of the other ones.
    case.write("in/b.tsv", "text\tzip\tflag\nb\t1\tfalse\n");
    let rows =
        "{\"text\":\"a\",\"zip\":2134,\"flag\":true}\n{\"text\":\"b\",\"zip\":1,\"flag\":false}\n";
    assert_eq!(case.run(&recipe).ok().text(), rows);
}
