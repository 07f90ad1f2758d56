//! Models written byte by byte: their predictions, and that damage never panics.

use super::Model;
use crate::mapped::Bytes;

/// Writes a model of two words (`</s>`, `good`) and three labels with two columns.
struct Writer(Vec<u8>);

impl Writer {
    fn ints(&mut self, values: &[i32]) -> &mut Self {
        values
            .iter()
            .for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    fn longs(&mut self, values: &[i64]) -> &mut Self {
        values
            .iter()
            .for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    fn floats(&mut self, values: &[f32]) -> &mut Self {
        values
            .iter()
            .for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }
}

/// `loss` as in the file; quantised models have the same values as the others.
fn model(loss: i32, quantised: bool) -> Vec<u8> {
    let mut w = Writer(Vec::new());
    // Three buckets, groups of two words, parts of two and three characters.
    w.ints(&[793_712_314, 12, 2, 5, 5, 1, 5, 2, loss, 3, 3, 2, 3, 100])
        .bytes(&1e-4f64.to_le_bytes());
    w.ints(&[5, 2, 3])
        .longs(&[9, if quantised { 1 } else { -1 }]);
    for (word, count, label) in [
        ("</s>", 6, 0),
        ("good", 3, 0),
        ("__label__en", 3, 1),
        ("__label__de", 2, 1),
        ("__label__fr", 1, 1),
    ] {
        w.bytes(word.as_bytes())
            .bytes(&[0])
            .longs(&[count])
            .bytes(&[label]);
    }
    let input = [
        [0.0, 0.0],
        [4.0, -4.0],
        [0.5, 0.25],
        [-0.5, 1.0],
        [1.0, -0.25],
    ];
    if quantised {
        // Bucket 1 is kept as number 0. Every row is code `row` of one group, halved by its norm's
        // code.
        w.ints(&[1, 0])
            .bytes(&[1, 1])
            .longs(&[3, 2])
            .ints(&[3])
            .bytes(&[0, 1, 2]);
        w.ints(&[2, 1, 2, 2]);
        for code in 0..256 {
            w.floats(&[0.0, 0.0].map(|zero| input.get(code).map_or(zero, |_| zero)));
        }
        let centroids = w.0.len() - 256 * 8;
        for (code, row) in input[..3].iter().enumerate() {
            for (column, value) in row.iter().enumerate() {
                let at = centroids + 8 * code + 4 * column;
                w.0[at..at + 4].copy_from_slice(&(2.0f32 * value).to_le_bytes());
            }
        }
        w.bytes(&[7, 7, 7]).ints(&[1, 1, 1, 1]).floats(&[0.5; 256]);
    } else {
        w.bytes(&[0]).longs(&[5, 2]);
        input.iter().for_each(|row| {
            w.floats(row);
        });
    }
    w.bytes(&[0])
        .longs(&[3, 2])
        .floats(&[2.0, 0.0, 0.0, 2.0, -1.0, -1.0]);
    w.0
}

fn read(bytes: &[u8]) -> Result<Model, String> {
    Model::read(Bytes::Loaded(bytes.to_vec()))
}

fn predict(bytes: &[u8], text: &str) -> Option<(String, f64)> {
    let model = read(bytes).unwrap();
    let best = model.classify(text, 1);
    let (label, score) = best.first()?;
    Some((model.labels()[*label as usize].clone(), f64::from(*score)))
}

#[test]
fn every_kind_of_model_predicts() {
    for loss in 1..=4 {
        for quantised in [false, true] {
            let (label, score) = predict(&model(loss, quantised), "good\ngood").unwrap();
            // The root of the tree asks only for the second number, which is positive only with the
            // n-grams that pruning removed.
            let expected = if loss == 1 && quantised { "de" } else { "en" };
            assert_eq!(label, expected, "loss {loss}, quantised {quantised}");
            assert!(
                score > 0.5 && score < 1.0001,
                "loss {loss}, quantised {quantised}: {score}"
            );
        }
    }
}

#[test]
fn a_softmax_is_as_computed_by_hand() {
    // Only the end: the vector of zeros, three equal labels of which the last counts.
    let (label, score) = predict(&model(3, false), "").unwrap();
    assert_eq!(label, "fr");
    assert!((score - (1.0 / 3.0 + 1e-5)).abs() < 1e-6, "{score}");
    // A label in the text is not a word, and nothing counts after an end in the text.
    assert_eq!(
        predict(&model(3, false), "__label__de __label__xx"),
        Some((label, score))
    );
    assert_eq!(
        predict(&model(3, false), "\0\t</s> good good"),
        predict(&model(3, false), "")
    );
}

#[test]
fn cut_files_are_refused() {
    for quantised in [false, true] {
        for loss in [1, 3] {
            let whole = model(loss, quantised);
            for length in 0..whole.len() {
                let error = read(&whole[..length]).expect_err("a cut file");
                assert!(
                    error.contains("not a fastText model")
                        || error.contains("damaged or was cut off"),
                    "{length}: {error}"
                );
            }
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    for (loss, quantised) in [(1, false), (1, true), (3, false), (4, true)] {
        let whole = model(loss, quantised);
        for at in 0..whole.len() {
            for value in [0, 1, 2, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at] ^ 0x40] {
                let mut changed = whole.clone();
                changed[at] = value;
                if let Ok(model) = read(&changed) {
                    for (label, score) in model.classify("good bad gööd", u32::MAX) {
                        assert!((label as usize) < model.labels().len());
                        assert!(score.is_nan() || (0.0..=1.1).contains(&score));
                    }
                }
            }
        }
    }
}

#[test]
fn lies_about_sizes_are_refused_before_memory_is_taken() {
    let whole = model(3, false);
    // After magic, version, arguments: size, words and labels of the dictionary.
    for at in [64, 68, 72] {
        let mut lying = whole.clone();
        lying[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(read(&lying).unwrap_err().contains("dictionary"));
    }
    let rows = whole.len() - (16 + 24 + 1 + 40 + 16);
    for size in [i64::MAX, i64::MAX / 8, -1, 1 << 40] {
        let mut lying = whole.clone();
        lying[rows..rows + 8].copy_from_slice(&size.to_le_bytes());
        assert!(read(&lying).unwrap_err().contains("input matrix"), "{size}");
    }
}

#[test]
fn models_without_labels_are_refused() {
    let mut vectors = model(3, false);
    vectors[8 + 7 * 4] = 2;
    assert!(
        read(&vectors)
            .unwrap_err()
            .contains("must be a supervised one")
    );
    vectors[4] = 13;
    assert!(read(&vectors).unwrap_err().contains("it must be 11 or 12"));
}

#[test]
fn several_labels_come_best_first() {
    for loss in 1..=4 {
        let model = read(&model(loss, false)).unwrap();
        let all = model.classify("good", 9);
        assert_eq!(all.len(), 3, "loss {loss}");
        assert!(all.is_sorted_by(|a, b| a.1 >= b.1), "loss {loss}: {all:?}");
        for k in 0..3 {
            assert_eq!(model.classify("good", k), all[..k as usize], "loss {loss}");
        }
        if loss == 3 {
            let sum: f32 = all.iter().map(|(_, score)| score).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        }
    }
}

#[test]
fn info_tells_what_a_model_takes() {
    let bytes = model(3, true);
    let info = read(&bytes).unwrap().info();
    assert_eq!(info.bytes, bytes.len() as u64);
    assert!(info.resident > info.bytes);
    assert_eq!(info.vocabulary, Some(2));
}
