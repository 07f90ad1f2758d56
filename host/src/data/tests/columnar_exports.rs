//! Columnar exports: of JSON rows, in shards, and of no rows.

use super::columns::{inputs, read_arrow, read_parquet, table, write_parquet};
use super::*;
use arrow::array::*;
use arrow::datatypes::Schema;

#[test]
fn json_rows_become_columns_of_one_type() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        r#"{"text": "a\u00e9", "n": 1, "m": {"x": 1}, "mixed": "s", "l": [1, 2], "e": {}, "none": null}"#,
        r#"{"text": "b", "n": 2.5, "m": {"y": [true]}, "mixed": {"k": 1}, "l": [], "late": 18446744073709551615}"#,
        r#"{"text": "c", "n": NaN, "m": null, "mixed": 7, "l": null, "late": 3, "big": 123456789012345678901234567890}"#,
        r#"{"text": "d", "text": "e", "lone": "\ud800"}"#,
    ];
    fs::write(dir.path().join("in.jsonl"), rows.join("\n")).unwrap();
    for output in ["out.parquet", "out.arrow"] {
        let [one, three] = [1, 3].map(|n| {
            run(
                &dir,
                "in.jsonl",
                output,
                &[text_field()],
                Way {
                    by: SplitBy::Count(n),
                    ..PLAIN
                },
                |_| {},
            )
            .unwrap()
        });
        assert_eq!(one.content, three.content);
        let found = if output == "out.parquet" {
            read_parquet(&one.files[0])
        } else {
            read_arrow(&one.files[0])
        };
        let mut lines = Vec::new();
        crate::data::columns::out::show_json_rows(&found, &mut lines).unwrap();
        assert_eq!(
            std::str::from_utf8(&lines)
                .unwrap()
                .lines()
                .collect::<Vec<_>>(),
            [
                r#"{"text":"aé","n":1.0,"m":{"x":1,"y":null},"mixed":"s","l":[1,2],"e":{},"none":null,"late":null,"big":null,"lone":null}"#,
                r#"{"text":"b","n":2.5,"m":{"x":null,"y":[true]},"mixed":"{\"k\": 1}","l":[],"e":null,"none":null,"late":18446744073709551615,"big":null,"lone":null}"#,
                r#"{"text":"c","n":NaN,"m":null,"mixed":"7","l":null,"e":null,"none":null,"late":3,"big":"123456789012345678901234567890","lone":null}"#,
                "{\"text\":\"e\",\"n\":null,\"m\":null,\"mixed\":null,\"l\":null,\"e\":null,\"none\":null,\"late\":null,\"big\":null,\"lone\":\"\u{fffd}\"}",
            ]
        );
        assert!(
            one.notes.iter().any(|n| n.contains("`mixed`"))
                && one.notes.iter().any(|n| n.contains("`n`")),
            "{:?}",
            one.notes
        );
    }
}

#[test]
fn columnar_exports_are_cut_into_shards() {
    let (dir, all) = inputs(400);
    fs::write(
        dir.path().join("in.jsonl"),
        (0..400)
            .map(|i| format!("{{\"text\": \"text {i}\"}}\n"))
            .collect::<String>(),
    )
    .unwrap();
    for (input, size) in [("in.parquet", 5000), ("in.jsonl", 3000)] {
        let [one, nine] = [1, 9].map(|n| {
            run(
                &dir,
                input,
                "out.parquet",
                &[text_field()],
                Way {
                    by: SplitBy::Count(n),
                    shard_size: size,
                    ..PLAIN
                },
                |_| {},
            )
            .unwrap()
        });
        assert_eq!(one.content, nine.content);
        assert!(one.files.len() > 2, "{input}");
        let text: Vec<String> = one
            .files
            .iter()
            .flat_map(|f| {
                read_parquet(f)
                    .column(0)
                    .as_string::<i32>()
                    .iter()
                    .map(|t| t.unwrap().to_owned())
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(
            text,
            all.column(0)
                .as_string::<i32>()
                .iter()
                .map(|t| t.unwrap())
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn no_rows_make_empty_tables() {
    let dir = tempfile::tempdir().unwrap();
    write_parquet(&dir.path().join("in.parquet"), &[table(0)]);
    let outcome = run(
        &dir,
        "in.parquet",
        "out.parquet",
        &[text_field()],
        Way {
            by: SplitBy::Count(2),
            ..PLAIN
        },
        |_| {},
    )
    .unwrap();
    assert_eq!(read_parquet(&outcome.files[0]), table(0));
    fs::write(dir.path().join("in.jsonl"), "").unwrap();
    let outcome = run(
        &dir,
        "in.jsonl",
        "out2.parquet",
        &[text_field()],
        PLAIN,
        |_| {},
    )
    .unwrap();
    assert_eq!(
        read_parquet(&outcome.files[0]).schema().as_ref(),
        &Schema::empty()
    );
}
