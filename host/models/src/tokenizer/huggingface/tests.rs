//! Damaged and hostile `tokenizer.json` files are refused or work; none panics or hangs.

use super::HfTokenizer;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// A tokenizer of each kind of model, with all kinds of parts.
fn tokenizers() -> Vec<Value> {
    let around = json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}});
    let added = json!([{"id": 0, "content": "<s>", "single_word": false, "lstrip": true, "rstrip": false, "normalized": false, "special": true},
        {"id": 9, "content": "ab", "single_word": true, "lstrip": false, "rstrip": true, "normalized": true, "special": false}]);
    let whole = |normalizer: Value,
                 pre_tokenizer: Value,
                 post_processor: &Value,
                 decoder: Value,
                 model: Value| {
        json!({"version": "1.0", "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 1},
            "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<s>"},
            "added_tokens": added, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder, "model": model})
    };
    let sequence = |name: &str, parts: Value| json!({"type": "Sequence", name: parts});
    let word_level =
        json!({"type": "WordLevel", "vocab": {"<s>": 0, "a": 1, "b": 2}, "unk_token": "<s>"});
    vec![
        whole(
            sequence(
                "normalizers",
                json!([{"type": "NFC"}, {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "a"}]),
            ),
            json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}),
            &around,
            sequence(
                "decoders",
                json!([{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0}]),
            ),
            json!({"type": "BPE", "dropout": null, "unk_token": "<s>", "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
                "byte_fallback": true, "ignore_merges": false, "vocab": {"<s>": 0, "▁": 1, "a": 2, "b": 3, "ab": 4, "<0x41>": 5}, "merges": [["a", "b"]]}),
        ),
        whole(
            json!(null),
            sequence(
                "pretokenizers",
                json!([{"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}|\\s+(?!\\S)"}, "behavior": "Isolated", "invert": false},
                {"type": "Digits", "individual_digits": true}, {"type": "Punctuation", "behavior": "Isolated"},
                {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}]),
            ),
            &json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
            json!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "fuse_unk": false,
                "byte_fallback": false, "ignore_merges": true, "vocab": {"<s>": 0, "a": 1, "##b": 2, "ab": 3, "Ġ": 4}, "merges": ["a ##b"]}),
        ),
        whole(
            json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}),
            json!({"type": "BertPreTokenizer"}),
            &json!({"type": "BertProcessing", "sep": ["<s>", 0], "cls": ["<s>", 0]}),
            json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
            json!({"type": "WordPiece", "unk_token": "<s>", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                "vocab": {"<s>": 0, "a": 1, "##b": 2}}),
        ),
        whole(
            sequence(
                "normalizers",
                json!([{"type": "Precompiled", "precompiled_charsmap": charsmap()}, {"type": "Nmt"}, {"type": "NFKD"}, {"type": "StripAccents"},
                {"type": "Strip", "strip_left": true, "strip_right": true}]),
            ),
            sequence(
                "pretokenizers",
                json!([{"type": "WhitespaceSplit"}, {"type": "UnicodeScripts"}, {"type": "FixedLength", "length": 5}]),
            ),
            &json!({"type": "RobertaProcessing", "sep": ["<s>", 0], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": true}),
            json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}),
            json!({"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["<s>", 0.0], ["▁", -1.0], ["a", -2.0], ["b", -3.0], ["ab", -2.5]]}),
        ),
        whole(
            json!({"type": "Lowercase"}),
            json!({"type": "CharDelimiterSplit", "delimiter": "-"}),
            &json!(null),
            json!({"type": "CTC", "pad_token": "<s>", "word_delimiter_token": "|", "cleanup": true}),
            word_level.clone(),
        ),
        whole(
            json!({"type": "ByteLevel"}),
            json!({"type": "Whitespace"}),
            &json!(null),
            json!({"type": "BPEDecoder", "suffix": "</w>"}),
            word_level,
        ),
    ]
}

/// The rule that `A` becomes `b`, in sentencepiece's form: a double array and the replacements, in
/// Base64.
fn charsmap() -> String {
    let mut units = [0u32; 1024];
    units[0] = 256 << 10;
    units[256 ^ 65] = 512 << 10 | 1 << 8 | 65;
    units[256 ^ 65 ^ 512] = 1 << 31;
    let mut table = (units.len() as u32 * 4).to_le_bytes().to_vec();
    units
        .iter()
        .for_each(|unit| table.extend(unit.to_le_bytes()));
    table.extend(b"b\0");
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in table.chunks(3) {
        let bits = group
            .iter()
            .fold(0u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - group.len()));
        (0..4).for_each(|i| {
            out.push(if i <= group.len() {
                char::from(digits[(bits >> (18 - 6 * i) & 63) as usize])
            } else {
                '='
            })
        });
    }
    out
}

