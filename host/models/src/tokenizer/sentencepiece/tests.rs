//! Models written byte by byte: how they cut texts, and that damage never panics.

use super::model::SentencePiece;

fn number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
    number(field << 3 | 2, out);
    number(value.len() as u64, out);
    out.extend(value);
}

fn piece(text: &str, score: f32, kind: u64, out: &mut Vec<u8>) {
    let mut message = Vec::new();
    bytes(1, text.as_bytes(), &mut message);
    message.push(2 << 3 | 5);
    message.extend(score.to_le_bytes());
    message.push(3 << 3);
    number(kind, &mut message);
    bytes(1, &message, out);
}

/// A table with the rules that `A` becomes `a`, and `B` becomes `x y`.
fn charsmap() -> Vec<u8> {
    // The root's children are at `256 ^ byte`; those that are values at `512 ^ 65` and `512 ^ 66`,
    // further on by 0.
    let mut units = [0u32; 1024];
    units[0] = 256 << 10;
    for (byte, value) in [(b'A', 0u32), (b'B', 2)] {
        units[256 ^ usize::from(byte)] = 512 << 10 | 1 << 8 | u32::from(byte);
        units[256 ^ usize::from(byte) ^ 512] = 1 << 31 | value;
    }
    let mut table = (units.len() as u32 * 4).to_le_bytes().to_vec();
    units
        .iter()
        .for_each(|unit| table.extend(unit.to_le_bytes()));
    table.extend(b"a\0x y\0");
    table
}

const PIECES: [(&str, f32, u64); 14] = [
    ("<unk>", 0.0, 2),
    ("<s>", 0.0, 3),
    ("▁", -3.0, 1),
    ("a", -2.0, 1),
    ("b", -2.5, 1),
    ("ab", -2.1, 1),
    ("▁a", -2.2, 1),
    ("aba", -3.5, 1),
    ("x", -4.0, 1),
    ("y", -4.0, 1),
    ("<sep>", 0.0, 4),
    ("é", -5.0, 1),
    ("ba", -1.0, 5),
    ("bab", -0.5, 1),
];

