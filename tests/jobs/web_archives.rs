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

fn page(body: &str) -> Vec<u8> {
    let content = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}");
    let length = content.len();
    let head = format!(
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.org/\r\nContent-Length: {length}\r\n\r\n"
    );
    gz(format!("{head}{content}\r\n\r\n").as_bytes())
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
