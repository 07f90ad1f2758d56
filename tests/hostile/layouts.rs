//! Directories as people have them: files next to the data are not taken for it, and what is left
//! out is reported.

use std::os::unix::fs::symlink;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::harness::{Case, Ran};
use crate::hostile::{KEEP, good, run_on};

const ROW: &str = "{\"text\": \"a row of data\"}\n";

/// Runs on the directory `in`.
#[track_caller]
fn run_in(case: &Case) -> Ran {
    let _ = std::fs::remove_dir_all(case.path("work"));
    case.run(&format!("{KEEP}dataset_path: in\n"))
}

fn batch(texts: &[&str]) -> RecordBatch {
    let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
    RecordBatch::try_new(schema, vec![Arc::new(StringArray::from(texts.to_vec()))]).unwrap()
}

fn arrow_stream(texts: &[&str]) -> Vec<u8> {
    let batch = batch(texts);
    let mut writer =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn parquet(texts: &[&str]) -> Vec<u8> {
    let batch = batch(texts);
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn metadata_beside_the_data_is_no_row() {
    let case = Case::new();
    case.write("in/train.jsonl", ROW);
    case.write(
        "in/dataset_infos.json",
        "{\"default\": {\"features\": {\"text\": {\"dtype\": \"string\"}}}}",
    );
    case.write(
        "in/croissant.json",
        "{\"@context\": {\"@language\": \"en\"}, \"name\": \"x\"}",
    );
    case.write(
        "in/statistics.json",
        "{\n  \"rows\": 1,\n  \"tokens\": 4\n}\n",
    );
    case.write("in/labels.json", "[\"good\", \"bad\"]");
    case.write("in/README.md", "---\nlicense: mit\n---\n# Data\n");
    case.write("in/.gitattributes", "*.parquet filter=lfs\n");
    case.write(
        "in/.cache/huggingface/download/train.jsonl.metadata",
        "abc\n",
    );
    case.write("in/.cache/huggingface/x.jsonl", "{\"text\": \"cache\"}\n");
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), ROW);
    for name in [
        "dataset_infos.json",
        "croissant.json",
        "statistics.json",
        "labels.json",
        "README.md",
    ] {
        assert!(
            ran.stderr.contains(name),
            "nothing is said of {name}: {}",
            ran.stderr
        );
    }
    // Next to Parquet it does not stop the job.
    std::fs::remove_file(case.path("in/train.jsonl")).unwrap();
    case.write(
        "in/data/train-00000-of-00001.parquet",
        parquet(&["a row of data"]),
    );
    assert_eq!(run_in(&case).ok().text(), "{\"text\":\"a row of data\"}\n");
    // A user who names the file wants it.
    let ran = case.run(&format!("{KEEP}dataset_path: in/statistics.json\n"));
    assert_eq!(ran.ok().summary["ledger"]["read"], 1);
}

#[test]
fn rows_in_files_of_their_own_are_rows() {
    let case = Case::new();
    for i in 0..3 {
        case.write(
            &format!("in/{i}.json"),
            format!("{{\n  \"text\": \"{i}\"\n}}\n"),
        );
    }
    assert_eq!(run_in(&case).ok().summary["ledger"]["output"], 3);
    // Also next to a file with many rows that share its field, and under a tool's name.
    case.write("in/many.jsonl", ROW.repeat(2));
    case.write(
        "in/state.json",
        "[{\"text\": \"Ohio\"}, {\"text\": \"Iowa\"}]",
    );
    assert_eq!(run_in(&case).ok().summary["ledger"]["output"], 7);
}

#[test]
fn texts_of_a_repository_are_no_rows_among_texts() {
    let case = Case::new();
    case.write("in/books/one.txt", "Call me Ishmael.");
    case.write("in/README.md", "# Books");
    case.write("in/LICENSE.txt", "MIT");
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), "{\"text\": \"Call me Ishmael.\"}\n");
    assert!(
        ran.stderr.contains("README.md") && ran.stderr.contains("LICENSE.txt"),
        "{}",
        ran.stderr
    );
    // Where texts of this kind are the data, a README is one of them.
    let notes = Case::new();
    notes.write("in/a/README.md", "# A");
    notes.write("in/b/guide.md", "# B");
    assert_eq!(run_in(&notes).ok().summary["ledger"]["output"], 2);
}

