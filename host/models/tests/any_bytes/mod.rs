//! What must hold for any bytes that are given as a model. `tests/fuzz` calls it, too.

use djhost_inference::{Element, Info, Kind, Model, Tensor, TensorData};

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

/// Some numbers for each input of a network, in rows of so many where any number may be.
pub(crate) fn inputs(info: &Info, length: u32) -> Vec<Tensor> {
    let inputs = info.inputs.iter().map(|input| {
        let sides = input.shape.iter().enumerate();
        let shape: Vec<u32> = sides
            .map(|(at, side)| side.unwrap_or(if at == 0 { 1 } else { length }))
            .collect();
        let count: u32 = shape.iter().fold(1, |all, side| all.saturating_mul(*side));
        let count = count.min(1 << 16);
        Tensor {
            name: input.name.clone(),
            data: match input.element {
                Element::F32 => TensorData::F32((0..count).map(|i| i as f32 / 4.0).collect()),
                Element::I64 => TensorData::I64((0..count).map(|i| i64::from(i % 6)).collect()),
                Element::U8 => TensorData::U8((0..count).map(|i| (i % 2) as u8).collect()),
            },
            shape,
        }
    });
    inputs.collect()
}

fn used(model: &Model, kind: Kind, size: usize) {
    let info = model.info();
    assert_eq!((info.kind, info.bytes), (kind, size as u64));
    if let Model::Onnx(model) = model {
        let inputs = inputs(&info, 5);
        let (once, again) = (model.run(&inputs), model.run(&inputs));
        // NaN is unequal to itself.
        assert_eq!(format!("{once:?}"), format!("{again:?}"));
        let sound = |tensor: &Tensor| {
            let count: usize = tensor.shape.iter().map(|side| *side as usize).product();
            count == tensor.data.len()
        };
        assert!(once.iter().flatten().all(sound));
    }
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
            Model::List(list) => {
                let found = list.occurrences(text, 3);
                assert!(found <= 3 && found == list.occurrences(text, 3));
                assert_eq!(list.contains(text), list.contains(text));
            }
            Model::Onnx(_) => {}
        }
    }
}
