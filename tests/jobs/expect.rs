//! `expect` in a recipe, and the findings of a job.

use crate::harness::Case;

const ROWS: &str = concat!(
    "{\"text\": \"one two three four\"}\n",
    "{\"text\": \"one two\"}\n",
    "{\"text\": \"one two three\"}\n",
    "{\"text\": \"one two three four five six\"}\n",
);

fn recipe(expect: &str) -> String {
    format!(
        "{expect}process:\n  - words_num_filter: {{min_num: 3}}\n  - text_length_filter: {{min_len: 1}}\n"
    )
}

#[test]
fn demands_that_are_met_are_recorded() {
    let case = Case::with_input(ROWS);
    let ran = case.run(&recipe(
        "expect: {rows_in: {min: 4, max: 4}, rows_out: {min: 3}, kept: {min: 0.75}, quarantined: {max: 0}, \
         dropped.words_num_filter: {max: 0.25}, stat.num_words.p50: {min: 4, max: 4}, stat: {num_words: {min: {min: 3}, max: {max: 6}}}}\n",
    ));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = ran.summary["expected"].as_array().unwrap();
    assert_eq!(expected.len(), 8);
    assert!(
        expected.iter().all(|demand| demand["is_met"] == true),
        "{expected:?}"
    );
}

#[test]
fn what_is_not_as_expected_ends_with_a_code_of_its_own() {
    let case = Case::with_input(ROWS);
    let unmet = recipe("expect: {rows_out: {min: 4}, stat.num_words.p50: {min: 4.5}}\n");
    let ran = case.run(&unmet);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("`rows_out` is expected to be at least 4, and it is 3"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("`stat.num_words.p50` is expected to be at least 4.5, and it is 4")
    );
    assert!(ran.output.is_some() && ran.summary["status"] == "completed");
    // The job is complete; it is still not as expected, until less is.
    assert_eq!(case.run(&unmet).code, 5);
    assert_eq!(
        case.run(&recipe(
            "expect: {rows_out: {min: 3}, stat.num_words.p50: {min: 4}}\n"
        ))
        .code,
        0
    );
}

#[test]
fn nothing_is_exported_if_the_recipe_blocks_it() {
    let case = Case::with_input(ROWS);
    let blocked = |min: u64| {
        recipe(&format!(
            "expect: {{rows_out: {{min: {min}}}, block_export: true}}\n"
        ))
    };
    let ran = case.run(&blocked(4));
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing is exported"), "{}", ran.stderr);
    assert!(ran.output.is_none() && ran.summary["status"] == "failed");
    let ran = case.run(&blocked(3));
    assert_eq!(
        (ran.code, ran.output.is_some()),
        (0, true),
        "{}",
        ran.stderr
    );
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    for (expect, said) in [
        (
            "{dropped.word_num_filter: {max: 1}}",
            "did you mean `words_num_filter`?",
        ),
        (
            "{dropped.image_size_filter: {max: 1}}",
            "its ops are `words_num_filter`, `text_length_filter`",
        ),
        ("{stat.num_word.p50: {min: 1}}", "did you mean `num_words`?"),
        (
            "{stat.num_words.median: {min: 1}}",
            "valid are `min`, `max`, and percentiles",
        ),
        ("{stat.num_words: {min: 1}}", "names no value"),
        ("{rows_ot: {min: 1}}", "did you mean `rows_out`?"),
        ("{rows_out: 5}", "`{min: 1, max: 2}`"),
        ("{rows_out: {min: 5, max: 4}}", "is greater than"),
        ("{rows_out: {min: few}}", "which is no number"),
        ("{block_export: 7}", "valid are `true` and `false`"),
        ("[1]", "is no mapping"),
    ] {
        let case = Case::with_input(ROWS);
        let ran = case.run(&recipe(&format!("expect: {expect}\n")));
        assert_eq!(ran.code, 2, "{expect}: {}", ran.stderr);
        assert!(
            ran.stderr.contains(said) && ran.stderr.contains("expect"),
            "{expect}: {}",
            ran.stderr
        );
    }
}

/// What deserves a look is in the summary, in the order of the ops.
#[test]
fn findings_are_recorded() {
    let case = Case::with_input(ROWS);
    let ran = case.run(
        "keep_stats_in_res_ds: true\nprocess:\n  - clean_email_mapper:\n  - whitespace_normalization_mapper:\n  \
         - text_length_filter: {min_len: 1}\n  - special_characters_filter: {max_ratio: 0.9}\n  - words_num_filter: {min_num: 100}\n",
    );
    let findings = ran.summary["findings"].as_array().unwrap();
    let kinds: Vec<(&str, Option<u64>)> = findings
        .iter()
        .map(|f| (f["kind"].as_str().unwrap(), f["op"].as_u64()))
        .collect();
    for expected in [
        ("empty_result", None),
        ("dropped_everything", Some(4)),
        ("changed_nothing", Some(0)),
        ("changed_nothing", Some(1)),
        ("dropped_nothing", Some(2)),
        ("dropped_nothing", Some(3)),
    ] {
        assert!(
            kinds.contains(&expected),
            "{expected:?} is not in {findings:#?}"
        );
    }
    let length = findings.iter().find(|f| f["op"] == 2).unwrap();
    assert_eq!(
        length["message"],
        "op 2 `text_length_filter` dropped none of 4 rows: `text_len` was 7 to 27, and at least 1 is demanded"
    );
}

/// Percentiles of the result do not depend on how the work is cut.
#[test]
fn percentiles_are_the_same_however_the_work_is_cut() {
    let rows: String = (0..2000)
        .map(|i| format!("{{\"text\": \"{}\"}}\n", "w ".repeat(1 + i * 37 % 501)))
        .collect();
    let value = |partitions: u32| {
        let case = Case::with_input(&rows);
        let ran = case.run(&format!(
            "partition: {{mode: manual, num_of_partitions: {partitions}}}\nexpect: {{stat.num_words.p90: {{min: 0}}, stat.num_words.p12.5: {{min: 0}}}}\nprocess:\n  - words_num_filter: {{min_num: 20}}\n"
        ));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.summary["expected"].clone()
    };
    let one = value(1);
    assert!(one[0]["value"].as_f64().unwrap() > 440.0, "{one}");
    assert_eq!(value(7), one);
}
