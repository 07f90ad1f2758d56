//! Models that an op is lent: it has those of its parameters, asks in vain for all else, and suffers
//! alone where it breaks the rules.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::harness::{Case, guest::build};
use crate::sandbox::lines;

/// The guilty row among those of the dataset.
const GUILTY: usize = 3;

/// A case with an operator that is lent a model, and the model.
fn case() -> Case {
    let mut case = Case::with_input(lines(20, &[GUILTY]).concat());
    let component = build("tests/guests/borrower", "djhost-test-borrower");
    case.write("plugins/borrower.wasm", std::fs::read(component).unwrap());
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/models/lang.ftz");
    case.write("models/lang.ftz", std::fs::read(model).unwrap());
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    case
}

fn asking(params: &str) -> String {
    format!(
        "keep_stats_in_res_ds: true\nmax_quarantine_ratio: 0.5\nprocess:\n  - borrower_filter: {{{params}}}\n"
    )
}

const LENT: &str = "model: models/lang.ftz, ";

/// What the host answered.
#[track_caller]
fn answer(case: &Case, params: &str) -> String {
    let ran = case.run(&asking(params)).ok();
    let row: Value = serde_json::from_str(ran.text().lines().nth(GUILTY).unwrap()).unwrap();
    row["__dj__stats__"]["answer"].as_str().unwrap().to_owned()
}

/// `djhost plan` for the recipe that ran last.
fn plan(case: &Case, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(["plan", "recipe.yaml", "--plugins", "plugins"])
        .args(args)
        .current_dir(case.path(""))
        .env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        )
        .output()
        .unwrap()
}

#[test]
fn an_op_has_the_models_of_its_parameters_and_no_others() {
    let case = case();
    let answer = |how: &str| answer(&case, &format!("{LENT}how: {how}"));
    assert_eq!(answer("lent"), "model");
    assert_eq!(answer("open"), "0 opened");
    let size = std::fs::metadata(case.path("models/lang.ftz"))
        .unwrap()
        .len();
    let classified = answer("classify");
    assert!(
        classified.ends_with(&format!(" labels, {size}")),
        "{classified}"
    );
    assert_eq!(answer("reopen"), "reopened");
}

#[test]
fn wrong_calls_are_answered_with_errors() {
    let case = case();
    let answer = |how: &str| answer(&case, &format!("{LENT}how: {how}"));
    assert_eq!(answer("another_kind"), "8 refused");
    assert_eq!(answer("layouts"), "8 refused");
    assert!(answer("too_much").contains("ask for fewer texts at once"));
}

/// With a network besides.
fn with_network() -> Case {
    let case = case();
    let network = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/host/models/tests/small/encoder.onnx"
    );
    case.write("models/encoder.onnx", std::fs::read(network).unwrap());
    case
}

const NETWORK: &str = "network: models/encoder.onnx, ";

#[test]
fn a_network_answers_within_its_bounds() {
    let case = with_network();
    let answer = |how: &str| answer(&case, &format!("{NETWORK}how: {how}"));
    assert_eq!(answer("network"), "2 inputs, [1, 7, 4]");
    assert_eq!(answer("tensors"), "10 of 10 refused");
    let wide = answer("wide");
    assert!(
        wide.contains("would take the call beyond 1024 MB"),
        "{wide}"
    );
    let long =
        format!("{NETWORK}how: long_network, limits: {{timeout_s: 0.2, row_timeout_s: 0.2}}");
    let ran = case.run(&asking(&long)).ok();
    assert_eq!(crate::sandbox::quarantined(&ran), [GUILTY]);
    let said = ran.quarantine[0]["reason"].as_str().unwrap();
    assert!(said.contains("out of time"), "{said}");
}

#[test]
fn a_list_is_lent_as_a_model_is() {
    let case = case();
    case.write("lists/words.txt", "# words\nA b\n\n");
    let list = "list: lists/words.txt, how: list";
    assert_eq!(
        answer(&case, list),
        "Ok([true, false, false]) Ok([1, 0, 2]) [true, true, true]"
    );
    case.write("lists/words.txt", b"ab\n\xff\n");
    case.run(&asking(list)).failed(
        2,
        &[
            "process[0].borrower_filter.list",
            "lists/words.txt",
            "line 2 is not UTF-8",
        ],
    );
}

