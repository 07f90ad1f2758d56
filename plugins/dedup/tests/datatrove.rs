//! `document_minhash_deduplicator` with datatrove's settings finds the clusters that datatrove finds.
//!
//! `DJHOST_TEST_MINHASH` may name another directory with `cases.jsonl` and `goldens.jsonl`, as
//! `datatrove/make_goldens.py` writes them.

use djhost_dedup::DocumentMinhashDeduplicator;
use djhost_sdk::{Runner, operator};
use serde_json::Value;
use std::path::{Path, PathBuf};

#[test]
fn clusters_are_those_of_datatrove() {
    let here = std::env::var_os("DJHOST_TEST_MINHASH").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/datatrove"),
        PathBuf::from,
    );
    let read = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(here.join(name)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let cases = read("cases.jsonl");
    let texts: Vec<&str> = cases
        .iter()
        .map(|row| row["text"].as_str().unwrap())
        .collect();
    let goldens = read("goldens.jsonl");
    assert!(texts.len() > 300 && !goldens.is_empty());
    for golden in goldens {
        let mut params = golden["params"].clone();
        params["tokenization"] = "word".into();
        params["simplify"] = true.into();
        params["skip_short_documents"] = true.into();
        let mut op =
            Runner::new(operator!(DocumentMinhashDeduplicator), &params.to_string()).unwrap();
        let got = op.deduplicate(&texts);
        let expected: Vec<bool> = golden["keep"]
            .as_array()
            .unwrap()
            .iter()
            .map(|keep| keep == 1)
            .collect();
        let dropped = expected.iter().filter(|keep| !**keep).count();
        println!("{params}: {} texts, {dropped} duplicates", texts.len());
        assert!(dropped > texts.len() / 10);
        let differ: Vec<usize> = (0..texts.len())
            .filter(|&i| got[i] != expected[i])
            .collect();
        assert!(differ.is_empty(), "{params}: {differ:?}");
    }
}