#[test]
fn what_save_to_disk_wrote_is_read_as_it_says() {
    let case = Case::new();
    let state = "{\"_data_files\": [{\"filename\": \"data-00000-of-00002.arrow\"}, {\"filename\": \"data-00001-of-00002.arrow\"}], \"_split\": \"train\"}";
    let save = |dir: &str, texts: [&str; 2]| {
        case.write(&format!("{dir}/state.json"), state);
        case.write(&format!("{dir}/dataset_info.json"), "{\"features\": {}}");
        case.write(
            &format!("{dir}/data-00000-of-00002.arrow"),
            arrow_stream(&texts[..1]),
        );
        case.write(
            &format!("{dir}/data-00001-of-00002.arrow"),
            arrow_stream(&texts[1..]),
        );
        // What `map` keeps next to it: the same rows again.
        case.write(
            &format!("{dir}/cache-0123456789abcdef.arrow"),
            arrow_stream(&["cached"]),
        );
    };
    save("in", ["one", "two"]);
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), "{\"text\":\"one\"}\n{\"text\":\"two\"}\n");
    assert!(
        ran.stderr.contains("cache-0123456789abcdef.arrow"),
        "{}",
        ran.stderr
    );
    std::fs::remove_file(case.path("in/data-00001-of-00002.arrow")).unwrap();
    run_in(&case).failed(
        2,
        &["data-00001-of-00002.arrow", "`state.json`", "not complete"],
    );
    // Names that lead elsewhere are not followed.
    case.write("secret.arrow", arrow_stream(&["secret"]));
    case.write(
        "in/state.json",
        "{\"_data_files\": [{\"filename\": \"../secret.arrow\"}]}",
    );
    assert!(!run_in(&case).ok().text().contains("secret"));

    // With splits.
    std::fs::remove_dir_all(case.path("in")).unwrap();
    case.write(
        "in/dataset_dict.json",
        "{\"splits\": [\"train\", \"test\"]}",
    );
    save("in/train", ["one", "two"]);
    save("in/test", ["three", "four"]);
    let ran = run_in(&case).ok();
    assert_eq!(ran.text().lines().count(), 4);
    assert!(
        ran.text().starts_with("{\"text\":\"one\"}")
            && ran.stderr.contains("the splits `train`, `test`"),
        "{}",
        ran.stderr
    );
    std::fs::remove_dir_all(case.path("in/test")).unwrap();
    run_in(&case).failed(2, &["in/test", "`dataset_dict.json`"]);
}

#[test]
fn of_a_hub_cache_the_current_snapshot_counts() {
    let case = Case::new();
    let base = "in/datasets--someone--words";
    case.write(&format!("{base}/blobs/aaa"), "{\"text\": \"old\"}\n");
    case.write(&format!("{base}/blobs/bbb"), "{\"text\": \"new\"}\n");
    case.write(&format!("{base}/refs/main"), "rev2");
    for (revision, blob) in [("rev1", "aaa"), ("rev2", "bbb")] {
        std::fs::create_dir_all(case.path(&format!("{base}/snapshots/{revision}"))).unwrap();
        symlink(
            format!("../../blobs/{blob}"),
            case.path(&format!("{base}/snapshots/{revision}/train.jsonl")),
        )
        .unwrap();
    }
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), "{\"text\": \"new\"}\n");
    assert!(
        ran.stderr.contains("has 2 snapshots: `rev2`"),
        "{}",
        ran.stderr
    );
    // A link whose content was not downloaded.
    std::fs::remove_file(case.path(&format!("{base}/blobs/bbb"))).unwrap();
    run_in(&case).failed(
        2,
        &[
            "train.jsonl",
            "download into the hub's cache is not complete",
        ],
    );
    case.write(&format!("{base}/refs/main"), "rev3");
    run_in(&case).failed(2, &["2 snapshots", "name one"]);
}

