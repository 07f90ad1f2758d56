//! Mistakes in recipes: all are found before anything starts, with place, value and advice.

use crate::harness::Case;
use crate::hostile::{KEEP, good};

#[track_caller]
fn refused(recipe: &str, parts: &[&str]) {
    let case = Case::with_input(good(3));
    case.run(recipe)
        .failed(2, parts)
        .failed(2, &["recipe.yaml"]);
    assert!(!case.path("work").exists(), "something was started");
}

#[test]
fn mistakes_are_named() {
    refused(
        "process:\n  - text_lenght_filter: {}\n",
        &[
            "there is no operator `text_lenght_filter`",
            "did you mean `text_length_filter`?",
        ],
    );
    refused(
        "process:\n  - text_length_filter: {min_len: many}\n",
        &["process[0].text_length_filter.min_len", "`many`"],
    );
    refused(
        "process:\n  - text_length_filter: {min_length: 3}\n",
        &["min_length", "min_len"],
    );
    refused(
        "proces:\n  - text_length_filter: {}\n",
        &["proces", "did you mean `process`?"],
    );
    refused("np: -1\nprocess: []\n", &["np"]);
    refused(
        "max_quarantine_ratio: 2\nprocess:\n  - text_length_filter: {}\n",
        &["max_quarantine_ratio", "`2`"],
    );
    refused(
        "process:\n  - text_length_filter: {limits: {timeout_s: 0}}\n",
        &["timeout_s", "`0`"],
    );
    refused(
        "process:\n  - text_length_filter: {limits: {memory_gb: 1}}\n",
        &["memory_gb", "memory_mb"],
    );
    refused(
        "on_error: ignore\nprocess:\n  - text_length_filter: {}\n",
        &["on_error", "`ignore`", "quarantine"],
    );
    // Several mistakes are all reported.
    refused(
        "process:\n  - nonsense_filter: {}\n  - text_length_filter: {max_len: x}\n",
        &["nonsense_filter", "max_len"],
    );
}

#[test]
fn files_that_are_no_recipes() {
    refused("\u{0}\u{1}\u{2}", &[]);
    refused("[1, 2", &[]);
    refused("&a [*a, *a]", &[]);
    let bomb: String = (1..40)
        .map(|i| format!("k{i}: &k{i} [{}]\n", format!("*k{},", i - 1).repeat(10)))
        .collect();
    refused(&format!("k0: &k0 [1]\n{bomb}"), &[]);
    refused(
        &format!("process: {}", "[".repeat(100_000)),
        &["more than 1000 brackets"],
    );
}

#[test]
fn no_operator_gets_what_it_cannot_read() {
    // `text_keys` that no row has: every row lacks it, which is a mistake and not bad data.
    let case = Case::with_input(good(2000));
    case.run("text_keys: content\nprocess:\n  - text_length_filter: {}\n")
        .failed(1, &["`content`", "wrong field"]);
}

/// Each operator of Data-Juicer 1.6.1 runs here, or has its own message that says why not and what
/// to do instead.
#[test]
fn every_operator_of_the_reference_is_here_or_has_a_message_of_its_own() {
    let all: Vec<&str> = include_str!("data-juicer-1.6.1.txt").lines().collect();
    let recipe: String = all.iter().map(|name| format!("  - {name}:\n")).collect();
    let message = Case::with_input(good(1))
        .run(&format!("process:\n{recipe}"))
        .failed(2, &[])
        .stderr;
    let lacking: Vec<&str> = all
        .iter()
        .copied()
        .filter(|name| message.contains(&format!("djhost lacks Data-Juicer's `{name}`: ")))
        .collect();
    assert!(lacking.len() > 150, "{message}");
    assert_eq!(message.matches("djhost lacks").count(), lacking.len());
    assert_eq!(
        message.matches("  hint: ").count(),
        lacking.len()
            + message.matches("the parameter is missing").count()
            + message.matches("is needed, and no model directory").count()
            + message.matches("` must name a").count(),
        "{message}"
    );
    assert!(
        !message.contains("there is no operator") && !message.contains("did you mean"),
        "{message}"
    );
}

