//! `sentence_split_mapper` returns nltk's sentences for a table of texts.
//! `DJHOST_TEST_PUNKT_CASES=FILE` names another table, `DJHOST_TEST_PUNKT_MODEL=DIR` the parameters
//! for it.

use djhost_sdk::{Runner, operator};
use djhost_text_mappers::SentenceSplitMapper;

#[test]
fn texts_are_split_as_nltk_splits_them() {
    let here = env!("CARGO_MANIFEST_DIR");
    let given =
        |name: &str, own: &str| std::env::var(name).unwrap_or_else(|_| format!("{here}/{own}"));
    let cases = std::fs::read_to_string(given(
        "DJHOST_TEST_PUNKT_CASES",
        "tests/sentence_split/cases.jsonl",
    ))
    .unwrap();
    let params = serde_json::json!({ "model": given("DJHOST_TEST_PUNKT_MODEL", "../../tests/parity/models/punkt") }).to_string();
    let mut op = Runner::new(operator!(SentenceSplitMapper), &params).unwrap();
    let (mut wrong, mut number) = (Vec::new(), 0);
    for line in cases.split('\n').filter(|line| !line.is_empty()) {
        let (text, split): (String, Option<String>) = serde_json::from_str(line).unwrap();
        let expected = split.as_ref().unwrap_or(&text);
        let got = op.map(&[&text]).remove(0);
        if got != *expected {
            wrong.push(format!("{text:?}\n  nltk {expected:?}\n  here {got:?}"));
        }
        number += 1;
    }
    assert!(number >= 2000, "only {number} cases");
    assert!(
        wrong.is_empty(),
        "{} of {number} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}
