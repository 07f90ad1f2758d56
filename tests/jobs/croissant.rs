//! `metadata/croissant.json`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::Case;

#[test]
fn the_result_is_described() {
    let case = Case::with_input(
        "{\"text\": \"one two\", \"n\": 1, \"tags\": [\"a\"], \"meta\": {\"x\": 1}}\n{\"text\": \"three\", \"n\": 1.5, \"tags\": [], \"meta\": null}\n{\"text\": \"\"}\n",
    );
    let ran = case.run(
        "croissant: {enabled: true, license: [CC-BY-4.0], description: Words}\nprocess:\n  - text_length_filter: {min_len: 1}\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = std::fs::read(case.path("work/job/metadata/croissant.json")).unwrap();
    let found: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        found["dct:conformsTo"],
        "http://mlcommons.org/croissant/1.0"
    );
    assert_eq!(
        (&found["license"], &found["name"]),
        (&"CC-BY-4.0".into(), &"result".into())
    );
    let file = &found["distribution"][0];
    let output = ran.output.unwrap();
    assert_eq!(file["sha256"], hex::encode(Sha256::digest(&output)));
    assert_eq!(file["contentSize"], format!("{} B", output.len()));
    let fields = found["recordSet"][0]["field"].as_array().unwrap();
    let types: Value = fields
        .iter()
        .map(|field| {
            (
                field["name"].as_str().unwrap().to_owned(),
                json!([field["dataType"], field["repeated"]]),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    assert_eq!(
        types,
        json!({"text": ["sc:Text", null], "n": ["sc:Float", null], "tags": ["sc:Text", true]})
    );
    assert_eq!(
        (&found["djhost"]["rows_in"], &found["djhost"]["rows_out"]),
        (&3.into(), &2.into())
    );
    assert_eq!(found["djhost"]["ops"][0]["params"]["min_len"], 1);
}
