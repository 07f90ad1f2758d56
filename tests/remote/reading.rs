use super::{PROCESS, expected, rows, run};
use crate::harness::Case;
use djhost::testing::web::Web;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;

#[test]
fn rows_are_read_by_ranges() {
    let (web, rows) = (Web::new(), rows());
    web.put("/data/rows.jsonl", &*rows);
    let case = Case::new();
    let ran = run(&case, &web.url("/data/rows.jsonl")).ok();
    assert!(ran.output.unwrap() == expected(&rows));
    let asked = web.asked();
    assert!(asked.iter().all(|asked| asked.range.is_some()), "{asked:?}");
    // All of it once, and what was looked at before: its beginning, and samples of it.
    assert!(
        web.sent() < 2 * rows.len() as u64 + (5 << 20),
        "{}",
        web.sent()
    );
    // The job is complete: nothing is read again.
    let before = web.sent();
    run(&case, &web.url("/data/rows.jsonl")).ok();
    assert!(web.sent() - before < 200_000);
}

/// A new one for each request would be a handshake for every 2 MB.
#[test]
fn connections_are_used_again() {
    let (web, rows) = (Web::new(), rows().repeat(8));
    web.put("/rows.jsonl", &*rows);
    let case = Case::new();
    case.run(&format!(
        "dataset_path: {}\nnp: 1\n{PROCESS}",
        web.url("/rows.jsonl")
    ))
    .ok();
    let (asked, made) = (web.asked().len(), web.connections());
    assert!(
        asked > 12 && made < 8,
        "{asked} requests, {made} connections"
    );
    // Samples of rows are not read ahead of.
    assert!(web.sent() < 2 * rows.len() as u64, "{}", web.sent());
}