const TYPES: [&str; 24] = [
    "BPE",
    "WordPiece",
    "WordLevel",
    "Unigram",
    "ByteLevel",
    "Precompiled",
    "Strip",
    "Replace",
    "Prepend",
    "Sequence",
    "Metaspace",
    "Split",
    "Digits",
    "FixedLength",
    "Punctuation",
    "CharDelimiterSplit",
    "BertNormalizer",
    "BertProcessing",
    "RobertaProcessing",
    "TemplateProcessing",
    "CTC",
    "BPEDecoder",
    "ByteFallback",
    "StripAccents",
];
const TEXTS: [&str; 7] = [
    "",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "ab a-b AB",
    "  x\n\n",
    "日本 e\u{301}𝒳 12345",
    "<s>ab<s>",
    "a\0b▁▁a",
];

/// Tokenizes the texts with a file; fails if it panics or takes too long.
fn try_out(file: &[u8]) -> Result<bool, String> {
    let before = Instant::now();
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let Ok(tokenizer) = HfTokenizer::read(file) else {
            return false;
        };
        for text in TEXTS {
            let _ = tokenizer.pieces(text);
            for special in [false, true] {
                let Ok(tokens) = tokenizer.encode(text, special) else {
                    continue;
                };
                assert_eq!(tokenizer.count(text, special), Ok(tokens.len()));
                let _ = tokenizer.decode(&tokens);
                let _ = tokenizer.decode(&[7, u32::MAX]);
            }
        }
        true
    }));
    match tried {
        Err(panic) => Err(panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
            .unwrap_or_default()),
        Ok(_) if before.elapsed() > Duration::from_secs(5) => Err("takes too long".into()),
        Ok(worked) => Ok(worked),
    }
}

/// The paths of all values in `value`.
fn places(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            places(
                value,
                format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                out,
            )
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(i, value)| places(value, format!("{at}/{i}"), out)),
        _ => {}
    }
    out.push(at);
}

#[test]
fn changed_values_never_panic() {
    let others = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(3),
        json!(4_294_967_295u64),
        json!(1e300),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("日"),
        json!([]),
        json!({}),
        json!([["a", "b"]]),
        json!("a a"),
        json!("(a*)*b"),
        json!("AAAA"),
        json!("\u{0}"),
    ];
    std::panic::set_hook(Box::new(|_| {}));
    let (mut wrong, mut worked) = (Vec::new(), 0);
    for tokenizer in tokenizers() {
        assert_eq!(
            try_out(tokenizer.to_string().as_bytes()),
            Ok(true),
            "{tokenizer}"
        );
        let mut all = Vec::new();
        places(&tokenizer, String::new(), &mut all);
        for place in all {
            let mut attempt =
                |changed: Value, what: String| match try_out(changed.to_string().as_bytes()) {
                    Ok(works) => worked += usize::from(works),
                    Err(why) => wrong.push(format!("{place} {what}: {why:.200}")),
                };
            for other in others.iter().cloned().chain(
                TYPES
                    .map(|name| json!(name))
                    .into_iter()
                    .filter(|_| place.ends_with("/type")),
            ) {
                let mut changed = tokenizer.clone();
                *changed.pointer_mut(&place).unwrap() = other.clone();
                attempt(changed, format!("= {other}"));
            }
            if let Some((above, name)) = place.rsplit_once('/') {
                let mut changed = tokenizer.clone();
                if let Some(fields) = changed.pointer_mut(above).unwrap().as_object_mut() {
                    fields.remove(name);
                }
                attempt(changed, "removed".into());
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(worked > 500, "{worked}");
    assert!(
        wrong.is_empty(),
        "{}:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(60)].join("\n")
    );
}

#[test]
fn as_many_tokens_are_counted_as_a_text_has() {
    let mut twice = tokenizers().remove(0);
    twice["post_processor"]["single"] = json!([{"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]);
    let pieces = [
        "a", "ab", "aab", " ", "  ", "-", "b", "A", "12", "<s>", "日本", ".", "\n", "é",
    ];
    for file in tokenizers().into_iter().chain([twice]) {
        let tokenizer = HfTokenizer::read(file.to_string().as_bytes()).unwrap();
        let mut chosen = 1u32;
        for length in (0..200).chain([2_000]) {
            let text: String = (0..length)
                .map(|_| {
                    chosen = chosen.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    pieces[(chosen >> 16) as usize % pieces.len()]
                })
                .collect();
            for special in [false, true] {
                let tokens = tokenizer.encode(&text, special).map(|tokens| tokens.len());
                assert_eq!(tokenizer.count(&text, special), tokens, "{text:?} {file}");
            }
        }
    }
}

#[test]
fn cut_files_are_refused() {
    for tokenizer in tokenizers() {
        let whole = tokenizer.to_string();
        for length in 0..whole.len() {
            assert!(
                HfTokenizer::read(&whole.as_bytes()[..length])
                    .unwrap_err()
                    .starts_with("this is not a `tokenizer.json`"),
                "{length}"
            );
        }
    }
    for other in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "\u{1f}\u{8b}".into(),
        "{}".into(),
        "null".into(),
    ] {
        assert!(HfTokenizer::read(other.as_bytes()).is_err());
    }
}