#[test]
fn files_that_were_not_fetched_are_named_as_such() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    for name in [
        "train.jsonl",
        "train.parquet",
        "train.csv",
        "train.txt",
        "train.arrow",
        "train.json",
    ] {
        run_on(name, lfs).failed(
            2,
            &[
                name,
                "a Git LFS pointer of a file of 12345 bytes",
                "git lfs pull",
            ],
        );
    }
    let case = Case::new();
    case.write("in/a.parquet", parquet(&["a"]));
    case.write("in/b.parquet", lfs);
    run_in(&case).failed(2, &["b.parquet", "git lfs pull"]);
    run_on("train.jsonl", "/annex/objects/SHA256E-s5--abc.jsonl\n").failed(2, &["git annex get"]);
    symlink(
        ".git/annex/objects/x/y/SHA256E-s5--abc",
        case.path("c.jsonl"),
    )
    .unwrap();
    case.run(&format!("{KEEP}dataset_path: c.jsonl\n"))
        .failed(2, &["c.jsonl", "git annex get"]);
    run_on(
        "train.jsonl",
        "<!DOCTYPE html>\n<html><body>Not Found</body></html>\n",
    )
    .failed(2, &["an HTML page", "download the file again"]);
    run_on("train.jsonl", "PK\x03\x04\x14\0\0\0\x08\0").failed(2, &["a ZIP archive", "unpack it"]);
    let mut tar = vec![0; 1024];
    tar[..5].copy_from_slice(b"a.txt");
    tar[257..262].copy_from_slice(b"ustar");
    run_on("train.tar", &tar).failed(2, &["a tar archive", "unpack it"]);
}

#[test]
fn empty_hidden_and_half_written_files_are_mentioned() {
    let case = Case::new();
    case.write("in/a.jsonl", ROW);
    case.write("in/empty.jsonl", "");
    case.write("in/empty.parquet", "");
    case.write("in/half.jsonl.incomplete", ROW);
    case.write("in/.hidden.jsonl", ROW);
    case.write("in/~$table.csv", "x");
    case.write("in/_SUCCESS", "");
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), ROW);
    for name in [
        "empty.jsonl",
        "empty.parquet",
        "half.jsonl.incomplete",
        ".hidden.jsonl",
        "table.csv",
    ] {
        assert!(
            ran.stderr.contains(name),
            "nothing is said of {name}: {}",
            ran.stderr
        );
    }
    assert!(
        ran.stderr.contains("empty (0 bytes)") && !ran.stderr.contains("_SUCCESS"),
        "{}",
        ran.stderr
    );
    // The message is bounded, however many there are.
    for i in 0..500 {
        case.write(&format!("in/part-{i:05}.jsonl"), "");
    }
    let ran = run_in(&case).ok();
    assert!(
        ran.stderr.contains("the same holds for 499 more files") && ran.stderr.lines().count() < 20,
        "{}",
        ran.stderr
    );
}

#[test]
fn a_file_under_two_names_counts_once_and_that_is_said() {
    let case = Case::new();
    case.write("in/a.jsonl", good(3));
    std::fs::hard_link(case.path("in/a.jsonl"), case.path("in/b.jsonl")).unwrap();
    symlink("a.jsonl", case.path("in/c.jsonl")).unwrap();
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), good(3));
    for name in ["b.jsonl` is the same as `", "c.jsonl` is the same as `"] {
        assert!(
            ran.stderr.contains(name) && ran.stderr.contains("a.jsonl` and is read once"),
            "{}",
            ran.stderr
        );
    }
    for sources in ["[in/a.jsonl, in/a.jsonl]", "[in/a.jsonl, './in/a.jsonl']"] {
        let _ = std::fs::remove_dir_all(case.path("work"));
        let ran = case.run(&format!("{KEEP}dataset_path: {sources}\n")).ok();
        assert_eq!(ran.text(), good(3));
        assert!(ran.stderr.contains("and is read once"), "{}", ran.stderr);
    }
    // Named directly, it is wanted, wherever it was found first.
    case.write("in/notes.txt", "notes");
    let _ = std::fs::remove_dir_all(case.path("work"));
    assert_eq!(
        case.run(&format!("{KEEP}dataset_path: [in, in/notes.txt]\n"))
            .ok()
            .summary["ledger"]["read"],
        4
    );
}

#[test]
fn tables_whose_log_or_paths_say_more_are_mentioned() {
    let case = Case::new();
    case.write(
        "in/_delta_log/00000000000000000000.json",
        "{\"remove\": {}}\n",
    );
    case.write("in/lang=en/part-0.parquet", parquet(&["a"]));
    case.write("in/metadata/v1.metadata.json", "{\"format-version\": 2}");
    let ran = run_in(&case).ok();
    assert_eq!(ran.text(), "{\"text\":\"a\"}\n");
    assert!(
        ran.stderr.contains("a Delta table")
            && ran.stderr.contains("lang=en` has a value in its name"),
        "{}",
        ran.stderr
    );
}
