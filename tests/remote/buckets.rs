//! What djhost asks a store of S3 for. (`tests/s3` has a whole one.)

use super::rows;
use crate::harness::Case;
use djhost::testing::web::Web;
use std::process::{Command, Stdio};

const SECRET: &str = "hunter2/hunter2+hunter2";

/// A run sees this store under every bucket's name.
fn at(web: &Web) -> Case {
    let mut case = Case::new();
    case.env = [
        ("AWS_ENDPOINT_URL", &*web.url("")),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_REGION", "eu-central-1"),
        ("DJHOST_TEST_RETRIES", "1"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    case
}

/// A page of the list of `count` objects, of which each has `bytes` bytes and a name that ends so.
fn page(asked: &str, count: usize, bytes: usize, end: &str) -> Option<String> {
    if !asked.contains("list-type=2") {
        return None;
    }
    let from = asked.split("continuation-token=").nth(1);
    let from: usize = from.map_or(0, |rest| rest.split('&').next().unwrap().parse().unwrap());
    let to = (from + 1000).min(count);
    let mut text = format!(
        "<ListBucketResult><IsTruncated>{}</IsTruncated>",
        to < count
    );
    if to < count {
        text += &format!("<NextContinuationToken>{to}</NextContinuationToken>");
    }
    for i in from..to {
        text += &format!(
            "<Contents><Key>many/{i:06}.{end}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"x\"</ETag><Size>{bytes}</Size></Contents>"
        );
    }
    Some(text + "</ListBucketResult>")
}

/// What `djhost plan recipe.yaml` prints.
fn plan(case: &Case) -> String {
    let planned = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["plan", "recipe.yaml"])
        .current_dir(case.path(""))
        .env("DJHOST_CACHE_DIR", crate::harness::cache())
        .env("HOME", case.path(""))
        .envs(case.env.iter().cloned())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&planned.stderr);
    assert!(planned.status.success(), "{stderr}");
    String::from_utf8(planned.stdout).unwrap()
}

#[test]
fn the_plan_of_many_parquet_files_reads_each_footer_once() {
    const OBJECTS: usize = 1500;
    let local = Case::with_input("{\"text\": \"a row of some length, as they are\"}\n");
    local
        .run("export_path: made/rows.parquet\nprocess: []\n")
        .ok();
    let rows = std::fs::read(local.path("made/rows.parquet")).unwrap();
    let (web, size) = (Web::new(), rows.len());
    web.put_tagged("/bucket/many/", "\"x\"", rows);
    web.answer(move |asked| page(&asked.path, OBJECTS, size, "parquet"));
    let case = at(&web);
    case.write(
        "recipe.yaml",
        "dataset_path: s3://bucket/many\nexport_path: out.parquet\nprocess:\n- text_length_filter:\n",
    );
    let text = plan(&case);
    assert!(text.contains("1,500"), "{text}");
    let asked = web.asked();
    // Of some also how large their values are, what they begin with, and rows.
    assert!(asked.len() < OBJECTS + 600, "{} requests", asked.len());
}

#[test]
fn the_plan_of_very_many_objects_looks_at_few() {
    const OBJECTS: usize = 100_000;
    let web = Web::new();
    let row = "{\"text\": \"a row of some length, as they are\"}\n";
    web.put_tagged("/bucket/many/", "\"x\"", row);
    web.answer(|asked| page(&asked.path, OBJECTS, row.len(), "jsonl"));
    let case = at(&web);
    case.write(
        "recipe.yaml",
        "dataset_path: s3://bucket/many\nexport_path: out.jsonl\nprocess:\n- text_length_filter:\n",
    );
    let text = plan(&case);
    assert!(
        text.contains("100,000") || text.contains("100000"),
        "{text}"
    );
    let asked = web.asked();
    let lists = asked
        .iter()
        .filter(|asked| asked.path.contains("list-type=2"));
    assert_eq!(lists.count(), OBJECTS / 1000);
    assert!(
        asked.len() - OBJECTS / 1000 < 400,
        "{} requests",
        asked.len()
    );
}

