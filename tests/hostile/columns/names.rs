//! Names of columns: equal, differing by case, and odd ones.

use super::*;

#[test]
fn columns_of_one_name_are_refused_with_their_places() {
    let twice = table(vec![
        text(2),
        column("v", Int64Array::from(vec![10, 20])),
        column("v", Int64Array::from(vec![100, 200])),
    ]);
    let member = |name: &str| Arc::new(Field::new(name, DataType::Int64, true));
    let members = StructArray::new(
        vec![member("a"), member("b"), member("a")].into(),
        (0..3)
            .map(|n| Arc::new(Int64Array::from(vec![n, n])) as ArrayRef)
            .collect(),
        None,
    );
    let inner = table(vec![text(2), column("m", members)]);
    for export in ["result.jsonl", "result.parquet", "result.arrow"] {
        let words = [
            "columns 2 and 3 are both called `v`",
            "give each column a name of its own",
        ];
        keep(&[("a.parquet", parquet(&twice))], export)
            .1
            .failed(2, &words)
            .failed(2, &["a.parquet"]);
        keep(&[("a.arrow", arrow(&twice))], export)
            .1
            .failed(2, &words);
        keep(&[("a.arrow", arrow(&inner))], export).1.failed(
            2,
            &["a.arrow", "in `m` columns 1 and 3 are both called `a`"],
        );
    }
    run_on("in.csv", "text,name,name\na,b,c\n")
        .failed(2, &["in.csv:1", "columns 2 and 3 are both called `name`"]);
    run_on("in.tsv", "\u{feff}text\ttext\na\tb\n")
        .failed(2, &["in.tsv:1", "columns 1 and 2 are both called `text`"]);
    run_on("in.csv", "text,,\na,b,c\n").failed(2, &["columns 2 and 3 have no name"]);
    assert_eq!(
        run_on("in.csv", "text,\na,b\n").ok().text(),
        "{\"text\":\"a\",\"\":\"b\"}\n"
    );
}

#[test]
fn names_that_differ_by_case_stay_two_columns() {
    let both = table(vec![text(1), column("Text", Int64Array::from(vec![7]))]);
    let (_, ran) = keep(&[("a.parquet", parquet(&both))], "result.jsonl");
    assert!(
        ran.stderr.contains("`text` and `Text` differ by case only"),
        "{}",
        ran.stderr
    );
    assert_eq!(lines(&ran.ok()), [json!({"text": "row 0", "Text": 7})]);
    let case = Case::with_input("{\"text\": \"a\", \"TEXT\": 1}\n");
    let ran = case
        .run(&format!("{KEEP}export_path: out/result.parquet\n"))
        .ok();
    assert!(
        ran.stderr.contains("`text` and `TEXT` differ by case only"),
        "{}",
        ran.stderr
    );
    assert_eq!(read_parquet(&case).num_columns(), 2);
}

/// The names that a checkpoint uses for its own columns.
#[test]
fn columns_may_have_any_name() {
    let names = [
        "__row__",
        "__raw__",
        "__patch__",
        "__dj__stats__.text_len",
        "changed",
        "a.b",
    ];
    let mut columns = vec![text(2)];
    columns.extend(
        names
            .iter()
            .enumerate()
            .map(|(i, name)| column(name, Int64Array::from(vec![i as i64, 7]))),
    );
    let rows = table(columns);
    for format in ["parquet", "arrow", "jsonl"] {
        let case = Case::new();
        case.write("in.parquet", parquet(&rows));
        let ran = case.run(&format!(
            "dataset_path: in.parquet\nexport_path: out/result.arrow\ncheckpoint: {{strategy: every_op}}\nintermediate_storage: {{format: {format}}}\n\
             process:\n  - clean_email_mapper:\n  - document_deduplicator:\n  - clean_links_mapper:\n"
        ));
        ran.ok();
        assert_eq!(read_arrow(&case), rows, "{format}");
    }
}
