//! Images with the texts around them, scored by small networks, as recipes of Data-Juicer name them, and
//! sound: models in a directory, options with special tokens, and rows that cannot be scored.

use std::path::Path;

use serde_json::Value;

use super::copy;
use crate::harness::Case;

const CLIP: &str = "openai/clip-vit-base-patch32";
const ROWS: &str = "{\"text\": \"<image>\\na harbour\", \"images\": [\"harbour.jpg\"]}\n\
                    {\"text\": \"<image>\\na garden<|__dj__eoc|><image> a pixel\", \"images\": [\"garden.png\", \"pixel.gif\"]}\n\
                    {\"text\": \"no token\", \"images\": [\"garden.png\"]}\n\
                    {\"text\": \"no image\"}\n\
                    {\"text\": \"<image> a harbour\", \"images\": [\"gone.jpg\"]}\n\
                    {\"text\": \"<image> a<|__dj__eoc|><image> b\", \"images\": [\"pixel.gif\"]}\n";
const OPS: &str =
    "max_quarantine_ratio: 1\nkeep_stats_in_res_ds: true\nimage_special_token: <image>\nprocess:\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows with their images, and both networks below `models` as they are called on the hub.
fn case() -> Case {
    let mut case = Case::with_input(ROWS);
    for name in ["harbour.jpg", "garden.png", "pixel.gif", "tone.wav"] {
        let file = root().join("plugins/examples/files").join(name);
        case.write(name, std::fs::read(file).unwrap());
    }
    for (name, small) in [(CLIP, "clip"), ("Salesforce/blip-itm-base-coco", "blip")] {
        let to = case.path("models").join(name);
        std::fs::create_dir_all(&to).unwrap();
        copy(&root().join("tests/parity/models").join(small), &to);
    }
    case.args = ["--model-dir", "models"].map(Into::into).into();
    case
}

fn stats(output: &str, key: &str) -> Vec<Vec<f64>> {
    let rows = output
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| serde_json::from_value(row["__dj__stats__"][key].clone()).unwrap())
        .collect()
}