#[test]
fn hostile_calls_cost_the_row_that_makes_them() {
    let case = case();
    for (how, reason) in [
        (
            "hoard",
            "it holds too many files, streams or the like at once",
        ),
        ("closed", "unknown handle index"),
        ("huge", "larger than"),
        (
            "long, limits: {timeout_s: 0.2, row_timeout_s: 0.2}",
            "out of time",
        ),
    ] {
        let ran = case.run(&asking(&format!("{LENT}how: {how}"))).ok();
        assert_eq!(crate::sandbox::quarantined(&ran), [GUILTY], "{how}");
        let said = ran.quarantine[0]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{how}: {said}");
        assert_eq!(ran.text().lines().count(), 19, "{how}");
    }
}

#[test]
fn an_operator_that_imports_the_service_needs_a_grant() {
    let mut case = case();
    let refusal = [
        "recipe.yaml:4: process[0].borrower_filter",
        "`borrower_filter` imports `djhost:op/models@0.2.0`, models that the host lends, and the recipe grants it none",
        "add `grants: {models: true}`",
    ];
    case.run(&asking("how: lent")).failed(2, &refusal);
    assert!(!case.path("work").exists(), "something was started");
    let planned = plan(&case, &[]);
    let said = String::from_utf8_lossy(&planned.stderr);
    assert_eq!(planned.status.code(), Some(2), "{said}");
    for part in refusal {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    assert_eq!(answer(&case, "how: lent, grants: {models: true}"), "");
    // A plugin gets no model because it asks for a file's name.
    case.args
        .extend(["--model-dir", "models"].map(str::to_owned));
    case.run(&asking("how: lent")).failed(2, &refusal);
    assert_eq!(answer(&case, "model: lang.ftz, how: lent"), "model");
}

#[test]
fn mistakes_are_found_while_planning() {
    let case = case();
    case.write(
        "models/cut.ftz",
        &std::fs::read(case.path("models/lang.ftz")).unwrap()[..500],
    );
    for (params, reasons) in [
        (
            "model: models/no.ftz",
            [
                "process[0].borrower_filter.model: there is no fasttext model `models/no.ftz`: no model directory is given",
                "`--model-dir`",
            ],
        ),
        ("model: models/cut.ftz", ["models/cut.ftz", "damaged"]),
        ("model: in.jsonl", ["in.jsonl", "not a fastText model"]),
        ("model: models", ["models", "is not a file"]),
        ("grants: {models: 1}", ["grants.models", "true or false"]),
    ] {
        case.run(&asking(params)).failed(2, &reasons);
        assert!(!case.path("work").exists(), "something was started");
    }
    case.run(&format!(
        "models: {{mine: gone.ftz}}\n{}",
        asking("model: mine")
    ))
    .failed(2, &["`models` names `gone.ftz`, which does not exist"]);
}

#[test]
fn a_changed_model_is_another_op_and_plan_shows_it() {
    let case = case();
    let recipe = format!(
        "models: {{mine: models/lang.ftz}}\n{}",
        asking("model: mine, how: lent")
    );
    assert!(case.run(&recipe).ok().text().contains("model"));
    let plan = |args: &[&str]| {
        let output = plan(&case, args);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = plan(&[]);
    let mut bytes = std::fs::read(case.path("models/lang.ftz")).unwrap();
    let digest = hex::encode(Sha256::digest(&bytes));
    for shown in [
        "needs models\n",
        "is lent the fasttext model `models/lang.ftz` (`model`): ",
        &format!("for all workers, sha256 {}…", &digest[..12]),
        "interruptible, imports `djhost:op/models@0.2.0`)",
    ] {
        assert!(text.contains(shown), "`{shown}` is not in {text}");
    }
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap()["operations"][0].clone();
    let before = json(&plan(&["--json"]));
    let lent = &before["grants"]["models"][0];
    assert_eq!(
        (&lent["parameter"], &lent["kind"]),
        (&"model".into(), &"fasttext".into())
    );
    assert_eq!(lent["digest"], digest);
    assert_eq!(lent["bytes"], bytes.len());
    assert_eq!(before["needs"], serde_json::json!(["models"]));
    assert_eq!(
        before["imports"],
        serde_json::json!(["djhost:op/models@0.2.0"])
    );
    // Another file with the same content is the same model; a byte more is another.
    case.write("models/lang.ftz", &bytes);
    assert_eq!(json(&plan(&["--json"]))["identity"], before["identity"]);
    bytes.push(0);
    case.write("models/lang.ftz", &bytes);
    assert_ne!(json(&plan(&["--json"]))["identity"], before["identity"]);
}
