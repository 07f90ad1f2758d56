//! Files that are broken, empty, odd or not files at all.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use crate::harness::Case;
use crate::hostile::{KEEP, good, run_on};

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// With a checksum, as the `zstd` program writes it: without one, damage may go unnoticed.
fn zst(content: &[u8]) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.include_checksum(true).unwrap();
    compressor.compress(content).unwrap()
}

fn parquet(schema: Schema, columns: Vec<arrow::array::ArrayRef>) -> Vec<u8> {
    let schema = Arc::new(schema);
    let mut out = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut out, Arc::clone(&schema), None).unwrap();
    writer
        .write(&RecordBatch::try_new(schema, columns).unwrap())
        .unwrap();
    writer.close().unwrap();
    out
}

fn texts(n: usize) -> arrow::array::ArrayRef {
    Arc::new(StringArray::from_iter_values(
        (0..n).map(|i| format!("row {i}")),
    ))
}

#[test]
fn archives_cut_or_damaged() {
    let plain = good(20_000);
    let packed = [
        ("in.jsonl.gz", gz(plain.as_bytes())),
        ("in.jsonl.zst", zst(plain.as_bytes())),
    ];
    for (name, whole) in packed {
        assert_eq!(run_on(name, &whole).ok().text(), plain);
        run_on(name, &whole[..whole.len() / 2]).failed(1, &[name]);
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 16]
            .iter_mut()
            .for_each(|b| *b ^= 0xff);
        run_on(name, &damaged).failed(1, &[name]);
    }
}

#[test]
fn a_bomb_is_one_row_too_large() {
    let bomb = gz(&vec![b'x'; 64 << 20]);
    let ran = run_on("in.jsonl.gz", &bomb).ok();
    assert_eq!(
        (ran.quarantine.len(), ran.summary["ledger"]["read"].as_u64()),
        (1, Some(1))
    );
    let limited = Case::new();
    limited.write("in.jsonl.gz", bomb);
    let ran = limited
        .run(&format!("{KEEP}dataset_path: in.jsonl.gz\nmax_row_mb: 1\n"))
        .ok();
    assert!(
        ran.quarantine[0]["reason"]
            .as_str()
            .unwrap()
            .contains("more than the 1048576")
    );
    let peak = ran.summary["totals"]["peak_memory"].as_u64().unwrap();
    assert!(
        peak < 300 << 20,
        "{peak} bytes for a row of 64 MB that is not kept"
    );
}

#[test]
fn a_bomb_of_zst_too() {
    // 64 MB in a few kilobytes.
    let bomb = zst(&vec![b'x'; 64 << 20]);
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    let case = Case::new();
    case.write("in.jsonl.zst", bomb);
    let ran = case
        .run(&format!(
            "{KEEP}dataset_path: in.jsonl.zst\nmax_row_mb: 1\n"
        ))
        .ok();
    assert!(
        ran.quarantine[0]["reason"]
            .as_str()
            .unwrap()
            .contains("more than the 1048576")
    );
    let peak = ran.summary["totals"]["peak_memory"].as_u64().unwrap();
    assert!(
        peak < 300 << 20,
        "{peak} bytes for a row of 64 MB that is not kept"
    );
}

#[test]
fn a_line_of_200_mb_is_a_row_or_in_quarantine() {
    let line = format!(
        "{{\"text\": \"first\"}}\n{{\"text\": \"{}\"}}\n{{\"text\": \"last\"}}\n",
        "long ".repeat(40 << 20)
    );
    let case = Case::with_input(&line);
    let ran = case
        .run(&format!("{KEEP}op_limits: {{memory_mb: 2048}}\n"))
        .ok();
    assert!(ran.text() == line, "the row is not as it was");
    let ran = Case::with_input(&line)
        .run(&format!("{KEEP}max_row_mb: 100\n"))
        .ok();
    assert_eq!(ran.text(), "{\"text\": \"first\"}\n{\"text\": \"last\"}\n");
    assert_eq!(ran.quarantine.len(), 1);
    let peak = ran.summary["totals"]["peak_memory"].as_u64().unwrap();
    assert!(
        peak < 400 << 20,
        "{peak} bytes for a row of 200 MB that is not kept"
    );
}

