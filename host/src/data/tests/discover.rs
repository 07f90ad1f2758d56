//! Which files make a dataset.

use super::*;
use crate::error::UserError;
use std::os::unix::fs::symlink;

fn open(dir: &TempDir, paths: &[&str]) -> Result<Dataset> {
    Dataset::open(
        &paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(),
        dir.path(),
    )
}

fn names(dataset: &Dataset) -> Vec<String> {
    dataset.files.iter().map(|f| name(&f.path)).collect()
}

fn message(result: Result<Dataset>) -> String {
    let error = result.unwrap_err();
    assert!(error.is::<UserError>(), "{error:#}");
    error.to_string()
}

fn with(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

const ROW: &[u8] = b"{\"text\": \"a\"}\n";

#[test]
fn directories_patterns_and_files_give_a_fixed_order() {
    let dir = with(&[
        ("b.jsonl", ROW),
        ("a/2.jsonl", ROW),
        ("a/1.jsonl.gz", b""),
        ("c d é.json", ROW),
        ("z.json", b""),
    ]);
    assert_eq!(
        names(&open(&dir, &["."]).unwrap()),
        ["1.jsonl.gz", "2.jsonl", "b.jsonl", "c d é.json", "z.json"]
    );
    assert_eq!(
        names(&open(&dir, &["z.json", "*.jsonl", "."]).unwrap()),
        ["z.json", "b.jsonl", "1.jsonl.gz", "2.jsonl", "c d é.json"]
    );
}

#[test]
fn hidden_temporary_and_foreign_files_are_passed_over() {
    let dir = with(&[
        ("a.jsonl", ROW),
        (".b.jsonl", ROW),
        ("_SUCCESS", b""),
        ("c.jsonl.tmp", ROW),
        ("d.jsonl~", ROW),
        ("logo.png", b"\x89PNG"),
        ("README.md", b"# Data"),
        ("dataset_info.json", b"{}"),
    ]);
    let dataset = open(&dir, &["."]).unwrap();
    assert_eq!(names(&dataset), ["a.jsonl"]);
    assert!(
        dataset.notes.iter().any(|n| n.contains("README.md"))
            && dataset.notes.iter().any(|n| n.contains("logo.png")),
        "{:?}",
        dataset.notes
    );
    // Named directly, it is taken.
    assert_eq!(names(&open(&dir, &[".b.jsonl"]).unwrap()), [".b.jsonl"]);
}

#[test]
fn loops_of_links_end_and_files_count_once() {
    let dir = with(&[("data/a.jsonl", ROW)]);
    symlink(dir.path().join("data"), dir.path().join("data/again")).unwrap();
    symlink(
        dir.path().join("data/a.jsonl"),
        dir.path().join("data/b.jsonl"),
    )
    .unwrap();
    assert_eq!(names(&open(&dir, &["data"]).unwrap()), ["a.jsonl"]);
    symlink(dir.path().join("loop.jsonl"), dir.path().join("loop.jsonl")).unwrap();
    assert!(message(open(&dir, &["."])).contains("loop.jsonl: cannot be read"));
}

#[test]
fn pipes_are_refused_and_never_opened() {
    let dir = with(&[("data/a.jsonl", ROW)]);
    let pipe = dir.path().join("data/p.jsonl");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    assert_eq!(names(&open(&dir, &["data"]).unwrap()), ["a.jsonl"]);
    assert!(message(open(&dir, &["data/p.jsonl"])).contains("is a pipe, not a file"));
}

#[test]
fn content_goes_before_the_name() {
    let dir = with(&[
        ("array.jsonl", b"[{\"text\": \"a\"}]"),
        ("rows.dat", ROW),
        ("pretty.json", b"{\n  \"text\": \"a\"\n}\n"),
        ("plain.json", ROW),
        ("table.csv", b"[a],b\n1,2\n"),
        ("broken.jsonl", b"nonsense\n{\"text\": \"a\"}\n"),
    ]);
    for (file, format) in [
        ("array.jsonl", Format::JsonArray),
        ("rows.dat", Format::Jsonl),
        ("pretty.json", Format::JsonArray),
        ("plain.json", Format::Jsonl),
        ("table.csv", Format::Csv),
        ("broken.jsonl", Format::Jsonl),
    ] {
        assert_eq!(
            open(&dir, &[file]).unwrap().files[0].format,
            format,
            "{file}"
        );
    }
}

#[test]
fn mistakes_name_the_file_and_what_is_valid() {
    let dir = with(&[
        ("empty/x.png", b"\x89PNG"),
        ("a.parquet", b"no parquet"),
        ("utf16.jsonl", b"\xff\xfe{\0"),
        ("noise.bin", b"\x01\x02\x03"),
        ("zip.jsonl", b"PK\x03\x04\0\0\0\0"),
    ]);
    for (path, words) in [
        ("missing.jsonl", "missing.jsonl: cannot be read"),
        ("*.nothing", "no data files found"),
        ("empty", "x.png` were passed over; valid are `.jsonl`"),
        ("a.parquet", "it does not hold what its name says (Parquet)"),
        ("utf16.jsonl", "in UTF-8"),
        ("noise.bin", "its format is not known"),
        ("zip.jsonl", "it does not hold what its name says"),
        ("[", "is not a valid pattern"),
    ] {
        let found = message(open(&dir, &[path]));
        assert!(found.contains(words), "{path}: {found}");
    }
}

#[test]
fn a_dataset_survives_its_own_json() {
    use std::os::unix::ffi::OsStringExt;
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join(std::ffi::OsString::from_vec(
            b"odd \xff name.jsonl".to_vec(),
        )),
        ROW,
    )
    .unwrap();
    let dataset = open(&dir, &["."]).unwrap();
    let text = serde_json::to_string(&dataset).unwrap();
    assert_eq!(serde_json::from_str::<Dataset>(&text).unwrap(), dataset);
}
