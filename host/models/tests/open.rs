//! Models are opened by what they are, used by several threads, and refused with their names.

mod any_bytes;

use djhost_inference::{Kind, Model, TensorData};
use std::path::{Path, PathBuf};

fn small(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/small")
        .join(name)
}

const FILES: [(&str, Kind); 14] = [
    ("small.arpa", Kind::Kenlm),
    ("small.probing", Kind::Kenlm),
    ("small.rest", Kind::Kenlm),
    ("small.trie", Kind::Kenlm),
    ("small.quantised", Kind::Kenlm),
    ("small.pointers", Kind::Kenlm),
    ("small.both", Kind::Kenlm),
    ("small.bin", Kind::Fasttext),
    ("small.unigram.model", Kind::Tokenizer),
    ("small.bpe.model", Kind::Tokenizer),
    ("hf/tokenizer.json", Kind::Tokenizer),
    ("encoder.onnx", Kind::Onnx),
    ("topics.onnx", Kind::Onnx),
    ("numbers.onnx", Kind::Onnx),
];

#[test]
fn a_file_is_known_by_its_first_bytes() {
    for (name, kind) in FILES {
        let path = small(name);
        let model = Model::open(&path, None).unwrap();
        let info = model.info();
        assert_eq!(info.kind, kind, "{name}");
        assert_eq!(
            info.bytes,
            std::fs::metadata(&path).unwrap().len(),
            "{name}"
        );
        assert!(info.resident > 0, "{name}");
        match kind {
            Kind::Onnx => assert!(!info.inputs.is_empty() && info.outputs.len() == 1, "{name}"),
            _ => assert!(info.vocabulary.is_some_and(|n| n > 2), "{name}"),
        }
        assert_eq!(kind.to_string().parse(), Ok(kind));
    }
    // A directory as Hugging Face's tools write it.
    let directory = Model::open(&small("hf"), None).unwrap();
    assert!(matches!(directory, Model::Tokenizer(_)));
}

#[test]
fn files_that_are_no_models_are_refused_with_their_names() {
    let refused = |name: &str, kind: Option<Kind>| {
        let error = Model::open(&small(name), kind).unwrap_err();
        assert!(error.to_string().contains(&format!("{name}`: ")), "{error}");
        error.message
    };
    assert!(refused("none.bin", None).contains("cannot read it"));
    assert!(refused("", None).contains("this is not a file"));
    assert!(refused("../open.rs", None).contains("not a model that is known"));
    for (name, kind) in FILES {
        // Any text is a list.
        let is_list = |kind| matches!(kind, Kind::Lines | Kind::Words | Kind::Substrings);
        let others = Kind::ALL.into_iter().filter(|other| *other != kind);
        for other in others.filter(|other| !is_list(*other)) {
            let message = refused(name, Some(other));
            assert!(message.contains("is no"), "{message}");
        }
    }
    let packed = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packed.arpa.gz");
    std::fs::write(&packed, [0x1f, 0x8b, 8, 0]).unwrap();
    let error = Model::open(&packed, None).unwrap_err();
    assert!(error.message.contains("packed with gzip"), "{error}");
    assert!(
        "word2vec"
            .parse::<Kind>()
            .unwrap_err()
            .contains("use kenlm")
    );
}

#[test]
fn threads_share_a_model() {
    let score = |model: &Model| match model {
        Model::Kenlm(model) => model.score("the cat sat on the cat"),
        Model::Fasttext(model) => model.classify("the cat", 1)[0].1.into(),
        Model::Tokenizer(model) => model.count("the cat sat", true).unwrap().into(),
        Model::List(list) => u8::from(list.contains("the cat")).into(),
        Model::Onnx(network) => {
            let outputs = network.run(&any_bytes::inputs(&model.info(), 5)).unwrap();
            match &outputs[0].data {
                TensorData::F32(values) => values.iter().sum::<f32>().into(),
                other => panic!("not floats: {other:?}"),
            }
        }
    };
    for (name, _) in FILES {
        let model = Model::open(&small(name), None).unwrap();
        let expected: f64 = score(&model);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| (0..50).for_each(|_| assert_eq!(score(&model), expected)));
            }
        });
    }
}

#[test]
fn small_models_say_what_their_packages_say() {
    let open = |name: &str| Model::open(&small(name), None).unwrap();
    let Model::Fasttext(model) = open("small.bin") else {
        panic!("a classifier")
    };
    for (text, label, score) in [
        ("the cat", "en", 0.999_340_4),
        ("die katze", "de", 0.992_079_9),
    ] {
        let best = model.classify(text, 1)[0];
        assert_eq!(model.labels()[best.0 as usize], label);
        assert!((best.1 - score).abs() < 1e-5, "{best:?}");
    }
    for (name, pieces, ids) in [
        (
            "small.unigram.model",
            &["▁", "t", "h", "e", "▁cat", "▁", "s", "at"][..],
            &[3, 4, 6, 5, 11, 3, 10, 8][..],
        ),
        ("small.bpe.model", &["▁the", "▁cat", "▁sat"], &[6, 11, 12]),
        ("hf/tokenizer.json", &["the", "cat", "sat"], &[3, 4, 5]),
    ] {
        let Model::Tokenizer(model) = open(name) else {
            panic!("a tokenizer")
        };
        assert_eq!(model.pieces("the cat sat").unwrap(), pieces, "{name}");
        assert_eq!(model.encode("the cat sat", false).unwrap(), ids, "{name}");
        let around = model.encode("the cat sat", true).unwrap();
        assert_eq!(around[0], 1, "{name}");
        assert_eq!(around[1..around.len() - 1], *ids, "{name}");
        assert_eq!(model.decode(ids).unwrap(), "the cat sat", "{name}");
    }
}

#[test]
fn damage_never_panics() {
    for (name, _) in FILES {
        let whole = std::fs::read(small(name)).unwrap();
        any_bytes::hold(&whole);
        for length in (0..whole.len()).step_by(7) {
            any_bytes::hold(&whole[..length]);
        }
        for at in (0..whole.len()).step_by(3) {
            let mut changed = whole.clone();
            changed[at] ^= 1 << (at % 8);
            any_bytes::hold(&changed);
        }
    }
}