#[test]
fn packed_files_and_tables_are_streams() {
    let (web, rows) = (Web::new(), rows());
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(rows.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    web.put("/rows.jsonl.gz", &*packed);
    // A server that gives no parts, such as Python's.
    web.put_plain("/whole.jsonl.gz", &*packed);
    web.put_plain("/whole.jsonl", &*rows);
    let expected = expected(&rows);
    for path in ["/rows.jsonl.gz", "/whole.jsonl.gz", "/whole.jsonl"] {
        let case = Case::new();
        assert!(
            run(&case, &web.url(path)).ok().output.unwrap() == expected,
            "{path}"
        );
    }
    let case = Case::new();
    web.put("/table.csv", "text,n\nsome words,1\nmore words,2\n");
    let ran = case
        .run(&format!(
            "dataset_path: {}\nprocess: []\n",
            web.url("/table.csv")
        ))
        .ok();
    assert_eq!(
        ran.text(),
        "{\"text\":\"some words\",\"n\":1}\n{\"text\":\"more words\",\"n\":2}\n"
    );
}

#[test]
fn columns_are_read_by_ranges_or_not_at_all() {
    let (web, rows) = (Web::new(), rows());
    // Made by djhost itself.
    let local = Case::with_input(&rows);
    local
        .run("export_path: out/all.parquet\nprocess: []\n")
        .ok();
    let columns = fs::read(local.path("out/all.parquet")).unwrap();
    fs::remove_file(local.path("out/all.parquet")).unwrap();
    local.write("all.parquet", &columns);
    let recipe =
        |place: &str| format!("dataset_path: {place}\nexport_path: out/result.jsonl\n{PROCESS}");
    let expected = local.run(&recipe("all.parquet")).ok().output.unwrap();
    web.put("/all.parquet", &*columns);
    let case = Case::new();
    assert!(
        case.run(&recipe(&web.url("/all.parquet")))
            .ok()
            .output
            .unwrap()
            == expected
    );
    assert!(web.asked().iter().all(|asked| asked.range.is_some()));
    web.put_plain("/whole.parquet", columns);
    let url = web.url("/whole.parquet");
    case.run(&recipe(&url))
        .failed(2, &[&url, "gives no parts of files", "download it first"]);
}

#[test]
fn several_files_are_read_in_their_order() {
    let web = Web::new();
    web.put("/b.jsonl", "{\"text\": \"second\"}\n");
    web.put("/a.jsonl", "{\"text\": \"third\"}\n");
    let case = Case::with_input("{\"text\": \"first\"}\n");
    let list = format!(
        "dataset_path: [in.jsonl, \"{}\", \"{}\"]\nprocess: []\n",
        web.url("/b.jsonl"),
        web.url("/a.jsonl")
    );
    let texts = "{\"text\": \"first\"}\n{\"text\": \"second\"}\n{\"text\": \"third\"}\n";
    assert_eq!(case.run(&list).ok().text(), texts);
}

#[test]
fn checkpoints_are_completed_from_the_server() {
    let (web, rows) = (Web::new(), rows());
    web.put("/rows.jsonl", &*rows);
    let case = Case::new();
    let recipe = format!(
        "dataset_path: {}\ncheckpoint: {{enabled: true, strategy: every_op}}\n{PROCESS}",
        web.url("/rows.jsonl")
    );
    case.run(&recipe).ok();
    let before = web.sent();
    let more = "- document_deduplicator:\n";
    let ran = case.run(&format!("{recipe}{more}")).ok();
    // What the checkpoint does not have was fetched.
    assert!(web.sent() > before);
    let local = Case::with_input(&rows);
    let wanted = local.run(&format!("{PROCESS}{more}")).ok();
    assert!(ran.output.unwrap() == wanted.output.unwrap());
}

#[test]
fn mistakes_are_said_before_any_work() {
    let web = Web::new();
    let case = Case::new();
    let url = web.url("/no.jsonl");
    run(&case, &url).failed(2, &[&url, "the server answers 404"]);
    for (place, parts) in [
        (
            "https://me:hunter2@host/x.jsonl",
            &["a user or a password", "https://host/x.jsonl"][..],
        ),
        (
            "https://host/x.jsonl?sig=hunter2",
            &["a part after `?`", "https://host/x.jsonl"],
        ),
        ("http://host/data/", &["is no file", "name each of them"]),
        (
            "hdfs://bucket/x.jsonl",
            &["`hdfs://` is not supported", "s3://BUCKET/KEY"],
        ),
        (
            "file:///data/x.jsonl",
            &["a local file is named by its path", "/data/x.jsonl"],
        ),
    ] {
        let ran = run(&case, &format!("\"{place}\"")).failed(2, parts);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    web.put("/page.jsonl", "<!doctype html><p>Sign in");
    run(&case, &web.url("/page.jsonl")).failed(2, &["page.jsonl", "an HTML page"]);
}

/// The small crawl is read by ranges where the server gives them, and a page is known by its address.
#[test]
fn web_archives_and_pages_are_read_elsewhere() {
    let crawl = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/configs/data/crawl/crawl.warc.gz"
    );
    let (web, bytes) = (Web::new(), fs::read(crawl).unwrap());
    web.put("/crawl.warc.gz", &*bytes);
    web.put_plain("/whole.warc.gz", &*bytes);
    web.put(
        "/page.html",
        "<title>A page</title><p>The text of a page.</p>",
    );
    let read = |path: &str| {
        let case = Case::new();
        let recipe = format!(
            "dataset_path: {path}\nprocess:\n  - url_filter:\n  - html_extract_mapper: {{drop_empty: true}}\n"
        );
        case.run(&recipe).ok().text().to_owned()
    };
    let local = read(crawl);
    assert_eq!(local.lines().count(), 10);
    for path in ["/crawl.warc.gz", "/whole.warc.gz"] {
        assert!(read(&web.url(path)) == local, "{path}");
    }
    let page: serde_json::Value = serde_json::from_str(&read(&web.url("/page.html"))).unwrap();
    assert_eq!(page["url"], web.url("/page.html"));
}
