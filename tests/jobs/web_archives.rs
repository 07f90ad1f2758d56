//! What commands tell of rows that come from WARC files: a row's place is its position in the file.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::djhost;

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn record(kind: &str, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: http://example.org/\r\nContent-Length: {length}\r\n\r\n"
    );
    gz(&[head.as_bytes(), content, b"\r\n\r\n"].concat())
}

fn response(content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\n");
    record("response", &[head.as_bytes(), body].concat())
}

fn page(body: &str) -> Vec<u8> {
    response("text/html", body.as_bytes())
}

fn ok(dir: &Path, args: &[&str]) -> String {
    let output = djhost(dir, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn places_are_positions_of_records() {
    let dir = crate::harness::directory();
    let mut bad = page("<p>damaged");
    let half = bad.len() / 2;
    bad[half] ^= 0x5a;
    let pages = [
        page("<p>a first page"),
        page("<p>x"),
        bad,
        page("<p>a last page"),
    ];
    let at = |n: usize| -> usize { pages[..n].iter().map(Vec::len).sum() };
    fs::write(dir.path().join("in.warc.gz"), pages.concat()).unwrap();
    let recipe = "dataset_path: in.warc.gz\nexport_path: out.jsonl\nwork_dir: work\nmax_unreadable_ratio: 1\nprocess:\n  \
         - text_length_filter: {text_key: html, min_len: 8}\n";
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    let plan = ok(dir.path(), &["plan", "recipe.yaml"]);
    assert!(
        plan.contains("4 rows") || plan.contains("about 4"),
        "{plan}"
    );
    ok(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--job_id", "job"],
    );
    let explain = |row: String| ok(dir.path(), &["explain", "work/job", &row]);
    let kept = explain(format!("in.warc.gz:{}", at(3)));
    assert!(kept.contains("it is in the result"), "{kept}");
    assert!(explain("in.warc.gz:0".to_owned()).contains("it is in the result"));
    let dropped = explain(format!("in.warc.gz:{}", at(1)));
    assert!(
        dropped.contains("text_length_filter") && dropped.contains("text_len 4"),
        "{dropped}"
    );
    let refused = explain(format!("in.warc.gz:{}", at(2)));
    assert!(refused.contains("its gzip data are damaged"), "{refused}");
    let by_value = ok(dir.path(), &["explain", "work/job", "--where", "html=<p>x"]);
    assert!(
        by_value.contains(&format!("in.warc.gz:{}", at(1))),
        "{by_value}"
    );
    let none = djhost(dir.path(), &["explain", "work/job", "in.warc.gz:7"]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("no row at byte 7"));
    let quarantine = ok(dir.path(), &["quarantine", "work/job", "show"]);
    assert!(
        quarantine.contains(&format!("in.warc.gz:{}", at(2))),
        "{quarantine}"
    );
    ok(
        dir.path(),
        &["dropped", "work/job", "--export", "dropped.jsonl"],
    );
    let dropped = fs::read_to_string(dir.path().join("dropped.jsonl")).unwrap();
    assert!(dropped.contains("<p>x"), "{dropped}");
    let analyzed = ok(
        dir.path(),
        &["analyze", "recipe.yaml", "--job_id", "analysis"],
    );
    assert!(analyzed.contains("text_len"), "{analyzed}");
}

#[test]
fn records_that_are_not_asked_for_are_counted() {
    let dir = crate::harness::directory();
    let request = record("request", b"GET / HTTP/1.1\r\n\r\n");
    let crawl = [
        record("warcinfo", b"software: none\r\n"),
        request.clone(),
        page("<p>a page"),
        request,
        response("image/png", b"\x89PNG\r\n\x1a\n"),
        record("<img onerror=x>", b""),
        page("<p>another page"),
    ];
    fs::write(dir.path().join("in.warc.gz"), crawl.concat()).unwrap();
    let run = |partitions: usize| {
        let recipe = format!(
            "dataset_path: in.warc.gz\nexport_path: out.jsonl\nwork_dir: work\npartition: {{mode: manual, num_of_partitions: {partitions}}}\n\
             checkpoint: {{strategy: every_op}}\nprocess:\n  - text_length_filter: {{text_key: html, min_len: 1}}\n"
        );
        fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
        let output = djhost(
            dir.path(),
            &["run", "recipe.yaml", "--job_id", "job", "--fresh"],
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let expected = "5 other records were not asked for: 2 request; 1 of an unusual type; 1 response, image/png; 1 warcinfo";
    for partitions in [1, 4] {
        let said = run(partitions);
        let line = said.lines().find(|line| line.contains("not asked for"));
        assert_eq!(line, Some(expected), "{said}");
        let rows = fs::read_to_string(dir.path().join("out.jsonl")).unwrap();
        assert_eq!(rows.lines().count(), 2);
    }
    // What a later attempt takes over has been counted.
    fs::remove_file(dir.path().join("out.jsonl")).unwrap();
    ok(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--job_id", "job"],
    );
    let summary = fs::read_to_string(dir.path().join("work/job/job_summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["ledger"]["passed_over"]["request"], 2, "{summary}");
}

#[test]
fn bodies_can_be_had_as_bytes() {
    let dir = crate::harness::directory();
    let png = b"\x89PNG\r\n\x1a\n\0\xff";
    let crawl = [response("image/png", png), page("<p>a page")];
    fs::write(dir.path().join("in.warc.gz"), crawl.concat()).unwrap();
    let recipe = "dataset_path: in.warc.gz\nexport_path: out.jsonl\nwarc: {body: base64, content_types: [image/*, text/html], fields: [content_type, charset]}\nprocess: []\n";
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    ok(dir.path(), &["run", "recipe.yaml", "--quiet"]);
    assert_eq!(
        fs::read_to_string(dir.path().join("out.jsonl")).unwrap(),
        "{\"content_type\":\"image/png\",\"charset\":null,\"bytes\":\"iVBORw0KGgoA/w==\"}\n\
         {\"content_type\":\"text/html\",\"charset\":null,\"bytes\":\"PHA+YSBwYWdl\"}\n"
    );
}