#[test]
fn hints_say_what_an_operator_needs_and_what_to_use() {
    let process = |op: &str| format!("process:\n  - {op}:\n");
    for (op, parts) in [
        (
            "llm_quality_score_filter",
            &[
                "recipe.yaml:",
                "asks an LLM",
                "`specified_numeric_field_filter`",
            ][..],
        ),
        (
            "image_aesthetics_filter",
            &["needs an aesthetics model", "GPU", "beforehand"],
        ),
        (
            "video_split_by_duration_mapper",
            &["writes new videos", "`video_duration_filter`"],
        ),
        (
            "perplexity_filter",
            &["the kenlm model `en.arpa.bin` is needed", "--model-dir DIR"],
        ),
        (
            "python_lambda_mapper",
            &["runs Python code", "djhost ops new"],
        ),
        (
            "ray_image_deduplicator",
            &["Ray cluster", "use `image_deduplicator`"],
        ),
        // A misspelt name of a missing operator.
        (
            "llm_qualty_score_filter",
            &[
                "no operator `llm_qualty_score_filter`",
                "Data-Juicer's `llm_quality_score_filter`? djhost lacks it",
                "asks an LLM",
            ],
        ),
    ] {
        refused(&process(op), parts);
    }
    // Names of the same family are not misspellings of each other.
    for op in [
        "video_brightness_filter",
        "image_sharpness_filter",
        "clean_phone_mapper",
        "semantic_deduplicator",
    ] {
        let case = Case::with_input(good(1));
        let message = case
            .run(&process(op))
            .failed(2, &["no operator", "djhost ops list"])
            .stderr;
        assert!(!message.contains("did you mean"), "{message}");
    }
}

#[test]
fn keys_of_the_reference_that_mean_nothing_here_get_a_note() {
    let case = Case::with_input(good(3));
    let recipe = "add_suffix: true\nnotification: {email: {enabled: true}}\nannotation: {label_studio: {api_url: x}}\nload_dataset_kwargs: {num_proc: 4}\n\
                  process:\n  - text_length_filter: {query_key: question, num_proc: 3, notification_config: {enabled: true}}\n";
    let notes = case.run(recipe).ok().stderr;
    for part in [
        "add_suffix: has no effect here: rows do not get the suffix",
        "notification: has no effect here: djhost sends no messages",
        "annotation: has no effect here: there is no operator that talks to Label Studio",
        "load_dataset_kwargs: has no effect here: rows stream",
        "query_key: has no effect: `text_length_filter` does not read that field",
        "num_proc: has no effect here: all operators run on `np` threads",
        "notification_config: has no effect here: djhost sends no messages",
    ] {
        assert!(notes.contains(part), "`{part}` is not in:\n{notes}");
    }
    // What would change the result is refused.
    refused(
        "load_dataset_kwargs: {delimiter: ';'}\nprocess:\n  - text_length_filter:\n",
        &["load_dataset_kwargs", "`delimiter`", "recognised"],
    );
    refused(
        "process:\n  - text_length_filter: {index_key: n}\n",
        &["index_key: is not supported", "beforehand"],
    );
    refused(
        "validators: [{type: required_fields}]\nprocess:\n  - text_length_filter:\n",
        &[
            "validators[0]: has no `required_fields`",
            "`required_fields: [text]`",
        ],
    );
}

#[test]
fn a_plugin_directory_that_is_not_there_is_named_with_its_place() {
    let mut case = Case::with_input(good(3));
    let missing = "the directory `nowhere` cannot be read";
    case.run(&format!("{KEEP}plugins: nowhere\n"))
        .failed(2, &["recipe.yaml:4: plugins: ", missing]);
    case.args = vec!["--plugins".into(), "nowhere".into()];
    case.run(KEEP).failed(2, &["error: --plugins: ", missing]);
    case.args.clear();
    let mut with = |value: &str| {
        case.env = vec![("DJHOST_PLUGINS".into(), value.into())];
        case.run(KEEP)
    };
    with("nowhere").failed(2, &["error: DJHOST_PLUGINS: ", missing]);
    with("a:b").failed(2, &["DJHOST_PLUGINS", "`a:b`", "`[first, second]`"]);
    with("[nowhere, elsewhere]").failed(2, &[missing, "`elsewhere`"]);
    // An empty variable is none.
    with("").ok();
}
