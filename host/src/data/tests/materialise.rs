//! Files that must be unpacked before reading.

use super::*;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn rows(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|i| {
            format!(
                "{{\"text\": \"row {i} {}\"}}\n",
                i.wrapping_mul(2_654_435_761) % 1000
            )
            .into_bytes()
        })
        .collect()
}

/// The rows that a file yields.
fn through(name: &str, content: &[u8]) -> Result<String> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join(name), content)?;
    let outcome = run(
        &dir,
        name,
        "out.jsonl",
        &[],
        Way {
            by: SplitBy::Count(3),
            ..PLAIN
        },
        |_| {},
    )?;
    Ok(String::from_utf8(outcome.content[0].clone())?)
}

#[test]
fn archives_give_their_rows_and_say_where_they_are_cut() {
    let rows = rows(20_000);
    let mut zstd = zstd::bulk::Compressor::new(3).unwrap();
    zstd.include_checksum(true).unwrap();
    let zstd = zstd.compress(&rows).unwrap();
    for (name, packed) in [
        ("a.jsonl.gz", gzip(&rows)),
        ("a.jsonl.zst", zstd),
        ("a.jsonl.bz2", bzip2(&rows)),
        ("a.jsonl.xz", xz(&rows)),
    ] {
        assert_eq!(through(name, &packed).unwrap().as_bytes(), rows, "{name}");
        // Two members, or frames, or streams, one after the other.
        assert_eq!(
            through(name, &packed.repeat(2)).unwrap().as_bytes(),
            rows.repeat(2),
            "{name}"
        );
        let error = format!(
            "{:#}",
            through(name, &packed[..packed.len() / 2]).unwrap_err()
        );
        assert!(
            error.contains(name)
                && error.contains("cut or damaged")
                && error.contains("unpacked bytes"),
            "{error}"
        );
        let mut flipped = packed.clone();
        flipped[packed.len() / 2] ^= 0x55;
        assert!(
            through(name, &flipped).is_err_and(|e| format!("{e:#}").contains(name)),
            "{name}"
        );
    }
}

#[test]
fn json_arrays_become_lines() {
    for (array, lines) in [
        ("[]", ""),
        (" [ ] \n", ""),
        ("\u{feff}[{\"a\": 1}]", "{\"a\": 1}\n"),
        (
            "[{\"a\": [1, {\"b\": \"],}\\\"\"}]},\n {\"c\":\n 2}\n]\n",
            "{\"a\": [1, {\"b\": \"],}\\\"\"}]}\n{\"c\":  2}\n",
        ),
        (
            "{\n\"a\": 1\n}\n{\n\"b\": 2}",
            "{ \"a\": 1 }\n{ \"b\": 2}\n",
        ),
    ] {
        assert_eq!(
            through("a.json", array.as_bytes()).unwrap(),
            lines,
            "{array}"
        );
    }
}

#[test]
fn json_arrays_must_be_whole() {
    for (array, words) in [
        ("[{\"a\": 1}", "the JSON ends in the middle, at byte 9"),
        ("[{\"a\": 1},", "the JSON ends in the middle"),
        ("[{\"a\": \"x", "the JSON ends in the middle"),
        (
            "[{\"a\": 1} {}]",
            "no comma between two elements at byte 10",
        ),
        ("[,{}]", "an element is missing at byte 1"),
        ("[{}] {}", "more text behind the end of the array at byte 5"),
    ] {
        let error = format!("{:#}", through("a.json", array.as_bytes()).unwrap_err());
        assert!(
            error.contains(words) && error.contains("a.json"),
            "{array}: {error}"
        );
    }
}

#[test]
fn tables_and_texts_become_rows() {
    let csv = "text,n,f,b,d\n\"a, \"\"b\"\"\nc\",1,0.5,true,2020-01-01\nx,,2,false,\n";
    assert_eq!(
        through("a.csv", csv.as_bytes()).unwrap(),
        "{\"text\":\"a, \\\"b\\\"\\nc\",\"n\":1,\"f\":0.5,\"b\":true,\"d\":\"2020-01-01\"}\n{\"text\":\"x\",\"n\":null,\"f\":2.0,\"b\":false,\"d\":null}\n"
    );
    assert_eq!(
        through("a.tsv", b"\xef\xbb\xbftext\tn\na\t1\n").unwrap(),
        "{\"text\":\"a\",\"n\":1}\n"
    );
    assert_eq!(
        through("a.txt", "one\n\"two\"\té\u{1}".as_bytes()).unwrap(),
        "{\"text\": \"one\\n\\\"two\\\"\\té\\u0001\"}\n"
    );
    assert_eq!(
        through("a.csv.gz", &gzip(b"text\nx\n")).unwrap(),
        "{\"text\":\"x\"}\n"
    );
}

#[test]
fn what_is_unpacked_is_used_again_until_its_source_changes() {
    let dir = tempfile::tempdir().unwrap();
    let into = dir.path().join("partitions");
    let archive = dir.path().join("a.jsonl.gz");
    fs::write(&archive, gzip(b"{\"text\": \"one\"}\n")).unwrap();
    let unpack = || {
        materialise(
            &Dataset::open(&["a.jsonl.gz".to_owned()], dir.path()).unwrap(),
            &into,
            &Storage::new(),
        )
        .unwrap()
    };
    let first = unpack();
    assert_eq!(first.files[0].origin.as_ref().unwrap().path, archive);
    // The copy's unchanged time shows that it was reused.
    assert_eq!(unpack(), first);
    // A kill between the file and its manifest leaves no manifest.
    fs::remove_file(into.join("input_00000.manifest.json")).unwrap();
    fs::write(&first.files[0].path, "half a").unwrap();
    assert_eq!(
        fs::read(&unpack().files[0].path).unwrap(),
        b"{\"text\": \"one\"}\n"
    );
    fs::write(&archive, gzip(b"{\"text\": \"number two\"}\n")).unwrap();
    assert_eq!(
        fs::read(&unpack().files[0].path).unwrap(),
        b"{\"text\": \"number two\"}\n"
    );
}
