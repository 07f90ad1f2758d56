//! What operators use, and plugins, from servers: fetched once, and again when it is another one.

use super::hub_server::{Hub, TOKEN};
use super::stores::{Stand, djhost};
use crate::harness::Case;
use crate::sandbox::guests;
use std::fs;
use std::path::Path;
use std::process::Output;

const ROWS: &str = "{\"text\": \"The weather is nice today, and we are going for a walk.\"}\n\
                    {\"text\": \"今天天气很好,我们去公园散步。\"}\n";

fn example(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/examples/files");
    fs::read(dir.join(name)).unwrap()
}

/// What is printed, without regard to where lines end.
fn said(output: &Output) -> String {
    let text = [&*output.stdout, &*output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn plugins_are_taken_from_a_bucket() {
    let (stand, case) = (Stand::new(), Case::with_input(ROWS));
    stand.put("pail/ops/v1/rogue.wasm", guests::component());
    stand.put("pail/ops/readme.txt", b"no component");
    case.write(
        "recipe.yaml",
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nprocess:\n- rogue_filter: {how: behave}\n",
    );
    let run = |args: &[&str]| djhost(&case, &stand, "one", args);
    let job = ["--work_dir", "work", "--job_id", "job", "--quiet"];
    for plugins in ["gs://pail/ops", "gs://pail/ops/v1/rogue.wasm"] {
        let listed = said(&run(&["ops", "list", "--plugins", plugins]));
        assert!(listed.contains("rogue_filter"), "{listed}");
        let args = [&["run", "recipe.yaml", "--plugins", plugins][..], &job].concat();
        let ran = run(&args);
        assert!(ran.status.success(), "{}", said(&ran));
        assert_eq!(fs::read_to_string(case.path("out.jsonl")).unwrap(), ROWS);
    }
    let gets = || {
        let asked = stand.asked();
        let is_get = |line: &&String| line.starts_with("GET") && line.ends_with("rogue.wasm");
        asked.iter().filter(is_get).count()
    };
    // Once below the prefix and once alone.
    assert_eq!(gets(), 2);
    let wrong = run(&["ops", "list", "--plugins", "gs://pail/none"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        said(&wrong).contains("`gs://pail/none`: there is no such file, and no such file below it"),
        "{}",
        said(&wrong)
    );
    // Another version is fetched, and found to be none.
    stand.put("pail/ops/v1/rogue.wasm", &guests::component()[..1000]);
    let wrong = run(&["ops", "list", "--plugins", "gs://pail/ops"]);
    assert!(said(&wrong).contains("rogue.wasm"), "{}", said(&wrong));
    assert_eq!(gets(), 3);
}

/// What the classifier leaves, with the model that is written so.
fn classified(case: &Case, settings: &str, model: &str) -> crate::harness::Ran {
    case.run(&format!(
        "{settings}process:\n- fasttext_classifier_filter: {{model: '{model}', label: LATIN, min_score: 0.9}}\n"
    ))
}

#[test]
fn models_and_lists_are_taken_from_google_and_azure() {
    for scheme in ["gs", "az"] {
        let (stand, case) = (Stand::new(), Case::with_input(""));
        stand.put("pail/models/v1/script.ftz", &example("script.ftz"));
        stand.put("pail/lists/domains.txt", b"# Shops\nshop.example\n");
        let rows = [
            r#"{"text": "The weather is nice today.", "url": "https://www.example.org/"}"#,
            r#"{"text": "The weather is nice today.", "url": "https://www.shop.example/"}"#,
            r#"{"text": "今天天气很好,我们去公园散步。", "url": "https://www.example.org/"}"#,
        ];
        case.write("in.jsonl", rows.join("\n"));
        let run = |model: &str| {
            let recipe = format!(
                "dataset_path: in.jsonl\nexport_path: out.jsonl\nmodel_dir: {scheme}://pail/models\nprocess:\n\
                 - fasttext_classifier_filter: {{model: '{model}', label: LATIN, min_score: 0.9}}\n\
                 - url_filter: {{extra_domains: {scheme}://pail/lists/domains.txt}}\n"
            );
            case.write("recipe.yaml", recipe);
            let job = ["--work_dir", "work", "--job_id", "job", "--quiet"];
            djhost(
                &case,
                &stand,
                "one",
                &[&["run", "recipe.yaml"][..], &job].concat(),
            )
        };
        for model in [
            &format!("{scheme}://pail/models/v1/script.ftz"),
            "v1/script.ftz",
        ] {
            let ran = run(model);
            assert!(ran.status.success(), "{scheme}: {}", said(&ran));
            let out = fs::read_to_string(case.path("out.jsonl")).unwrap();
            assert_eq!(out.trim_end(), rows[0], "{scheme}");
        }
        let is_get = |name: &str| {
            let asked = stand.asked();
            let is_get = |line: &&String| line.starts_with("GET") && line.ends_with(name);
            asked.iter().filter(is_get).count()
        };
        assert_eq!(
            (is_get("script.ftz"), is_get("domains.txt")),
            (1, 1),
            "{scheme}"
        );
        let wrong = run(&format!("{scheme}://pail/models/none.ftz"));
        assert_eq!(wrong.status.code(), Some(2));
        let says = format!("`{scheme}://pail/models/none.ftz`: there is no such file");
        assert!(said(&wrong).contains(&says), "{}", said(&wrong));
    }
}

#[test]
fn models_are_taken_from_the_hub_at_a_commit() {
    let model = example("script.ftz");
    let hub = Hub::new()
        .with("model/me/scripts@main", &[("v1/script.ftz", &model)])
        .with("me/scripts@main", &[("script.ftz", &model)]);
    let mut case = Case::with_input(ROWS);
    case.write("local.ftz", &model);
    let expected = classified(&case, "", "local.ftz").ok().output;
    assert_eq!(
        expected.as_deref(),
        Some(ROWS.split_inclusive('\n').next().unwrap().as_bytes())
    );
    case.env = [
        ("HF_ENDPOINT", hub.web.url("")),
        ("HF_TOKEN", TOKEN.to_owned()),
        ("DJHOST_TEST_RETRIES", "1".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .to_vec();
    let commit = hub.commits("model/me/scripts@main")[0].id.clone();
    for (settings, written, address) in [
        (
            "",
            "hf://me/scripts/v1/script.ftz",
            "hf://me/scripts@C/v1/script.ftz",
        ),
        (
            "model_dir: [missing, hf://me/scripts@main/v1]\n",
            "script.ftz",
            "hf://me/scripts@C/v1/script.ftz",
        ),
        (
            "models: {mine: hf://datasets/me/scripts/script.ftz}\n",
            "mine",
            "hf://datasets/me/scripts@",
        ),
    ] {
        let ran = classified(&case, settings, written).ok();
        assert_eq!(ran.output, expected, "{written}");
        let plan = fs::read_to_string(case.path("work/job/dag_execution_plan.json")).unwrap();
        assert!(plan.contains(&address.replace('C', &commit)), "{plan}");
        assert!(!plan.contains(TOKEN));
    }
    let bodies = |name: &str| {
        let asked = hub.web.asked();
        let is_all = |range: &std::ops::Range<u64>| range.end - range.start > 1;
        asked
            .iter()
            .filter(|asked| asked.path.ends_with(name) && asked.range.as_ref().is_none_or(is_all))
            .count()
    };
    assert_eq!(bodies("v1/script.ftz"), 1);
    classified(&case, "", "hf://me/scripts/none.ftz").failed(
        2,
        &["there is no fasttext model `hf://me/scripts/none.ftz`: there is no such file"],
    );
    classified(&case, "", "hf://me/no-such/x.ftz")
        .failed(2, &["the server answers 404", "check the name"]);
    classified(&case, "", "hf://scripts").failed(
        2,
        &["does not name a model of the hub", "hf://OWNER/NAME/PATH"],
    );
    // The branch moves on: the file at the new commit is another one.
    let files = [("v1/script.ftz".to_owned(), b"no model at all".to_vec())];
    hub.state
        .lock()
        .unwrap()
        .add("model/me/scripts@main", files.into(), "second");
    let ran = classified(&case, "", "hf://me/scripts/v1/script.ftz");
    let latest = hub.commits("model/me/scripts@main")[1].id.clone();
    let address = format!("`hf://me/scripts@{latest}/v1/script.ftz`");
    let ran = ran.failed(2, &[&address]);
    assert!(!ran.stderr.contains("fetched"), "{}", ran.stderr);
    let earlier = format!("hf://me/scripts@{commit}/v1/script.ftz");
    assert_eq!(classified(&case, "", &earlier).ok().output, expected);
}
