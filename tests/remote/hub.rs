//! Datasets of the hub, by a stand-in for its API.

use super::rows;
use crate::harness::{Case, Ran};
use djhost::testing::web::Web;
use std::fs;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "hf_hunter2";

fn at(web: &Web) -> Case {
    let mut case = Case::new();
    case.env = vec![
        ("HF_ENDPOINT".to_owned(), web.url("")),
        ("HF_TOKEN".to_owned(), TOKEN.to_owned()),
    ];
    case
}

fn run(case: &Case, place: &str) -> Ran {
    case.run(&format!("dataset_path: {place}\nprocess: []\n"))
}

/// A hub with one dataset: two files of rows on another server, and what lies beside them.
fn hub(first: &str, second: &str) -> (Web, Web) {
    let (web, store) = (Web::new(), Web::new());
    web.put_answer(
        "/api/datasets/me/mine/revision/main",
        200,
        &[],
        &format!("{{\"sha\": \"{COMMIT}\"}}"),
    );
    let tree = format!("/api/datasets/me/mine/tree/{COMMIT}");
    let entry = |path: &str, size: usize| {
        format!("{{\"type\": \"file\", \"path\": \"{path}\", \"size\": {size}, \"oid\": \"x\"}}")
    };
    let next = web.url(&format!("{tree}?recursive=true&cursor=2"));
    web.put_answer(
        &format!("{tree}?recursive=true"),
        200,
        &[("Link", &format!("<{next}>; rel=\"next\""))],
        &format!(
            "[{{\"type\": \"directory\", \"path\": \"data\"}}, {}, {}]",
            entry(".gitattributes", 9),
            entry("README.md", 9)
        ),
    );
    let files = format!(
        "[{}, {}]",
        entry("data/b c.jsonl", second.len()),
        entry("data/a.jsonl", first.len())
    );
    web.put_answer(&format!("{tree}?recursive=true&cursor=2"), 200, &[], &files);
    web.put_answer(&format!("{tree}/data?recursive=true"), 200, &[], &files);
    let file = format!("/datasets/me/mine/resolve/{COMMIT}/data");
    store.put("/large", first);
    web.put_answer(
        &format!("{file}/a.jsonl"),
        302,
        &[("Location", &store.url("/large"))],
        "",
    );
    // Small files come from the hub itself, whole.
    web.put_plain(&format!("{file}/b%20c.jsonl"), second);
    web.put_plain(
        &format!("/datasets/me/mine/resolve/{COMMIT}/README.md"),
        "# A card\n",
    );
    (web, store)
}

#[test]
fn a_dataset_is_read_at_a_commit() {
    let (first, second) = (rows(), "{\"text\": \"the last row\"}\n");
    let (web, store) = hub(&first, second);
    for place in [
        "hf://datasets/me/mine".to_owned(),
        "hf://datasets/me/mine@main/data".to_owned(),
        format!("hf://datasets/me/mine@{COMMIT}/data/*.jsonl"),
    ] {
        let case = at(&web);
        let ran = run(&case, &place).ok();
        assert!(
            ran.output.as_deref() == Some(format!("{first}{second}").as_bytes()),
            "{place}"
        );
        let table = fs::read_to_string(case.path("work/job/partitions/partitions.json")).unwrap();
        assert!(table.contains(COMMIT));
    }
    let case = at(&web);
    assert_eq!(
        run(&case, "hf://datasets/me/mine/data/b c.jsonl")
            .ok()
            .text(),
        second
    );
    // The token is for the hub alone, and nowhere in the job.
    let bearer = format!("Bearer {TOKEN}");
    assert!(
        web.asked()
            .iter()
            .all(|asked| asked.headers.get("authorization") == Some(&bearer))
    );
    assert!(
        store
            .asked()
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
    let grep = std::process::Command::new("grep")
        .args(["-r", "-l", TOKEN])
        .arg(case.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "");
}

#[test]
fn mistakes_of_the_hub_say_what_to_do() {
    let (web, _store) = hub("", "");
    let case = at(&web);
    run(&case, "hf://datasets/me/other").failed(2, &["hf://datasets/me/other", "404", "HF_TOKEN"]);
    web.put_answer("/api/datasets/me/gated/revision/main", 401, &[], "{}");
    run(&case, "hf://datasets/me/gated").failed(2, &["the server answers 401", "accept its terms"]);
    run(&case, "hf://datasets/me/mine/nothing").failed(2, &["there is no such object"]);
    run(&case, "hf://models/me/mine").failed(
        2,
        &["is no dataset of the hub", "hf://datasets/OWNER/NAME/PATH"],
    );
    run(&case, "hf://datasets/mine").failed(2, &["does not name a dataset of the hub"]);
    for wrong in [
        "http://user:secret@host",
        "host:1",
        "https://host/?k=secret",
    ] {
        let mut case = at(&web);
        case.env.push(("HF_ENDPOINT".to_owned(), wrong.to_owned()));
        let ran = run(&case, "hf://datasets/me/mine").failed(2, &["HF_ENDPOINT", "HF_TOKEN"]);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}