#[test]
fn pipes_dangling_links_and_odd_names_in_a_directory() {
    use std::os::unix::ffi::OsStrExt;
    let case = Case::new();
    for (i, name) in [
        "a b.jsonl",
        "line\nfeed.jsonl",
        "\u{1b}[31mred.jsonl",
        "quote\"'.jsonl",
        "日本.jsonl",
    ]
    .iter()
    .enumerate()
    {
        case.write(&format!("data/{name}"), format!("{{\"text\": \"{i}\"}}\n"));
    }
    std::fs::write(
        case.path("data")
            .join(std::ffi::OsStr::from_bytes(b"not\xffutf8.jsonl")),
        "{\"text\": \"5\"}\n",
    )
    .unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        case.path("data/pipe.jsonl"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    symlink("nowhere", case.path("data/dangling.jsonl")).unwrap();
    // A dangling link may be a dataset that is not mounted: it is not skipped.
    case.run(&format!("{KEEP}dataset_path: data\n"))
        .failed(2, &["dangling.jsonl", "cannot be read"]);
    std::fs::remove_file(case.path("data/dangling.jsonl")).unwrap();
    // The harness looks for control characters in the messages about the others.
    let ran = case.run(&format!("{KEEP}dataset_path: data\n")).ok();
    let mut lines: Vec<&str> = ran.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        (0..6)
            .map(|i| format!("{{\"text\": \"{i}\"}}"))
            .collect::<Vec<_>>()
    );
    assert!(
        ran.stderr.contains("1 file was passed over") && ran.stderr.contains("pipe.jsonl"),
        "{}",
        ran.stderr
    );
}

#[test]
fn parquet_broken_in_footer_or_pages() {
    let schema = Schema::new(vec![Field::new("text", DataType::Utf8, false)]);
    let whole = parquet(schema, vec![texts(5000)]);
    let out = "export_path: out/result.parquet\n";
    let run = |content: &[u8]| {
        let case = Case::new();
        case.write("in.parquet", content);
        case.run(&format!("{KEEP}{out}dataset_path: in.parquet\n"))
    };
    assert_eq!(run(&whole).ok().summary["ledger"]["output"], 5000);
    run(&whole[..whole.len() - 100]).failed(2, &["in.parquet"]);
    let mut footer = whole.clone();
    let end = footer.len();
    footer[end - 60..end - 20].fill(0xee);
    run(&footer).failed(2, &["in.parquet"]);
    let mut length = whole.clone();
    length[end - 8..end - 4].fill(0xff);
    run(&length).failed(2, &["in.parquet"]);
    let mut page = whole;
    page[100..1000].fill(0xee);
    run(&page).failed(1, &["in.parquet"]);
    run(b"PAR1").failed(2, &["in.parquet"]);
    // To JSON, where the schema is not needed for the result.
    let case = Case::new();
    case.write("in.parquet", &footer);
    case.run(&format!("{KEEP}dataset_path: in.parquet\n"))
        .failed(2, &["in.parquet"]);
}

#[test]
fn arrow_files_cut_or_damaged() {
    let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, false)]));
    let mut whole = Vec::new();
    let mut writer = arrow::ipc::writer::FileWriter::try_new(&mut whole, &schema).unwrap();
    writer
        .write(&RecordBatch::try_new(Arc::clone(&schema), vec![texts(5000)]).unwrap())
        .unwrap();
    writer.finish().unwrap();
    drop(writer);
    let run = |content: &[u8]| {
        let case = Case::new();
        case.write("in.arrow", content);
        case.run(&format!(
            "{KEEP}export_path: out/result.arrow\ndataset_path: in.arrow\n"
        ))
    };
    assert_eq!(run(&whole).ok().summary["ledger"]["output"], 5000);
    run(&whole[..whole.len() / 2]).failed(2, &["in.arrow"]);
    let mut damaged = whole.clone();
    damaged[16..120].fill(0xee);
    run(&damaged).failed(2, &["in.arrow"]);
}