#[test]
fn a_recipe_of_data_juicer_scores_images_with_their_texts() {
    let case = case();
    // More than one call has.
    case.write("in.jsonl", ROWS.repeat(4));
    let ops = "  - image_text_similarity_filter: {min_score: -2}\n  - image_text_matching_filter: {min_score: 0}\n";
    let ran = case.run(&format!("{OPS}{ops}")).ok();
    for (key, least, most) in [
        ("image_text_similarity", -1.0, 1.0),
        ("image_text_matching_score", 0.0, 1.0),
    ] {
        let found = stats(ran.text(), key);
        let lengths: Vec<usize> = found.iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 2, 0, 0].repeat(4), "{key}");
        assert_eq!(found[..4], found[4..8]);
        assert!(
            found
                .iter()
                .flatten()
                .all(|score| (least..=most).contains(score))
        );
    }
    let reasons: Vec<&str> = ran
        .quarantine
        .iter()
        .map(|q| q["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons.len(), 8);
    assert!(
        reasons[0].contains("`gone.jpg`: there is no such file"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].contains("more `<image>` than the row has images, which are 1"),
        "{reasons:?}"
    );
    // Without the option no text has a token.
    let ops = ops.replace(
        "{min_score: -2}",
        "{min_score: -2, image_special_token: <picture>}",
    );
    let ran = case
        .run(&format!("{OPS}{}", ops.lines().next().unwrap()))
        .ok();
    assert!(
        stats(ran.text(), "image_text_similarity")
            .iter()
            .all(Vec::is_empty)
    );
}

#[test]
fn a_network_may_be_in_a_directory_of_its_own_and_below_onnx() {
    let mut case = case();
    let op =
        |more: &str| format!("{OPS}  - image_text_similarity_filter: {{min_score: -2{more}}}\n");
    let by_name = case.run(&op("")).ok().text().to_owned();
    let models = case.path("models").join(CLIP);
    std::fs::create_dir(models.join("onnx")).unwrap();
    std::fs::rename(models.join("model.onnx"), models.join("onnx/model.onnx")).unwrap();
    assert_eq!(case.run(&op("")).ok().text(), by_name);
    case.args.clear();
    let by_path = case.run(&op(&format!(", hf_clip: models/{CLIP}"))).ok();
    assert_eq!(by_path.text(), by_name);
}

#[test]
fn what_is_missing_of_a_network_is_named() {
    let mut case = case();
    let op = format!("{OPS}  - image_text_similarity_filter:\n");
    let config = case
        .path("models")
        .join(CLIP)
        .join("preprocessor_config.json");
    std::fs::remove_file(&config).unwrap();
    case.run(&op).failed(
        2,
        &[
            "preprocessor_config.json` cannot be read",
            "put it beside the network",
        ],
    );
    std::fs::write(&config, "{\"resample\": 0}").unwrap();
    case.run(&op).failed(2, &["`resample` is 0"]);
    std::fs::remove_file(case.path("models").join(CLIP).join("model.onnx")).unwrap();
    case.run(&op)
        .failed(2, &["it has no `model.onnx` or `onnx/model.onnx`"]);
    case.args.clear();
    case.run(&op).failed(
        2,
        &[
            "the onnx model `openai/clip-vit-base-patch32` is needed",
            "https://huggingface.co/openai/clip-vit-base-patch32",
            "the tokenizer model `openai/clip-vit-base-patch32` is needed",
        ],
    );
    let op = format!("{OPS}  - image_text_similarity_filter: {{reduce_mode: sum}}\n");
    case.run(&op).failed(2, &["reduce_mode"]);
}

#[test]
fn a_change_of_the_files_beside_a_network_redoes_its_work() {
    let case = case();
    let op = format!("{OPS}  - image_text_similarity_filter: {{min_score: -2}}\n");
    let before = case.run(&op).ok().text().to_owned();
    let config = case
        .path("models")
        .join(CLIP)
        .join("preprocessor_config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["image_mean"] = serde_json::json!([0, 0, 0]);
    std::fs::write(&config, json.to_string()).unwrap();
    let after = case.run(&op).ok().text().to_owned();
    assert_eq!(before.lines().count(), after.lines().count());
    assert_ne!(before, after);
}

#[test]
fn sound_that_cannot_be_heard_goes_to_quarantine() {
    let case = case();
    let mut cut = std::fs::read(root().join("plugins/examples/files/tone.mp3")).unwrap();
    cut.truncate(90);
    case.write("cut.mp3", cut);
    case.write(
        "in.jsonl",
        "{\"audios\": [\"tone.wav\"]}\n{\"audios\": [\"tone.wav\", \"cut.mp3\"]}\n{\"audios\": [\"gone.wav\"]}\n\
         {\"audios\": [\"harbour.jpg\"]}\n{\"audios\": []}\n",
    );
    let op = "max_quarantine_ratio: 1\nkeep_stats_in_res_ds: true\nprocess:\n  - audio_nmf_snr_filter: {min_snr: -1000}\n";
    let ran = case.run(op).ok();
    let found = stats(ran.text(), "audio_nmf_snr");
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0]);
    let reasons: Vec<&str> = ran
        .quarantine
        .iter()
        .map(|q| q["reason"].as_str().unwrap())
        .collect();
    for (reason, part) in reasons.iter().zip([
        "`cut.mp3`",
        "`gone.wav`: there is no such file",
        "`harbour.jpg`: it cannot be decoded",
    ]) {
        assert!(reason.contains(part), "{reasons:?}");
    }
    case.run(&op.replace("min_snr: -1000", "nmf_iter_num: 0"))
        .failed(2, &["nmf_iter_num"]);
    case.run(&op.replace("min_snr: -1000", "any_or_all: some"))
        .failed(2, &["any_or_all"]);
}
