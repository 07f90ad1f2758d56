//! Tokenizers trained by the `tokenizers` package return its tokens.

use super::*;

/// The version that Data-Juicer 1.6.1 uses with its transformers 4.57.1.
const PACKAGE: Package = Package {
    name: "tokenizers",
    install: &["tokenizers==0.22.2"],
    works: "import tokenizers",
    dir: DIR,
};

#[test]
fn tokenizers_give_the_tokens_of_the_package() {
    let dir = train(&PACKAGE, "train_tokenizers.py", &[]);
    let found = json(&dir.join("answers.json"));
    let texts = strings(&found["texts"]);
    let kinds = found["answers"].as_object().unwrap();
    assert_eq!(kinds.len(), 9);
    let mut differ = Vec::new();
    for (name, answers) in kinds {
        let Model::Tokenizer(model) = open(&dir.join(name)) else {
            panic!("{name} is of another kind");
        };
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let ids = numbers(&expected[0]);
            let decoded = model.decode(&ids[..ids.len() / 2]).unwrap();
            if model.encode(text, false).unwrap() != ids
                || model.encode(text, true).unwrap() != numbers(&expected[1])
                || model.count(text, true).unwrap() as usize != numbers(&expected[1]).len()
                || model.pieces(text).unwrap() != strings(&expected[2])
                || Some(decoded.as_str()) != expected[3].as_str()
            {
                differ.push(format!("{name}: {decoded:.60?}: {text:.60?}"));
            }
        }
    }
    report(&differ, kinds.len() * texts.len());
}
