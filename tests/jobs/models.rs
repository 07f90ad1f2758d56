//! Recipes of Data-Juicer, which name no model file: it is found in a model directory, or the message
//! says where to get it.

use std::fs;
use std::path::Path;

use super::{copy, djhost};

const RECIPE: &str = "dataset_path: input.jsonl\nexport_path: out.jsonl\nprocess:\n  - perplexity_filter: {max_ppl: 12}\n  \
                      - stopwords_filter: {tokenization: true, min_ratio: 0}\n";

fn case(recipe: &str) -> tempfile::TempDir {
    let dir = crate::harness::directory();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jobs/perplexity_filter/models");
    fs::create_dir(dir.path().join("models")).unwrap();
    copy(&models, &dir.path().join("models"));
    fs::write(
        dir.path().join("input.jsonl"),
        "{\"text\": \"we go to the park today\"}\n{\"text\": \"kpr rps wkf\"}\n",
    )
    .unwrap();
    fs::write(dir.path().join("recipe.yaml"), recipe).unwrap();
    dir
}

/// Runs the command; returns what it prints, and whether it went well.
fn said(dir: &Path, args: &[&str]) -> (String, bool) {
    let output = djhost(dir, args);
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8(text).unwrap().replace('\n', " "),
        output.status.success(),
    )
}

#[test]
fn a_missing_model_is_named_with_its_place_and_source() {
    let dir = case(RECIPE);
    let (text, planned) = said(dir.path(), &["plan", "recipe.yaml"]);
    assert!(!planned);
    for part in [
        "process[0].perplexity_filter.model: the kenlm model `en.arpa.bin` is needed, and no model directory is given",
        "process[0].perplexity_filter.tokenizer_model: the tokenizer model `en.sp.model` is needed",
        "https://huggingface.co/edugp/kenlm/resolve/main/wikipedia/en.arpa.bin",
        "process[1].stopwords_filter.tokenizer_model: for `tokenization: true` the tokenizer model `en.sp.model` is needed",
        "`--model-dir DIR`",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
    let (text, _) = said(dir.path(), &["plan", "recipe.yaml", "--model-dir", "."]);
    assert!(
        text.contains("`en.arpa.bin` is needed, and it is not in `.`"),
        "{text}"
    );
}

/// An operator that would do without a model: a mistyped place must not go unseen.
#[test]
fn a_place_that_is_not_there_is_said_of_a_model_that_is_optional_too() {
    let dir = case(
        "dataset_path: input.jsonl\nexport_path: out.jsonl\nprocess:\n- language_id_score_filter: {lang: en}\n",
    );
    for (arg, says) in [
        (
            "--model-dir=models/nothing",
            "`lid.176.bin` is looked for, and it is not in `models/nothing` (there is no such directory)",
        ),
        (
            "--models={lid.176.bin: models/no.bin}",
            "`models` names `models/no.bin`, which does not exist",
        ),
    ] {
        let (text, planned) = said(dir.path(), &["plan", "recipe.yaml", arg]);
        assert!(!planned && text.contains(says), "`{says}` is not in {text}");
    }
    let (text, planned) = said(
        dir.path(),
        &["plan", "recipe.yaml", "--model-dir", "models"],
    );
    assert!(planned, "{text}");
}

#[test]
fn a_model_directory_makes_a_recipe_run_as_it_is() {
    let dir = case(RECIPE);
    let (text, planned) = said(
        dir.path(),
        &["plan", "recipe.yaml", "--model-dir", "models"],
    );
    assert!(planned, "{text}");
    assert!(
        text.contains("is lent the kenlm model `models/en.arpa.bin` (`model`): "),
        "{text}"
    );
    assert_eq!(
        text.matches("is lent the tokenizer model `models/en.sp.model`")
            .count(),
        2
    );
    let (text, ran) = said(
        dir.path(),
        &["run", "recipe.yaml", "--quiet", "--model-dir", "models"],
    );
    assert!(ran, "{text}");
    assert_eq!(
        fs::read_to_string(dir.path().join("out.jsonl")).unwrap(),
        "{\"text\": \"we go to the park today\"}\n"
    );
}

#[test]
fn a_name_in_the_recipe_comes_before_the_model_directory() {
    let recipe = format!("model_dir: models\nmodels: {{en.arpa.bin: models/other.arpa}}\n{RECIPE}");
    let dir = case(&recipe);
    let models = dir.path().join("models");
    fs::copy(models.join("en.arpa.bin"), models.join("other.arpa")).unwrap();
    let (text, _) = said(dir.path(), &["plan", "recipe.yaml"]);
    assert!(
        text.contains("is lent the kenlm model `models/other.arpa`"),
        "{text}"
    );
}
