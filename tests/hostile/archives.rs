//! Compressed files as all kinds of programs write them, and texts in other encodings.

use std::io::Write;

use crate::harness::Case;
use crate::hostile::{KEEP, good, run_on};

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zst(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, 3).unwrap()
}

fn bz2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn xz(content: &[u8]) -> Vec<u8> {
    let mut encoder =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The output of `xz` for empty input: a stream without blocks.
const EMPTY_XZ: [u8; 32] = [
    0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46, 0, 0, 0, 0, 0x1c, 0xdf, 0x44,
    0x21, 0x1f, 0xb6, 0xf3, 0x7d, 1, 0, 0, 0, 0, 4, b'Y', b'Z',
];

/// A frame that decoders skip; `pzstd` begins with one that has the size of the next frame.
fn skippable(number: u8, content: &[u8]) -> Vec<u8> {
    [
        &[0x50 + number, 0x2a, 0x4d, 0x18][..],
        &(content.len() as u32).to_le_bytes(),
        content,
    ]
    .concat()
}

#[test]
fn frames_to_skip_stand_anywhere() {
    let (a, b) = (good(2000), good(10));
    let file = [
        skippable(0, &4242u32.to_le_bytes()),
        zst(a.as_bytes()),
        skippable(15, &[7; 70_000]),
        skippable(3, b""),
        zst(b.as_bytes()),
        skippable(14, b"a seek table"),
    ]
    .concat();
    for name in ["in.jsonl.zst", "IN.JSONL.ZST", "in.jsonl"] {
        assert_eq!(run_on(name, &file).ok().text(), a.clone() + &b, "{name}");
    }
    // The header of the first data frame lies beyond the examined bytes.
    let far = [skippable(1, &vec![0; 200_000]), zst(a.as_bytes())].concat();
    assert_eq!(run_on("in.jsonl.zst", far).ok().text(), a);
    assert_eq!(
        run_on("in.jsonl.zst", skippable(0, b"nothing else"))
            .ok()
            .text(),
        ""
    );
}

#[test]
fn capital_letters_in_directories_and_results() {
    let case = Case::new();
    case.write("in/A.JSONL.ZST", zst(good(2).as_bytes()));
    case.write("in/B.Json.GZ", gz(good(3).as_bytes()));
    let ran = case
        .run(&format!(
            "{KEEP}dataset_path: in\nexport_path: new/R.JSONL.ZST\n"
        ))
        .ok();
    assert_eq!(ran.summary["ledger"]["output"], 5);
    let result =
        zstd::decode_all(&std::fs::read(case.path("new/R.JSONL.ZST")).unwrap()[..]).unwrap();
    assert_eq!(String::from_utf8(result).unwrap(), good(2) + &good(3));
}

#[test]
fn members_of_any_kind_follow_one_another() {
    let rows = good(500);
    let row = rows.as_bytes();
    let empty = [gz(b""), zst(b""), bz2(b""), EMPTY_XZ.to_vec()];
    for (name, one) in [
        ("in.jsonl.gz", gz(row)),
        ("in.jsonl.zst", zst(row)),
        ("in.jsonl.bz2", bz2(row)),
        ("in.jsonl.xz", xz(row)),
    ] {
        // The same kind, empty ones between.
        let own_empty = &empty[["gz", "zst", "bz2", "xz"]
            .iter()
            .position(|end| name.ends_with(end))
            .unwrap()];
        let file = [&one[..], own_empty, &one, own_empty].concat();
        assert_eq!(run_on(name, file).ok().text(), rows.repeat(2), "{name}");
        // Other kinds, one of which has the rest of a row.
        let (head, tail) = row.split_at(row.len() - 7);
        let file = [one.clone(), zst(head), gz(tail), xz(row), bz2(row)].concat();
        assert_eq!(run_on(name, file).ok().text(), rows.repeat(4), "{name}");
        // Zeros between and after them, as from tapes and `xz`.
        let file = [&one[..], &[0; 8], &one, &[0; 300_000]].concat();
        assert_eq!(run_on(name, file).ok().text(), rows.repeat(2), "{name}");
        // Anything else is damage, not the end.
        let file = [&one[..], b"more"].concat();
        run_on(name, file).failed(1, &[name, "what follows behind its end is not packed"]);
        run_on(name, [&one[..], &one[..one.len() / 2]].concat())
            .failed(1, &[name, "cut or damaged"]);
    }
    for (name, file) in ["in.jsonl.gz", "in.jsonl.zst", "in.jsonl.bz2", "in.jsonl.xz"]
        .iter()
        .zip(&empty)
    {
        assert_eq!(run_on(name, file).ok().text(), "", "{name}");
    }
}

#[test]
fn long_windows_are_allowed_by_an_option() {
    let rows = good(3000);
    // Of unknown size, so that the window is in the header.
    let mut file = zstd::stream::encode_all(rows.as_bytes(), 3).unwrap();
    assert_eq!(file[4] & 0x20, 0);
    for (log, mb) in [(31, 2048), (28, 256)] {
        file[5] = (log - 10) << 3;
        run_on("in.jsonl.zst", &file).failed(
            2,
            &[
                "in.jsonl.zst",
                &format!("a window of {mb} MB"),
                &format!("`zstd_window_mb: {mb}`"),
            ],
        );
    }
    let case = Case::new();
    case.write("in.jsonl.zst", &file);
    assert_eq!(
        case.run(&format!(
            "{KEEP}dataset_path: in.jsonl.zst\nzstd_window_mb: 256\n"
        ))
        .ok()
        .text(),
        rows
    );
    // A frame after the first is found during unpacking.
    let later = [zst(rows.as_bytes()), file].concat();
    let ran = run_on("in.jsonl.zst", later).failed(1, &["in.jsonl.zst", "`zstd_window_mb: 256`"]);
    // Nothing is damaged, and the path is there once.
    let error = ran.stderr.lines().last().unwrap();
    assert!(!error.contains("damaged"), "{error}");
    assert_eq!(error.matches("in.jsonl.zst").count(), 1, "{error}");
    let mut dictionary = zst(rows.as_bytes());
    dictionary[4] |= 1;
    dictionary.insert(5, 9);
    run_on("in.jsonl.zst", dictionary).failed(2, &["a dictionary (number 9)"]);
}

#[test]
fn other_encodings_are_named_as_the_cause() {
    let text = "{\"text\": \"plain\"}\n".repeat(3);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let utf16be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &utf16].concat();
    for name in ["in.jsonl", "in.json", "in.csv", "in.txt"] {
        run_on(name, &marked).failed(2, &[name, "UTF-16 text", "iconv -f UTF-16 -t UTF-8"]);
        run_on(name, &utf16).failed(2, &[name, "UTF-16LE text"]);
        run_on(name, &utf16be).failed(2, &[name, "UTF-16BE text"]);
    }
    run_on("in.jsonl.gz", gz(&marked)).failed(2, &["in.jsonl.gz", "UTF-16 text"]);
    // "Chinese text, this is data".encode("gb18030")
    let words = b"\xd6\xd0\xce\xc4\xce\xc4\xb1\xbe\xa3\xac\xd5\xe2\xca\xc7\xca\xfd\xbe\xdd";
    let row = [b"{\"text\": \"", &words[..], b"\"}\n"].concat();
    let table = [b"id,text\n1,", &words[..], b"\n2,", words, b"\n"].concat();
    for (name, file) in [
        ("in.jsonl", row.repeat(20)),
        ("one.jsonl", row.clone()),
        ("in.csv", table),
        ("in.jsonl.zst", zst(&row.repeat(20))),
        // The only row.
        ("in.txt", words.repeat(3)),
    ] {
        run_on(name, file).failed(2, &[name, "GB18030", "iconv -f GB18030 -t UTF-8"]);
    }
    // A text is one row of many.
    let case = Case::new();
    case.write("in/a.txt", "plain");
    case.write("in/b.txt", words.repeat(3));
    let ran = case.run(&format!("{KEEP}dataset_path: in\n")).ok();
    assert!(
        ran.quarantine.len() == 1 && ran.stderr.contains("b.txt") && ran.stderr.contains("GB18030"),
        "{}",
        ran.stderr
    );
    let ran = run_on("one.jsonl", &row);
    assert!(
        ran.stderr.contains("its only line is something else"),
        "{}",
        ran.stderr
    );
    // A few rows of another encoding go to quarantine, with a note.
    let mixed = [good(30).as_bytes(), &row, good(5).as_bytes()].concat();
    let ran = run_on("in.jsonl", mixed).ok();
    assert!(
        ran.quarantine.len() == 1 && ran.stderr.contains("GB18030"),
        "{}",
        ran.stderr
    );
}
