//! The operators keep and drop what datatrove and DCLM keep and drop, for the same reasons, and make the same texts.
//!
//! `DJHOST_TEST_CORPUS` may name another directory with `cases.jsonl` and `goldens/`, as `make_goldens.py` and `make_dclm_goldens.py` write them.

#[path = "../../../tests/parity/lent.rs"]
mod lent;

use djhost_sdk::{Column, DROPPED, Kind, Output, Runner};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Operators that have no counterpart in datatrove.
const OTHERS: [&str; 0] = [];

#[test]
fn all_operators_agree_with_datatrove_or_dclm() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let elsewhere = std::env::var_os("DJHOST_TEST_CORPUS").map(PathBuf::from);
    let here = elsewhere.as_ref().unwrap_or(&own);
    let read = |name: &str| {
        let path = here.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let rows: Vec<Value> = read("cases.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let mut wrong = Vec::new();
    for operator in djhost_corpus::operators() {
        let descriptor = (operator.describe)();
        if OTHERS.contains(&descriptor.name) {
            continue;
        }
        for golden in read(&format!("goldens/{}.jsonl", descriptor.name)).lines() {
            let golden: Value = serde_json::from_str(golden).unwrap();
            let mut params = golden["params"].clone();
            // What datatrove gets in other ways.
            for (key, value) in golden["files"].as_object().into_iter().flatten() {
                params[key] = own.join(value.as_str().unwrap()).to_str().unwrap().into();
            }
            let case = format!("{} {}", descriptor.name, golden["params"]);
            let params = with_reasons(params, descriptor.kind);
            let params = params.to_string();
            let _lent = lent::lend_models(operator, &params);
            let mut runner =
                Runner::new(operator, &params).unwrap_or_else(|error| panic!("{case}: {error}"));
            let before = wrong.len();
            let mut reasons = BTreeMap::new();
            for (i, row) in rows.iter().enumerate() {
                let expected = &golden["reasons"][i];
                *reasons.entry(expected.to_string()).or_insert(0) += 1;
                // datatrove gives up.
                if expected == "?" {
                    continue;
                }
                let text = row["text"].as_str().unwrap();
                let mut row = row.clone();
                for (field, values) in golden["fields"].as_object().into_iter().flatten() {
                    row[field] = values[i].clone();
                }
                let batch = runner.batch(&[row]);
                let (keep, got) = match (descriptor.kind, runner.process(&batch).unwrap()) {
                    (Kind::Filter, Output::Filtered { keep, stats, .. }) => {
                        let reason = stats
                            .iter()
                            .find_map(|field| field.values.texts())
                            .unwrap()
                            .value(0)
                            .to_owned();
                        let agrees = reason == expected.as_str().unwrap_or_default();
                        if !agrees {
                            wrong.push(format!(
                                "{case}: row {i}: `{reason}`, not {expected}: {} {text:.200?}",
                                rows[i]["url"]
                            ));
                        }
                        (keep[0] == 1, text.to_owned())
                    }
                    (
                        _,
                        Output::Rows {
                            origins, fields, ..
                        },
                    ) => {
                        let Column::Utf8(texts) = &fields[0].values else {
                            panic!("{fields:?}")
                        };
                        let reasons = fields.iter().find(|field| field.path == DROPPED);
                        let reason = reasons.map(|field| field.values.texts().unwrap().value(0));
                        // DCLM gives no reasons: that there is one is enough.
                        let agrees = match (reason, expected.as_str()) {
                            (Some(_), Some("empty")) => true,
                            (reason, expected) => reason == expected,
                        };
                        if !agrees {
                            wrong.push(format!(
                                "{case}: row {i}: {reason:?}, not {expected}: {text:.200?}"
                            ));
                        }
                        assert_eq!(origins, [0], "{case}: a row, or why there is none");
                        (reason.is_none(), texts.value(0).to_owned())
                    }
                    (_, other) => panic!("{case}: {other:?}"),
                };
                let expected_text = golden["texts"]
                    .get(i.to_string())
                    .map(|digest| digest.as_str().unwrap());
                if keep != expected.is_null() {
                    wrong.push(format!(
                        "{case}: row {i}: keeps {keep}, not {expected}: {text:.200?}"
                    ));
                } else if keep
                    && digest(&got) != expected_text.map_or_else(|| digest(text), str::to_owned)
                {
                    wrong.push(format!("{case}: row {i}: {got:.300?} of {text:.300?}"));
                }
            }
            println!(
                "{case}: {} rows, {} differ; {reasons:?}",
                rows.len(),
                wrong.len() - before
            );
        }
    }
    // Of 100,000 decisions one may differ for a text of the web that shows a new case.
    let allowed = if elsewhere.is_some() {
        rows.len() / 1000
    } else {
        0
    };
    assert!(
        wrong.len() <= allowed,
        "{} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(30)].join("\n")
    );
}

/// Tells a mapper that reasons for dropped rows are wanted, as the host does.
fn with_reasons(mut params: Value, kind: Kind) -> Value {
    if kind == Kind::Mapper {
        params["drop_reasons"] = true.into();
    }
    params
}

/// FNV-1a of the text, and its length.
fn digest(text: &str) -> String {
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!(
        "{:016x}:{}",
        text.bytes().fold(0xcbf2_9ce4_8422_2325, hash),
        text.len()
    )
}
