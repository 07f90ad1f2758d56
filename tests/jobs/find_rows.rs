//! How `djhost explain` finds the row that is asked for.

use std::fs;

use serde_json::Value;

use super::djhost;
use super::explain::{RECIPE, job, ok};

/// Rows of columns are numbered.
#[test]
fn rows_of_parquet_are_named_by_their_number() {
    let dir = job(
        "export_path: first.parquet\ndataset_path: in.jsonl\nwork_dir: work\nmax_unreadable_ratio: 0.9\nprocess:\n  - text_length_filter: {min_len: 0}\n",
    );
    let recipe = RECIPE
        .replace("in.jsonl", "first.parquet")
        .replace("work_dir: work", "work_dir: second");
    let write = |text: &str| fs::write(dir.path().join("recipe.yaml"), text).unwrap();
    write(&recipe);
    let run = ["run", "recipe.yaml", "--quiet", "--job_id", "job"];
    ok(dir.path(), &run);
    let text = ok(dir.path(), &["explain", "second/job", "first.parquet:2"]);
    assert!(
        text.contains("first.parquet:2, row_id 1") && text.contains("off by 2"),
        "{text}"
    );
    for row in ["first.parquet:9", "9"] {
        let output = djhost(dir.path(), &["explain", "second/job", row]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
    // A mapper that is sampled must be one of the recipe's.
    write(&format!("trace_ops: [word_num_filter]\n{recipe}"));
    let output = djhost(dir.path(), &run);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(2) && said.contains("did you mean `words_num_filter`?"),
        "{said}"
    );
}

/// Rows are found by values of any kind, however they are written.
#[test]
fn rows_are_found_by_their_values() {
    let input = concat!(
        "{\"id\": 1.0, \"meta\": {\"lang\": \"en\", \"ok\": true}, \"text\": \"first of the rows\"}\n",
        "{\"id\": 20, \"meta\": {\"lang\": null, \"ok\": false}, \"text\": \"say \\\"x=y\\\" now\"}\n",
        "{\"i\\u0064\": 3e1, \"text\": \"caf\\u00e9 and more\"}\n",
        "{\"id\": \"4\", \"meta.lang\": \"de\", \"meta\": {\"lang\": \"en\"}, \"text\": \"the last of them\"}\n",
        "{\"id\": [1, 2], \"meta\": {\"lang\": \"en\"}, \"text\": \"a list is here\"}\n",
    );
    let ops = "process:\n  - text_length_filter: {min_len: 2}\n";
    let recipe = |input: &str, work: &str| {
        format!(
            "dataset_path: {input}\nexport_path: {work}.jsonl\nwork_dir: {work}\njob_id: job\n{ops}"
        )
    };
    let dir = crate::harness::directory();
    let write = |name: &str, content: &[u8]| fs::write(dir.path().join(name), content).unwrap();
    write("in.jsonl", input.as_bytes());
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, input.as_bytes()).unwrap();
    write("packed.jsonl.gz", &packed.finish().unwrap());
    // What the job has unpacked is read where it is kept, and else unpacked again.
    let keep = "--intermediate_storage.keep_unpacked_inputs=";
    for (name, work, kept) in [
        ("in.jsonl", "plain", false),
        ("packed.jsonl.gz", "packed", false),
        ("packed.jsonl.gz", "kept", true),
    ] {
        write("recipe.yaml", recipe(name, work).as_bytes());
        let keep = format!("{keep}{kept}");
        ok(dir.path(), &["run", "recipe.yaml", "--quiet", &keep]);
        let unpacked = dir
            .path()
            .join(work)
            .join("job/partitions/input_00000.jsonl");
        assert_eq!(unpacked.exists(), kept, "{work}");
        let job = format!("{work}/job");
        for (filter, line) in [
            ("id=1", 1),
            ("id=2e1", 2),
            ("id=30", 3),
            ("id=4", 4),
            ("id=[1, 2]", 5),
            ("meta.lang=null", 2),
            ("meta.lang=de", 4),
            ("meta.ok=true", 1),
            ("meta.ok=false", 2),
            ("text=say \"x=y\" now", 2),
            ("text=\"the last of them\"", 4),
            ("text=caf\u{e9} and more", 3),
            ("meta={\"lang\": \"en\"}", 4),
        ] {
            let args = ["explain", &job, "--where", filter, "--json"];
            let found: Value = serde_json::from_str(&ok(dir.path(), &args)).unwrap();
            assert_eq!(found["row"]["line"], line, "{filter}: {found}");
        }
        let several = ok(dir.path(), &["explain", &job, "--where", "meta.lang=en"]);
        assert!(
            several.contains("another row has this value, too: "),
            "{several}"
        );
        assert!(several.contains(&format!("{name}:5")), "{several}");
        for (filter, said) in [
            ("id=77", &["no row of the dataset has `77` in `id`"][..]),
            (
                "meta.lag=en",
                &[
                    "have no such field",
                    "did you mean `meta.lang`?",
                    "meta.ok, text",
                ],
            ),
            ("id", &["is not FIELD=VALUE"]),
            ("=7", &["is not FIELD=VALUE"]),
        ] {
            let output = djhost(dir.path(), &["explain", &job, "--where", filter]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{filter}: {stderr}");
            assert!(
                said.iter().all(|said| stderr.contains(said)),
                "{filter}: {stderr}"
            );
        }
    }
    // Of many rows the next ones are named.
    write(
        "in.jsonl",
        "{\"text\": \"the same\"}\n".repeat(50).as_bytes(),
    );
    write("recipe.yaml", recipe("in.jsonl", "many").as_bytes());
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    let many = ok(
        dir.path(),
        &["explain", "many/job", "--where", "text=the same"],
    );
    assert!(
        many.contains("more rows have this value; the next 5 of them: "),
        "{many}"
    );
}

/// A column is searched by row groups; those that cannot have the value are passed over.
#[test]
fn rows_of_parquet_are_found_by_their_values() {
    use parquet::file::properties::WriterProperties;
    let dir = crate::harness::directory();
    let path = dir.path().join("in.parquet");
    let table = |from: i64| {
        let ids = arrow::array::Int64Array::from_iter_values(from..from + 100);
        let names = (from..from + 100).map(|id| (id % 3 > 0).then(|| format!("name {id}")));
        let names: arrow::array::StringArray = names.collect();
        let texts = (from..from + 100).map(|id| format!("the text of {id}"));
        let texts = arrow::array::StringArray::from_iter_values(texts);
        arrow::array::RecordBatch::try_from_iter_with_nullable([
            (
                "id",
                std::sync::Arc::new(ids) as arrow::array::ArrayRef,
                false,
            ),
            ("name", std::sync::Arc::new(names), true),
            ("text", std::sync::Arc::new(texts), true),
        ])
        .unwrap()
    };
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .set_bloom_filter_enabled(true)
        .build();
    let file = fs::File::create(&path).unwrap();
    let mut out =
        parquet::arrow::ArrowWriter::try_new(file, table(0).schema(), Some(properties)).unwrap();
    for group in 0..20 {
        out.write(&table(group * 100)).unwrap();
    }
    out.close().unwrap();
    fs::write(
        dir.path().join("recipe.yaml"),
        "dataset_path: in.parquet\nexport_path: out.parquet\nwork_dir: work\njob_id: job\nprocess:\n  - text_length_filter:\n",
    )
    .unwrap();
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    for (filter, row) in [
        ("id=1234", 1235),
        ("id=7.0", 8),
        ("name=name 1999", 2000),
        ("name=\"name 1\"", 2),
        ("name=null", 1),
        ("text=the text of 1500", 1501),
    ] {
        let args = ["explain", "work/job", "--where", filter, "--json"];
        let found: Value = serde_json::from_str(&ok(dir.path(), &args)).unwrap();
        assert_eq!(found["row"]["line"], row, "{filter}: {found}");
    }
    for filter in [
        "id=2000",
        "id=name 1",
        "id=1.5",
        "name=name 0",
        "name=name 3000",
    ] {
        let output = djhost(dir.path(), &["explain", "work/job", "--where", filter]);
        assert_eq!(output.status.code(), Some(2), "{filter}");
    }
}
