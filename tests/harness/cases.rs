//! Cases that are folders, each with the `expected.txt` of what comes out.

use std::fs;
use std::path::{Path, PathBuf};

/// Compares what `outcome` says of each folder below `root`, of which there are `least` or more, with the
/// folder's `expected.txt`, and fails with all that differ. `DJHOST_TEST_BLESS` writes these files.
pub(crate) fn every_case(root: &str, least: usize, outcome: impl Fn(&Path) -> String) {
    let bless = std::env::var_os("DJHOST_TEST_BLESS").is_some();
    let cases = fs::read_dir(root).unwrap().map(|case| case.unwrap().path());
    let mut cases: Vec<PathBuf> = cases.collect();
    cases.sort();
    assert!(cases.len() >= least, "cases are missing");
    let mut wrong = Vec::new();
    for case in cases {
        let got = outcome(&case);
        let expected = case.join("expected.txt");
        if bless {
            fs::write(&expected, &got).unwrap();
        }
        let want = fs::read_to_string(&expected).unwrap_or_default();
        if got != want {
            wrong.push(format!(
                "--- {}\nexpected:\n{want}\ngot:\n{got}",
                case.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
