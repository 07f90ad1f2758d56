//! All languages in one recipe.

use std::fmt::Write as _;

use crate::LANGUAGES;
use crate::frame::Language;
use crate::reference::{alnum_ratio, deduplicated, lines, rows, split, text};

#[test]
fn operators_of_all_languages_work_in_one_recipe() {
    let languages: Vec<_> = LANGUAGES
        .iter()
        .map(|language| (*language, language.components()))
        .collect();
    let mut recipe = "partition: {mode: manual, num_of_partitions: 3}\ncheckpoint: {strategy: every_op}\nprocess:\n".to_owned();
    for example in ["split_mapper", "alnum_filter", "prefix_deduplicator"] {
        for (language, _) in &languages {
            writeln!(recipe, "  - {}_{example}:", language.prefix).unwrap();
        }
    }
    let ran = Language::case(&languages, &lines(&rows()))
        .run(&recipe)
        .ok();
    let mut expected = split(&rows());
    expected.retain(|row| alnum_ratio(text(row)) >= 0.25);
    assert_eq!(ran.text(), lines(&deduplicated(&expected, 64)));
    assert_eq!(ran.quarantine.len(), 0);
    assert_eq!(
        ran.summary["ops"].as_array().unwrap().len(),
        3 * languages.len()
    );
}
