//! Models trained by the `sentencepiece` package return its pieces.

use super::*;

const PACKAGE: Package = Package {
    name: "sentencepiece",
    install: &["sentencepiece==0.2.3", "protobuf"],
    works: "from sentencepiece import sentencepiece_model_pb2",
    dir: DIR,
};

#[test]
fn models_give_the_pieces_of_sentencepiece() {
    let dir = train(&PACKAGE, "train_sentencepiece.py", &[]);
    let found = json(&dir.join("answers.json"));
    let texts = strings(&found["texts"]);
    let models = found["answers"].as_object().unwrap();
    assert_eq!(models.len(), 28);
    let mut differ = Vec::new();
    for (name, answers) in models {
        let Model::Tokenizer(model) = open(&dir.join(name)) else {
            panic!("{name} is of another kind");
        };
        for (text, expected) in texts.iter().zip(answers.as_array().unwrap()) {
            let (got, expected_pieces) = (model.pieces(text).unwrap(), strings(&expected[0]));
            if got != expected_pieces {
                let at = got.iter().zip(&expected_pieces).position(|(a, b)| a != b);
                let at = at.unwrap_or(got.len().min(expected_pieces.len()));
                differ.push(format!(
                    "{name}: piece {at}: {:?}, not {:?}: {text:.60?}",
                    got.get(at),
                    expected_pieces.get(at)
                ));
                continue;
            }
            let ids = numbers(&expected[1]);
            let encoded = model.encode(text, true).unwrap();
            let decoded = model.decode(&ids).unwrap();
            if encoded != ids || model.count(text, true).unwrap() as usize != ids.len() {
                differ.push(format!("{name}: other ids: {text:.60?}"));
            } else if Some(decoded.as_str()) != expected[2].as_str() {
                differ.push(format!("{name}: decoded to {decoded:.60?}: {text:.60?}"));
            }
        }
    }
    report(&differ, models.len() * texts.len());
}