#[test]
fn parquet_shards_that_do_not_fit() {
    let case = Case::new();
    let text = || Field::new("text", DataType::Utf8, false);
    case.write(
        "in/a.parquet",
        parquet(
            Schema::new(vec![text(), Field::new("n", DataType::Int64, false)]),
            vec![texts(3), numbers(3)],
        ),
    );
    case.write(
        "in/b.parquet",
        parquet(
            Schema::new(vec![text(), Field::new("n", DataType::Utf8, false)]),
            vec![texts(3), texts(3)],
        ),
    );
    let ran = case.run(&format!(
        "{KEEP}dataset_path: in\nexport_path: out/result.parquet\n"
    ));
    // Either is right; a crash or a silent loss is not.
    if ran.code == 0 {
        assert_eq!(ran.summary["ledger"]["output"], 6);
    } else {
        ran.failed(2, &["`n`"]);
    }
    // `text` of another type.
    let other = Case::with_input("");
    other.write(
        "in/a.parquet",
        parquet(
            Schema::new(vec![Field::new("text", DataType::Int64, false)]),
            vec![numbers(3)],
        ),
    );
    let ran = other.run(&format!(
        "{KEEP}dataset_path: in\nexport_path: out/result.parquet\n"
    ));
    if ran.code == 0 {
        assert_eq!(ran.summary["ledger"]["read"], 3)
    } else {
        ran.failed(2, &["`text`"]);
    }
}

fn numbers(n: i64) -> arrow::array::ArrayRef {
    Arc::new(Int64Array::from_iter_values(0..n))
}

#[test]
fn nothing_to_read() {
    assert_eq!(run_on("in.jsonl", "").ok().text(), "");
    assert_eq!(run_on("in.jsonl", "\n\n  \n").ok().text(), "");
    assert_eq!(run_on("in.jsonl.gz", gz(b"")).ok().text(), "");
    let case = Case::new();
    std::fs::create_dir(case.path("in")).unwrap();
    case.run(&format!("{KEEP}dataset_path: in\n"))
        .failed(2, &["in", "no data files found"]);
    case.run(&format!("{KEEP}dataset_path: nowhere.jsonl\n"))
        .failed(2, &["nowhere.jsonl", "cannot be read"]);
    case.run(&format!("{KEEP}dataset_path: 'in/*.jsonl'\n"))
        .failed(2, &["in/*.jsonl", "no data files found"]);
    assert!(!case.path("work").exists());
}

#[test]
fn things_that_are_no_files() {
    let case = Case::with_input(good(2));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        case.path("pipe.jsonl"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    case.run(&format!("{KEEP}dataset_path: pipe.jsonl\n"))
        .failed(2, &["pipe.jsonl", "is a pipe, not a file"]);
    case.run(&format!("{KEEP}dataset_path: /dev/zero\n"))
        .failed(2, &["/dev/zero", "is a device"]);
    symlink("loop.jsonl", case.path("loop.jsonl")).unwrap();
    case.run(&format!("{KEEP}dataset_path: loop.jsonl\n"))
        .failed(2, &["loop.jsonl", "cannot be read"]);
    case.run(&format!("{KEEP}dataset_path: 'in.jsonl/x'\n"))
        .failed(2, &["in.jsonl/x"]);
}

#[test]
fn directories_with_everything_in_them() {
    let case = Case::new();
    case.write("in/b.jsonl", "{\"text\": \"b\"}\n");
    case.write("in/deep/er/a.jsonl", "{\"text\": \"deep\"}\n");
    case.write(
        "in/ odd \u{e9}'name'\u{202e}.jsonl",
        "{\"text\": \"odd\"}\n",
    );
    for unread in [
        ".hidden.jsonl",
        "_part.jsonl",
        "x.jsonl.tmp",
        "y.jsonl~",
        "z.jsonl.crdownload",
        ".git/c.jsonl",
    ] {
        case.write(
            &format!("in/{unread}"),
            "{\"text\": \"must not be read\"}\n",
        );
    }
    // A directory that contains itself, and a file that appears twice.
    symlink(".", case.path("in/self")).unwrap();
    symlink("b.jsonl", case.path("in/c.jsonl")).unwrap();
    let ran = case.run(&format!("{KEEP}dataset_path: in\n")).ok();
    let mut lines: Vec<&str> = ran.text().lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "{\"text\": \"b\"}",
            "{\"text\": \"deep\"}",
            "{\"text\": \"odd\"}"
        ]
    );
}