#[test]
fn credentials_are_used_and_not_written() {
    let (web, rows) = (Web::new(), rows());
    web.put("/bucket/rows.jsonl", &*rows);
    let case = at(&web);
    let recipe = "dataset_path: s3://bucket/rows.jsonl\nprocess:\n- text_length_filter:\n";
    case.run(recipe).ok();
    let is_signed = |asked: &djhost::testing::web::Asked| {
        asked.headers.get("authorization").is_some_and(|text| {
            text.starts_with("AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/")
                && text.contains("/eu-central-1/s3/")
        })
    };
    assert!(web.asked().iter().all(is_signed));
    web.fail(|asked| {
        asked
            .range
            .as_ref()
            .is_some_and(|r| r.start > 0)
            .then_some(djhost::testing::web::Fault::Status(403))
    });
    web.put("/bucket/rows.jsonl", rows.replace("words", "verbs"));
    case.run(recipe)
        .failed(1, &["s3://bucket/rows.jsonl", "403", "AWS_ACCESS_KEY_ID"]);
    let grep = Command::new("grep")
        .args(["-r", "-l", "-F", SECRET])
        .arg(case.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "");
}

#[test]
fn credentials_that_no_request_can_have_are_refused_by_the_name_of_their_variable() {
    let web = Web::new();
    web.put("/bucket/rows.jsonl", &*rows());
    let recipe = "dataset_path: s3://bucket/rows.jsonl\nprocess: []\n";
    let mut case = at(&web);
    case.env
        .push(("AWS_SESSION_TOKEN".to_owned(), "cut\nhere".to_owned()));
    let said = case.run(recipe).failed(2, &["`AWS_SESSION_TOKEN`"]).stderr;
    assert!(!said.contains("cut"), "{said}");

    let mut case = Case::new();
    case.write("token", "of-a-container\n");
    case.env = [
        ("AWS_ENDPOINT_URL", web.url("")),
        ("AWS_REGION", "us-east-1".to_owned()),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            web.url("/credentials"),
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            case.path("token").display().to_string(),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    case.run(recipe).failed(
        2,
        &["`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`", "line break"],
    );
    assert!(web.asked().is_empty());
}

#[test]
fn a_server_that_is_none_is_refused_by_the_name_of_its_variable() {
    let web = Web::new();
    web.put("/bucket/rows.jsonl", &*rows());
    let recipe = "dataset_path: s3://bucket/rows.jsonl\nprocess: []\n";
    for wrong in ["127.0.0.1:9000", "localhost:9000", "http://", "ftp://host"] {
        let mut case = at(&web);
        case.env
            .push(("AWS_ENDPOINT_URL".to_owned(), wrong.to_owned()));
        case.run(recipe)
            .failed(2, &["`AWS_ENDPOINT_URL` is no URL of a server"]);
    }
    let mut case = at(&web);
    case.env
        .retain(|(name, _)| !name.starts_with("AWS_ACCESS") && !name.starts_with("AWS_SECRET"));
    case.env
        .push(("AWS_PROFILE".to_owned(), "nobody".to_owned()));
    case.run(recipe)
        .failed(2, &["there is no profile `nobody` (AWS_PROFILE)"]);
    assert!(web.asked().is_empty());
    // Without a value it is not set.
    let mut case = at(&web);
    case.env.extend(
        [
            ("AWS_ENDPOINT_URL", String::new()),
            ("AWS_ENDPOINT_URL_S3", web.url("")),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    case.run(recipe).ok();
}

#[test]
fn a_profile_has_keys_region_and_endpoint() {
    let (web, rows) = (Web::new(), rows());
    web.put("/bucket/rows.jsonl", &*rows);
    let mut case = at(&web);
    case.env = vec![("AWS_PROFILE".to_owned(), "work".to_owned())];
    case.write(
        ".aws/credentials",
        format!("[work]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = {SECRET}\n"),
    );
    case.write(
        ".aws/config",
        format!(
            "[profile work]\nregion = eu-north-1\nendpoint_url = {}\n",
            web.url("")
        ),
    );
    case.run("dataset_path: s3://bucket/rows.jsonl\nprocess: []\n")
        .ok();
    let authorization = &web.asked()[0].headers["authorization"];
    assert!(
        authorization.contains("AKIAOTHER") && authorization.contains("eu-north-1"),
        "{authorization}"
    );
    case.env
        .push(("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()));
    case.write(".aws/credentials", "");
    case.run("dataset_path: s3://bucket/rows.jsonl\nprocess: []\n")
        .failed(
            2,
            &["there are no credentials for S3", "AWS_SKIP_SIGNATURE"],
        );
    case.env
        .push(("AWS_SKIP_SIGNATURE".to_owned(), "true".to_owned()));
    case.run("dataset_path: s3://bucket/rows.jsonl\nprocess: []\n")
        .ok();
    assert!(
        !web.asked()
            .last()
            .unwrap()
            .headers
            .contains_key("authorization")
    );
}
