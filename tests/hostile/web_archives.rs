//! WARC and HTML files through the program: every record is a row, no row by its type, or in
//! quarantine.

use std::io::Write;

use crate::harness::Case;

const PAGES: &str = "process:\n  - text_length_filter: {text_key: html, min_len: 0}\nmax_quarantine_ratio: 1\nmax_unreadable_ratio: 1\n";

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn record(ty: &str, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = format!("WARC/1.1\r\nWARC-Type: {ty}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn page(body: &[u8]) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    record("response", &[&head[..], body].concat())
}

#[test]
fn records_are_rows_or_in_quarantine() {
    let cut = gz(&page(b"<p>this member is cut"));
    let file = [
        gz(&record("warcinfo", b"")),
        gz(&page(b"<p>one")),
        cut[..cut.len() / 2].to_vec(),
        gz(&record("request", b"GET / HTTP/1.1\r\n\r\n")),
        gz(&record(
            "revisit",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n",
        )),
        gz(&record("response", b"no header")),
        gz(&record("metadata", b"a: b")),
        gz(&page(b"<p>two")),
        gz(&page(&vec![b'x'; 40 << 20])),
        vec![0; 100],
        gz(&page(b"<p>three\0")),
        b"trailing bytes".to_vec(),
    ]
    .concat();
    let case = Case::new();
    case.write("in.warc.gz", file);
    for partitions in [1, 4] {
        let ran = case
            .run(&format!(
                "{PAGES}dataset_path: in.warc.gz\nmax_row_mb: 8\npartition: {{mode: manual, num_of_partitions: {partitions}}}\n"
            ))
            .ok();
        let pages: Vec<&str> = ["one", "two", "three"].to_vec();
        let text = ran.text();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(
            text.lines()
                .zip(pages)
                .all(|(row, page)| row.contains(page))
        );
        let reasons: Vec<&str> = ran
            .quarantine
            .iter()
            .map(|e| e["reason"].as_str().unwrap())
            .collect();
        let wanted = [
            "the checksum of its gzip member does not fit its content",
            "it has no HTTP header",
            "the record has 41943",
            "14 bytes here are not packed as the rest of the file is",
        ];
        assert_eq!(reasons.len(), wanted.len(), "{reasons:?}");
        assert!(
            reasons
                .iter()
                .zip(wanted)
                .all(|(is, wanted)| is.starts_with(wanted)),
            "{reasons:?}"
        );
        assert_eq!(ran.summary["ledger"]["read"], 7);
    }
}

#[test]
fn the_recipe_chooses_records() {
    let text = |ty: &str| {
        record(
            "response",
            format!("HTTP/1.1 200 OK\r\nContent-Type: {ty}\r\n\r\nof {ty}").as_bytes(),
        )
    };
    let typed = |ty: &str| {
        let head = format!(
            "WARC/1.1\r\nWARC-Type: {ty}\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nof\r\n\r\n"
        );
        head.into_bytes()
    };
    let file = [
        text("text/html"),
        text("text/plain; charset=us-ascii"),
        text("image/png"),
        typed("resource"),
        typed("conversion"),
        typed("metadata"),
    ]
    .concat();
    let rows = |warc: &str| {
        let case = Case::new();
        case.write("in.warc", &file);
        let ran = case.run(&format!(
            "process: []\ndataset_path: in.warc\nwarc: {warc}\n"
        ));
        ran.ok().text().to_owned()
    };
    assert_eq!(rows("{}").lines().count(), 2);
    assert_eq!(rows("{content_types: ['text/*']}").lines().count(), 3);
    assert_eq!(
        rows("{content_types: ['*/*'], record_types: response}")
            .lines()
            .count(),
        3
    );
    assert_eq!(
        rows("{record_types: [resource, metadata]}").lines().count(),
        2
    );
    assert_eq!(
        rows("{record_types: [response], fields: [record_type, status]}"),
        "{\"record_type\":\"response\",\"status\":200,\"html\":\"of text/html\"}\n"
    );
    let case = Case::new();
    case.write("in.warc", &file);
    for (warc, words) in [
        (
            "{record_types: [reponse]}",
            ["warc.record_types", "did you mean `response`?"],
        ),
        ("{fields: [address]}", ["warc.fields", "`content_type`"]),
        ("{max_record_mb: 0}", ["warc.max_record_mb", "1 and 1024"]),
        ("{types: response}", ["warc.types", "record_types"]),
    ] {
        case.run(&format!(
            "process: []\ndataset_path: in.warc\nwarc: {warc}\n"
        ))
        .failed(2, &words);
    }
}

#[test]
fn pages_and_rows_do_not_mix() {
    let case = Case::new();
    case.write("in/a.html", "<p>a page");
    case.write("in/b.jsonl", "{\"text\": \"a\"}\n");
    let ran = case.run("process: []\ndataset_path: [in/a.html, in/b.jsonl]\n");
    ran.failed(
        2,
        &["b.jsonl", "holds no web pages", "name them in two jobs"],
    );
    let ran = case.run("process: []\ndataset_path: in/a.html\n").ok();
    assert!(
        ran.text().ends_with("\"html\":\"<p>a page\"}\n"),
        "{}",
        ran.text()
    );
}

#[test]
fn a_page_that_takes_too_long_goes_to_quarantine() {
    let long = "<div><p>A sentence of a page, and a <b>link</b>.</p></div>".repeat(40_000);
    let case = Case::new();
    case.write(
        "in.warc",
        [page(b"<p>A short page.</p>"), page(long.as_bytes())].concat(),
    );
    // A tenth of what the page takes, of which the size counts: a fast machine has no time either.
    // Far above the short one.
    let ran = case
        .run(
            "dataset_path: in.warc\nmax_quarantine_ratio: 1\nprocess:\n  - html_extract_mapper:\n      \
             limits: {timeout_s: 0.01, row_timeout_s: 0.002, memory_mb: 2000}\n",
        )
        .ok();
    assert_eq!(ran.text().lines().count(), 1);
    assert_eq!(ran.quarantine.len(), 1);
    let reason = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(reason.contains("out of time"), "{reason}");
}
