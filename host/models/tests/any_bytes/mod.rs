//! What must hold for any bytes that are given as a model. `tests/fuzz` calls it, too.

use djhost_inference::{Kind, Model};

const TEXTS: [&str; 5] = [
    "",
    "the cat sat on the mat",
    "die katze\tsass </s> <s>",
    "a\0b \u{65e5}\u{672c} <unk> __label__x",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Opens the bytes as each kind of model: they are refused in printable words, or a model that
/// answers, the same each time, within its labels and tokens.
///
/// # Panics
/// When that does not hold.
pub(crate) fn hold(bytes: &[u8]) {
    for kind in Kind::ALL {
        match Model::from_bytes(bytes.to_vec(), kind) {
            Ok(model) => used(&model, kind, bytes.len()),
            Err(error) => assert!(!error.is_empty() && !error.contains('\0'), "{error:?}"),
        }
    }
}

fn used(model: &Model, kind: Kind, size: usize) {
    let info = model.info();
    assert_eq!((info.kind, info.bytes), (kind, size as u64));
    for text in TEXTS {
        match model {
            Model::Kenlm(model) => {
                let (score, again) = (model.score(text), model.score(text));
                assert_eq!(score.to_bits(), again.to_bits());
            }
            Model::Fasttext(model) => {
                let best = model.classify(text, 3);
                let labels = model.labels().len();
                assert!(best.len() <= labels.min(3));
                assert!(best.iter().all(|(label, _)| (*label as usize) < labels));
            }
            Model::Tokenizer(model) => {
                for special in [false, true] {
                    if let Ok(ids) = model.encode(text, special) {
                        assert_eq!(model.count(text, special), Ok(ids.len() as u32));
                        let _ = model.decode(&ids);
                    }
                }
                let _ = model.pieces(text);
            }
            Model::Onnx(model) => drop(model.run(&[])),
        }
    }
}
