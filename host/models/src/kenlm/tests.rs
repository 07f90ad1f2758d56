//! Small models: what they say, and that damage never panics. `tests/small` has the binaries that
//! KenLM's `build_binary` makes of `small.arpa`.

use super::Model;
use crate::mapped::Bytes;

/// Words and their hashes, computed apart.
pub(crate) const HASHES: [(&str, u64); 7] = [
    ("", 0x0000_0000_0000_0000),
    ("a", 0x0717_17d2_d36b_6b11),
    ("<unk>", 0xea91_e756_1f5b_392b),
    ("<s>", 0x0075_8639_bd21_7e70),
    ("</s>", 0x6be0_737d_f1f7_6c0a),
    ("sentence", 0xef12_6eef_2c2e_ca64),
    ("internationalisation", 0x99ea_9f42_4e78_a7f8),
];

const ARPA: &[u8] = include_bytes!("../../tests/small/small.arpa");
const BINARIES: [(&str, &[u8]); 6] = [
    ("probing", include_bytes!("../../tests/small/small.probing")),
    ("rest", include_bytes!("../../tests/small/small.rest")),
    ("trie", include_bytes!("../../tests/small/small.trie")),
    (
        "quantised",
        include_bytes!("../../tests/small/small.quantised"),
    ),
    (
        "pointers",
        include_bytes!("../../tests/small/small.pointers"),
    ),
    ("both", include_bytes!("../../tests/small/small.both")),
];
const TEXTS: [&str; 6] = [
    "",
    "the cat sat",
    " the\tdog  sat on the cat ",
    "sat sat sat",
    "nothing known \u{65e5}",
    "on the cat",
];

fn read(bytes: &[u8]) -> Result<Model, String> {
    Model::read(Bytes::Loaded(bytes.to_vec()))
}

#[test]
fn scores_are_sums_of_the_lines_of_the_file() {
    let model = read(ARPA).unwrap();
    assert_eq!(model.order(), 3);
    let near = |text: &str, expected: f64| {
        let score = model.score(text);
        assert!(
            (score - expected).abs() < 1e-5,
            "{text}: {score}, not {expected}"
        );
    };
    // The 3-gram `<s> the cat`, and after `the cat sat` the backoffs of `cat sat` and `sat`.
    near("the cat sat", -0.2 - 0.3 - 0.4 + (-0.05 - 0.15 - 0.9));
    // Of a word alone: the backoff of the start.
    near("nothing", (-0.25 - 2.0) + -0.9);
    // `dog sat` is no line of the file, but `the dog sat` is.
    near("the dog sat", -0.2 + (-0.1 - 0.8) - 0.6 + (-0.15 - 0.9));
    assert_eq!(model.score_part("", false, false), 0.0);
    assert!((model.score_part("the", false, false) - -0.7).abs() < 1e-6);
}

#[test]
fn binaries_give_the_scores_of_their_file() {
    let arpa = read(ARPA).unwrap();
    for (name, bytes) in BINARIES {
        let model = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(model.order(), 3, "{name}");
        assert_eq!(model.info().vocabulary, arpa.info().vocabulary, "{name}");
        for text in TEXTS {
            let (score, expected) = (model.score(text), arpa.score(text));
            // There are more codes than numbers in so small a file.
            let near = (score - expected).abs() < 1e-6 * expected.abs();
            assert!(near, "{name}: {score}, not {expected}: {text}");
        }
    }
}

#[test]
fn cut_files_are_refused() {
    for (name, bytes) in BINARIES.into_iter().chain([("arpa", ARPA)]) {
        for length in (0..bytes.len() - 1).step_by(if bytes.len() > 10_000 { 97 } else { 1 }) {
            let error = read(&bytes[..length]).expect_err(name);
            assert!(
                ["damaged", "is no language model", "is not 5", "other"]
                    .iter()
                    .any(|part| error.contains(part)),
                "{name}: {length}: {error}"
            );
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    for (_, bytes) in BINARIES.into_iter().chain([("arpa", ARPA)]) {
        let step = if bytes.len() > 10_000 { 61 } else { 1 };
        for at in (0..bytes.len().min(200)).chain((200..bytes.len()).step_by(step)) {
            for value in [0, 1, 0x7f, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x40] {
                let mut changed = bytes.to_vec();
                changed[at] = value;
                if let Ok(model) = read(&changed) {
                    TEXTS.iter().for_each(|text| {
                        model.score(text);
                    });
                }
            }
        }
    }
}

#[test]
fn mistakes_of_arpa_files_are_named_with_their_line() {
    let text = std::str::from_utf8(ARPA).unwrap();
    for (from, to, expected) in [
        (
            "ngram 2=",
            "ngram 3=",
            "line 3 of the ARPA file: it must be `ngram N=COUNT`",
        ),
        ("ngram 2=8", "ngram 2=80000", "has not as many n-grams"),
        ("\\2-grams:", "\\3-grams:", "it must be `\\2-grams:`"),
        ("-0.7\tthe", "0.7\tthe", "is above 0"),
        ("-0.7\tthe", "nan\tthe", "it must be a probability"),
        ("<s> the cat", "<s> the", "it must have 3 words"),
        ("<s> the cat", "<s> the fox", "not among the 1-grams"),
        (
            "the cat sat",
            "cat cat sat",
            "without the last one are no n-gram",
        ),
        ("-0.9\t</s>", "-0.9\t<end>", "has no `</s>`"),
        ("\\end\\", "", "must end with"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let error = read(changed.as_bytes()).expect_err(from);
        assert!(error.contains(expected), "{from}: {error}");
    }
}

#[test]
fn other_versions_and_machines_are_refused() {
    let refused = |at: usize, value: u8| {
        let mut changed = BINARIES[0].1.to_vec();
        changed[at] = value;
        read(&changed).unwrap_err()
    };
    assert!(refused(49, b'4').contains("is not 5"));
    assert!(refused(60, 7).contains("writes numbers in another way"));
    assert!(refused(88, 200).contains("up to 200 words"));
    assert!(refused(104, 3).contains("version of its tables"));
}
