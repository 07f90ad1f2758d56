//! `fix_unicode_mapper` returns ftfy's results for a table of texts. `DJHOST_TEST_FTFY_CASES=FILE`
//! names another table.

use djhost_sdk::Runner;
use djhost_sdk::operator;
use djhost_text_mappers::FixUnicodeMapper;

#[test]
fn texts_come_out_as_ftfy_leaves_them() {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fix_unicode/cases.jsonl").to_owned();
    let cases =
        std::fs::read_to_string(std::env::var("DJHOST_TEST_FTFY_CASES").unwrap_or(own)).unwrap();
    let mut op = Runner::new(operator!(FixUnicodeMapper), "{}").unwrap();
    let mut wrong = Vec::new();
    let mut number = 0;
    for line in cases.lines() {
        let (text, fixed): (String, Option<String>) = serde_json::from_str(line).unwrap();
        let expected = fixed.as_ref().unwrap_or(&text);
        let got = op.map(&[&text]).remove(0);
        if got != *expected {
            wrong.push(format!("{text:?}\n  ftfy {expected:?}\n  here {got:?}"));
        }
        number += 1;
    }
    assert!(number > 1000, "only {number} cases");
    assert!(
        wrong.is_empty(),
        "{} of {number} differ:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}