fn model(kind: u64, byte_fallback: bool, normalizer: &[(u64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    PIECES
        .iter()
        .for_each(|&(text, score, kind)| piece(text, score, kind, &mut out));
    if byte_fallback {
        (0..=255u8).for_each(|byte| piece(&format!("<0x{byte:02X}>"), 0.0, 6, &mut out));
    }
    bytes(
        2,
        &[
            3 << 3,
            kind as u8,
            35 << 3 & 0x7f | 0x80,
            2,
            u8::from(byte_fallback),
        ],
        &mut out,
    );
    let mut spec = Vec::new();
    bytes(2, &charsmap(), &mut spec);
    for &(field, value) in normalizer {
        number(field << 3, &mut spec);
        number(value, &mut spec);
    }
    bytes(3, &spec, &mut out);
    out
}

fn cut(model: &[u8], text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    SentencePiece::read(model)
        .unwrap()
        .pieces(text, |piece, _| pieces.push(piece.to_owned()))
        .unwrap();
    pieces
}

#[test]
fn every_kind_of_model_cuts() {
    let text = " AabZZa  <sep>B ";
    assert_eq!(
        cut(&model(1, false, &[]), text),
        ["▁a", "ab", "ZZ", "a", "▁", "<sep>", "x", "▁", "y"]
    );
    assert_eq!(
        cut(&model(2, false, &[]), text),
        ["▁a", "ab", "ZZ", "a", "▁", "<sep>", "x", "▁", "y"]
    );
    assert_eq!(cut(&model(3, false, &[]), text), ["▁aabZZa▁<sep>x▁y"]);
    assert_eq!(cut(&model(4, false, &[]), "Aé"), ["▁", "a", "é"]);
    assert_eq!(cut(&model(1, true, &[]), "Zé"), ["▁", "<0x5A>", "é"]);
    // Merged best first; unused pieces are split again.
    assert_eq!(cut(&model(2, false, &[(3, 0)]), "abab"), ["a", "bab"]);
    assert_eq!(cut(&model(2, false, &[(3, 0)]), "ba"), ["b", "a"]);
    // No space before, all spaces kept, and plain.
    assert_eq!(
        cut(&model(1, false, &[(3, 0), (4, 0), (5, 0)]), "  a <s>"),
        ["  ", "a", " <s>"]
    );
    assert_eq!(cut(&model(1, false, &[]), "  "), [""; 0]);
}

#[test]
fn cut_files_are_refused() {
    for kind in 1..=4 {
        let whole = model(kind, kind == 2, &[(3, 1), (4, 1), (5, 1)]);
        for length in 0..whole.len() {
            let error = SentencePiece::read(&whole[..length]).unwrap_err();
            assert!(
                error.contains("not a sentencepiece model") || error.contains("damaged"),
                "{length}: {error}"
            );
        }
    }
}

#[test]
fn changed_bytes_never_panic() {
    let text = "ab Aé <sep>BabA  baba bbb \0 日本 𝒳";
    for kind in 1..=4 {
        let whole = model(kind, false, &[(3, 1), (4, 1), (5, 1)]);
        // Where the character table is empty, one place represents all others.
        for at in (0..whole.len()).filter(|&at| {
            at == 999
                || whole[at.saturating_sub(4)..(at + 4).min(whole.len())]
                    .iter()
                    .any(|&b| b != 0)
        }) {
            for value in [0, 1, 5, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at] ^ 0x40] {
                let mut changed = whole.clone();
                changed[at] = value;
                if let Ok(model) = SentencePiece::read(&changed) {
                    let mut length = 0;
                    let mut numbers = vec![u32::MAX];
                    model
                        .pieces(text, |piece, number| {
                            length += piece.len();
                            numbers.push(number);
                        })
                        .unwrap();
                    assert!(length < 1000);
                    assert!(numbers[1..].iter().all(|n| (*n as usize) < model.len()));
                    let _ = model.decode(&numbers);
                }
            }
        }
    }
}

#[test]
fn lies_about_sizes_are_refused() {
    let whole = model(1, false, &[]);
    for lie in [
        vec![0xff, 0xff, 0xff, 0xff, 0x0f],
        vec![0xff; 10],
        [&[0xff; 9][..], &[1]].concat(),
        vec![0xff; 11],
    ] {
        // The length of the first piece.
        let lying = [&whole[..1], &lie, &whole[2..]].concat();
        assert!(
            SentencePiece::read(&lying)
                .unwrap_err()
                .contains("not a sentencepiece model")
        );
        let lying = [&whole[..], &[0x0a], &lie].concat();
        assert!(SentencePiece::read(&lying).unwrap_err().contains("damaged"));
    }
    for size in [0u32, 1, 1023, 1 << 20, u32::MAX] {
        let mut table = charsmap();
        table[..4].copy_from_slice(&size.to_le_bytes());
        let mut spec = Vec::new();
        bytes(2, &table, &mut spec);
        let mut lying = whole.clone();
        bytes(3, &spec, &mut lying);
        assert!(
            SentencePiece::read(&lying)
                .unwrap_err()
                .contains("table of characters"),
            "{size}"
        );
    }
}

#[test]
fn what_sentencepiece_refuses_is_refused() {
    let refused = |pieces: &[(&str, f32, u64)]| {
        let mut out = Vec::new();
        pieces
            .iter()
            .for_each(|&(text, score, kind)| piece(text, score, kind, &mut out));
        (2..=3).for_each(|spec| bytes(spec, &[], &mut out));
        SentencePiece::read(&out).unwrap_err()
    };
    let unknown = ("<unk>", 0.0, 2);
    assert!(refused(&[("a", 0.0, 1)]).contains("what is unknown"));
    assert!(refused(&[unknown, unknown]).contains("what is unknown"));
    assert!(refused(&[unknown, ("a", 0.0, 1), ("a", 1.0, 1)]).contains("two equal pieces"));
    assert!(refused(&[unknown, ("", 0.0, 1)]).contains("a piece without text"));
    assert!(refused(&[unknown, ("a", f32::NAN, 1)]).contains("a score"));
    assert!(refused(&[unknown, ("<0x00>", 0.0, 6)]).contains("a byte"));
    assert!(refused(&[unknown, (&"a".repeat(8000), 0.0, 1)]).contains("8000"));
}

#[test]
fn many_long_pieces_do_not_overflow_the_stack() {
    let mut out = Vec::new();
    piece("<unk>", 0.0, 2, &mut out);
    let long = "a".repeat(7999);
    (1..8000).step_by(97).for_each(|length| {
        piece(
            &long[..length],
            length as f32,
            if length % 2 == 0 { 5 } else { 1 },
            &mut out,
        )
    });
    for kind in 1..=2 {
        let mut model = out.clone();
        bytes(2, &[3 << 3, kind], &mut model);
        bytes(3, &[], &mut model);
        let mut length = 0;
        SentencePiece::read(&model)
            .unwrap()
            .pieces(&long.repeat(3), |piece, _| length += piece.len())
            .unwrap();
        assert_eq!(length, 3 * long.len() + 3);
    }
}

#[test]
fn pieces_have_numbers_and_become_text_again() {
    for kind in 1..=4 {
        let model = SentencePiece::read(&model(kind, false, &[])).unwrap();
        let (mut pieces, mut numbers) = (Vec::new(), Vec::new());
        model
            .pieces("ab <sep>x", |piece, number| {
                pieces.push(piece.to_owned());
                numbers.push(number);
            })
            .unwrap();
        // Of words, the only one is unknown.
        for (piece, number) in pieces.iter().zip(&numbers) {
            let known = PIECES.iter().position(|(text, _, _)| text == piece);
            assert_eq!(*number as usize, known.unwrap_or(0), "{kind}: {piece}");
        }
        assert_eq!(model.encode("ab <sep>x", false).unwrap(), numbers);
        assert_eq!(model.count("ab <sep>x", false).unwrap(), numbers.len());
        // There is a piece for the start, and none for the end.
        let special = model.encode("ab <sep>x", true).unwrap();
        assert_eq!(special[0], 1);
        assert_eq!(special[1..], numbers);
        if kind != 3 {
            assert_eq!(model.decode(&special).unwrap(), "ab <sep>x", "{kind}");
        }
    }
    let bytes = SentencePiece::read(&model(1, true, &[])).unwrap();
    let numbers = bytes.encode("Zé日", false).unwrap();
    assert_eq!(bytes.decode(&numbers).unwrap(), "Zé日");
    assert_eq!(
        bytes.decode(&numbers[..numbers.len() - 1]).unwrap(),
        "Zé\u{fffd}\u{fffd}"
    );
    assert_eq!(bytes.decode(&[0]).unwrap(), " \u{2047} ");
}