#[test]
fn files_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let case = Case::with_input(good(2));
    std::fs::set_permissions(case.path("in.jsonl"), std::fs::Permissions::from_mode(0o0)).unwrap();
    if std::fs::read(case.path("in.jsonl")).is_ok() {
        // Root can read everything.
        return;
    }
    case.run(KEEP).failed(2, &["in.jsonl", "ermission denied"]);
}

#[test]
fn exports_that_cannot_be() {
    let case = Case::with_input(good(2));
    case.run(&format!("{KEEP}export_path: in.jsonl\n"))
        .failed(2, &["in.jsonl", "this is a file of the dataset"]);
    assert_eq!(
        std::fs::read_to_string(case.path("in.jsonl")).unwrap(),
        good(2)
    );
    std::fs::create_dir(case.path("directory.jsonl")).unwrap();
    case.run(&format!("{KEEP}export_path: directory.jsonl\n"))
        .failed(2, &["directory.jsonl", "this is a directory"]);
    case.write("file", "");
    case.run(&format!("{KEEP}export_path: file/result.jsonl\n"))
        .failed(2, &["export_path", "file` is not a directory"]);
    // A missing directory is created.
    let ran = case
        .run(&format!("{KEEP}export_path: new/er/result.jsonl\n"))
        .ok();
    assert_eq!(ran.summary["ledger"]["output"], 2);
    assert_eq!(
        std::fs::read_to_string(case.path("new/er/result.jsonl")).unwrap(),
        good(2)
    );
}

#[test]
fn an_old_export_stays_when_the_job_fails() {
    let case = Case::with_input(good(10) + "nonsense\n");
    case.write("old/result.jsonl", "old\n");
    case.run(&format!(
        "{KEEP}on_error: fail\nexport_path: old/result.jsonl\n"
    ))
    .failed(1, &["on_error is `fail`"]);
    assert_eq!(
        std::fs::read_to_string(case.path("old/result.jsonl")).unwrap(),
        "old\n"
    );
    assert_eq!(std::fs::read_dir(case.path("old")).unwrap().count(), 1);
}

#[test]
fn names_that_lie() {
    assert_eq!(
        run_on("in.jsonl", gz(good(5).as_bytes())).ok().text(),
        good(5)
    );
    assert_eq!(run_on("in.jsonl.gz", good(5)).ok().text(), good(5));
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 200]].concat();
    let ran = run_on("in.jsonl", image);
    assert!(
        ran.code == 2
            || (ran.code == 0 && ran.summary["ledger"]["quarantined"].as_u64().unwrap() > 0),
        "{}",
        ran.stderr
    );
}

#[test]
fn patterns_enter_no_hidden_and_no_temporary_directory() {
    let case = Case::new();
    for dir in ["", ".ipynb_checkpoints/", "_temporary/0/", "deep/er/"] {
        case.write(
            &format!("data/{dir}a.jsonl"),
            format!("{{\"text\": \"{dir}\"}}\n"),
        );
    }
    let rows = |pattern: &str| {
        let _ = std::fs::remove_dir_all(case.path("work"));
        case.run(&format!("{KEEP}dataset_path: '{pattern}'\n"))
            .ok()
            .text()
            .lines()
            .count()
    };
    assert_eq!(
        [
            rows("data/**/*.jsonl"),
            rows("data/*/*/*.jsonl"),
            rows("data/_temporary/*/*.jsonl"),
            rows("data")
        ],
        [2, 1, 1, 2]
    );
}

#[test]
fn a_text_file_that_is_named_is_read_beside_json() {
    let case = Case::new();
    case.write("a.jsonl", "{\"text\":\"a\"}\n");
    case.write("notes.txt", "some notes\n");
    let ran = case
        .run(&format!("{KEEP}dataset_path: [a.jsonl, notes.txt]\n"))
        .ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"a\"}\n{\"text\": \"some notes\\n\"}\n"
    );
}
