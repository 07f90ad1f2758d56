//! WARC files: the same rows however they are packed and cut, and what is damaged costs itself.

use super::*;
use crate::data::Refetched;
use crate::data::batch::split_id;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::io::Write;

fn record(ty: &str, url: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {ty}\r\nWARC-Target-URI: {url}\r\nWARC-Record-ID: <urn:{url}>\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), content, b"\r\n\r\n"].concat()
}

fn response(url: &str, body: &[u8]) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    record("response", url, "application/http", &[head, body].concat())
}

/// A crawl of some pages, record by record. A few hold another crawl: as it is, and packed.
fn crawl(pages: usize) -> Vec<Vec<u8>> {
    let mut records = vec![record(
        "warcinfo",
        "",
        "application/warc-fields",
        b"software: a\r\n",
    )];
    for page in 0..pages {
        let url = format!("http://example.org/{page}");
        let mut body = format!("<p>page {page} ").into_bytes();
        match page % 7 {
            3 => (0..3).for_each(|n| body.extend(response(&format!("http://inner/{n}"), b"inner"))),
            5 => (0..40).for_each(|n| body.extend(gz(&response(&format!("http://in/{n}"), b"in")))),
            n => body.extend("words and words ".repeat(n * 40).bytes()),
        }
        records.push(record(
            "request",
            &url,
            "application/http",
            b"GET / HTTP/1.1\r\n\r\n",
        ));
        records.push(response(&url, &body));
        records.push(record(
            "metadata",
            &url,
            "application/warc-fields",
            b"fetchTimeMs: 1\r\n",
        ));
    }
    records
}

fn gz(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A member whose content is stored as it is.
fn gz_stored(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let tail = [
        crc.sum().to_le_bytes(),
        (content.len() as u32).to_le_bytes(),
    ]
    .concat();
    [&head[..], &encoder.finish().unwrap(), &tail].concat()
}

fn zst(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, 3).unwrap()
}

/// A dictionary made of some records, and the frames of all with it; the dictionary may be packed.
fn zst_with_dictionary(records: &[Vec<u8>], is_packed: bool) -> Vec<u8> {
    let dictionary = zstd::dict::from_samples(records, 4 << 10).unwrap();
    let stored = if is_packed {
        zst(&dictionary)
    } else {
        dictionary.clone()
    };
    let mut file = [0x5d, 0x2a, 0x4d, 0x18].to_vec();
    file.extend((stored.len() as u32).to_le_bytes());
    file.extend(stored);
    let mut packer = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
    records
        .iter()
        .for_each(|record| file.extend(packer.compress(record).unwrap()));
    file
}

struct Read {
    rows: Vec<(u64, String)>,
    bad: Vec<(u64, String)>,
}

impl Read {
    fn texts(&self) -> Vec<&str> {
        self.rows.iter().map(|(_, text)| text.as_str()).collect()
    }

    fn reasons(&self) -> Vec<&str> {
        self.bad.iter().map(|(_, reason)| reason.as_str()).collect()
    }
}

/// Opens `content` as a file of that name; what is packed as a whole is unpacked.
fn open(dir: &Path, name: &str, content: &[u8]) -> Dataset {
    fs::write(dir.join(name), content).unwrap();
    let dataset = Dataset::open(&[name.to_owned()], dir).unwrap();
    materialise(&dataset, &dir.join("partitions"), &Storage::new()).unwrap()
}

fn rows(dataset: &Dataset, by: SplitBy, batch_bytes: usize) -> Read {
    let mut options = ReadOptions::new(vec![optional("url", FieldType::Utf8)]);
    (options.batch_bytes, options.max_row_bytes) = (batch_bytes, 1 << 20);
    let mut all = Read {
        rows: Vec::new(),
        bad: Vec::new(),
    };
    for partition in split(dataset, by).unwrap() {
        for block in read(dataset, &partition, &options).unwrap() {
            let block = block.unwrap();
            let raw = block.batch.raw.as_ref().unwrap();
            let texts = raw
                .iter()
                .map(|row| String::from_utf8(row.unwrap().to_vec()).unwrap());
            all.rows
                .extend(block.batch.ids.values().iter().copied().zip(texts));
            all.bad
                .extend(block.bad.into_iter().map(|bad| (bad.id, bad.reason)));
        }
    }
    all
}

/// The rows of a file, which are the same however it is cut, and found again by their ids.
fn checked(name: &str, content: &[u8]) -> Read {
    let dir = tempfile::tempdir().unwrap();
    let dataset = open(dir.path(), name, content);
    let all = rows(&dataset, SplitBy::Count(1), 512 << 10);
    for by in [2, 7, 40]
        .map(SplitBy::Count)
        .into_iter()
        .chain([SplitBy::Rows(3)])
    {
        let cut = rows(&dataset, by, 1000);
        assert_eq!(cut.rows, all.rows, "{name}, {by:?}");
        assert_eq!(cut.bad, all.bad, "{name}, {by:?}");
    }
    let mut again = Refetched::new(&dataset, 0);
    for (id, text) in all.rows.iter().rev() {
        assert_eq!(
            again.row(split_id(*id).1).unwrap(),
            text.as_bytes(),
            "{name}"
        );
    }
    let mut ids: Vec<u64> = all.rows.iter().chain(&all.bad).map(|(id, _)| *id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{name}: each has its own id");
    all
}

#[test]
fn packing_does_not_change_rows() {
    let records = crawl(50);
    let each = |pack: fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
        records.iter().flat_map(|record| pack(record)).collect()
    };
    let plain = records.concat();
    let expected = checked("a.warc", &plain);
    assert_eq!(expected.rows.len(), 50);
    assert!(expected.bad.is_empty());
    assert!(expected.rows[1].1.starts_with(
        r#"{"url":"http://example.org/1","date":null,"content_type":"text/html; charset=utf-8","status":200,"record_id":"<urn:http://example.org/1>","digest":null,"charset":"utf-8","html":"<p>page 1 words"#
    ));
    // Two records in one member, but the first one is alone.
    let pairs = || {
        let rest = records[1..].chunks(2).flat_map(|pair| gz(&pair.concat()));
        [gz(&records[0]), rest.collect()].concat()
    };
    for (name, content) in [
        ("a.warc.gz", each(gz)),
        ("stored.warc.gz", each(gz_stored)),
        ("pairs.warc.gz", pairs()),
        ("whole.warc.gz", gz(&plain)),
        (
            "two.warc.gz",
            [gz(&plain[..5000]), gz(&plain[5000..])].concat(),
        ),
        ("zeros.warc.gz", [each(gz), vec![0; 1000]].concat()),
        ("a.warc.zst", each(zst)),
        ("whole.warc.zst", zst(&plain)),
        ("dictionary.warc.zst", zst_with_dictionary(&records, false)),
        ("packed.warc.zst", zst_with_dictionary(&records, true)),
        ("a.data", plain.clone()),
        (
            "blank.warc",
            [b"\r\n\r\n", &plain[..], b"\r\n\n\r\n"].concat(),
        ),
    ] {
        let found = checked(name, &content);
        assert_eq!(found.texts(), expected.texts(), "{name}");
        assert!(found.bad.is_empty(), "{name}: {:?}", found.bad);
    }
}

#[test]
fn damage_costs_the_record() {
    let records = crawl(30);
    let expected = checked("a.warc", &records.concat());
    for (name, pack) in [
        ("a.warc.gz", gz as fn(&[u8]) -> Vec<u8>),
        ("a.warc.zst", zst),
    ] {
        let packed: Vec<Vec<u8>> = records.iter().map(|record| pack(record)).collect();
        // Of the responses, records 2, 5, 8, …
        for (row, at) in [(0, 2), (3, 11), (5, 17), (29, 89)] {
            let length = packed[at].len();
            let flipped = |byte: usize| {
                let mut bytes = packed[at].clone();
                bytes[byte] ^= 0x5a;
                bytes
            };
            for (what, bytes) in [
                ("cut", packed[at][..length / 2].to_vec()),
                ("cut at its head", packed[at][..12].to_vec()),
                ("flipped", flipped(length / 2)),
                ("flipped near its end", flipped(length - 6)),
                ("without magic", flipped(1)),
                (
                    "longer",
                    [
                        &packed[at][..length / 2],
                        &[0xaa; 300],
                        &packed[at][length / 2..],
                    ]
                    .concat(),
                ),
            ] {
                let file = [packed[..at].concat(), bytes, packed[at + 1..].concat()].concat();
                let found = checked(name, &file);
                let mut texts = expected.texts();
                texts.remove(row);
                let name = format!("{name}, row {row} {what}: {:?}", found.bad);
                assert!(
                    texts.iter().all(|text| found.texts().contains(text)),
                    "{name}"
                );
                // A checksum is optional in zstd: a flipped byte may change the content.
                if name.contains("zst") && what.contains("flipped") {
                    continue;
                }
                let others = found
                    .texts()
                    .iter()
                    .filter(|text| !text.contains("//in/"))
                    .count();
                assert!(found.bad.len() == 1 || row == 5, "{name}");
                assert!(others == 29, "{name}: {others}");
            }
        }
    }
}

#[test]
fn whole_files_keep_what_is_before_damage() {
    let plain = crawl(200).concat();
    for (name, packed) in [("a.warc.gz", gz(&plain)), ("a.warc.zst", zst(&plain))] {
        let found = checked(name, &packed[..packed.len() / 2]);
        assert!(found.rows.len() < 200, "{name}");
        let reasons = found.reasons();
        assert!(reasons.len() <= 2, "{reasons:?}");
        assert!(
            reasons
                .iter()
                .any(|r| r.contains("behind this place are lost")),
            "{reasons:?}"
        );
    }
    let found = checked("a.warc.gz", &gz(&plain)[..4000]);
    assert!(!found.rows.is_empty());
    // The first record is damaged: the name tells what the file is.
    let records = crawl(9);
    for pack in [gz as fn(&[u8]) -> Vec<u8>, zst, <[u8]>::to_vec] {
        let mut file: Vec<u8> = records.iter().flat_map(|record| pack(record)).collect();
        file[1] ^= 0x5a;
        let name = match file.starts_with(b"W") {
            true => "a.warc",
            false if file[0] == 0x1f => "a.warc.gz",
            false => "a.warc.zst",
        };
        // Without its magic number a file is not packed.
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), &file).unwrap();
        match Dataset::open(&[name.to_owned()], dir.path()) {
            Ok(_) => assert_eq!(checked(name, &file).rows.len(), 9, "{name}"),
            Err(error) => assert!(error.to_string().contains("what its name says"), "{name}"),
        }
    }
}

#[test]
fn lies_cost_the_record() {
    let good = [
        response("http://a/", b"<p>a"),
        response("http://b/", b"<p>b"),
    ];
    let with_length = |length: &str| {
        let text = String::from_utf8(response("http://x/", b"<p>x")).unwrap();
        let real = text
            .split("Content-Length: ")
            .nth(1)
            .unwrap()
            .split("\r\n")
            .next()
            .unwrap();
        text.replacen(real, length, 1).into_bytes()
    };
    let headless = |content: &[u8]| record("response", "http://x/", "application/http", content);
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
    let coded = |header: &str, body: &[u8]| {
        headless(&[format!("{page}{header}\r\n\r\n").as_bytes(), body].concat())
    };
    let bomb = gz(&vec![b' '; 3 << 20]);
    for (bad, reason) in [
        (with_length("3"), "what follows is no record"),
        (with_length("70"), "what follows is no record"),
        (with_length("99999999999"), "it is cut"),
        (with_length("99999999999999999999"), "is no number"),
        (with_length("-1"), "is no number"),
        (with_length(""), "is no number"),
        (
            b"WARC/1.0\r\nWARC-Type: response\r\n\r\n\r\n\r\n".to_vec(),
            "no Content-Length",
        ),
        (
            b"just some bytes\r\n\r\n".to_vec(),
            "these bytes are no record",
        ),
        (headless(b"<p>no header"), "it has no HTTP header"),
        (headless(b""), "it has no HTTP header"),
        (headless(page.as_bytes()), "its HTTP header has no end"),
        (
            headless(&[b"HTTP/1.1 200 OK\r\n", "A: b\r\n".repeat(50_000).as_bytes()].concat()),
            "more than 256 KB",
        ),
        (
            response("http://x/", &vec![b'x'; 2 << 20]),
            "more than the 1048576",
        ),
        (
            coded("Content-Encoding: gzip", &bomb),
            "more than 1048576 bytes",
        ),
        (
            coded("Content-Encoding: gzip, gzip", &gz(&bomb)),
            "more than 1048576 bytes",
        ),
        (
            coded("Transfer-Encoding: chunked", b"3\r\nabcd"),
            "its chunks are damaged",
        ),
        (
            response("http://x/", "\u{1}".repeat(500_000).as_bytes()),
            "the row has",
        ),
    ] {
        let parts = [&good[0], &bad, &good[1]];
        let plain = parts.map(|part| part.to_vec()).concat();
        let packed = parts.map(|part| gz(part)).concat();
        for (name, content) in [("a.warc", plain), ("a.warc.gz", packed)] {
            // With a wrong length a member ends in the middle.
            let reasons = match (name, reason) {
                ("a.warc.gz", "what follows is no record") => {
                    ["what follows is no record", "it is cut"]
                }
                _ => [reason, reason],
            };
            let found = checked(name, &content);
            assert_eq!(found.rows.len(), 2, "{name}: {reason}: {:?}", found.bad);
            assert_eq!(found.bad.len(), 1, "{name}: {reason}: {:?}", found.bad);
            let said = found.reasons()[0];
            assert!(
                reasons.iter().any(|r| said.contains(r)),
                "{name}: {reason}: {said}"
            );
        }
    }
}

#[test]
fn odd_records_are_rows() {
    let of = |header: &str, body: &[u8]| -> String {
        let content = [format!("HTTP/1.1 {header}\r\n\r\n").as_bytes(), body].concat();
        let record = record(
            "response",
            "http://x/",
            "application/http; msgtype=response",
            &content,
        );
        let found = checked("a.warc", &record);
        assert!(found.bad.is_empty(), "{header}: {:?}", found.bad);
        found
            .rows
            .first()
            .map(|(_, row)| row.clone())
            .unwrap_or_default()
    };
    let html = "Content-Type: text/html";
    assert!(of(&format!("404 Not Found\r\n{html}"), b"").contains(r#""status":404,"#));
    assert!(of(&format!("abc\r\n{html}"), b"").contains(r#""status":null,"#));
    assert!(of(&format!("200 OK\r\n{html}"), b"a\0b").ends_with(r#""html":"a\u0000b"}"#));
    // The first of several, as in other readers.
    let twice = "200 OK\r\nContent-Type: text/html\r\nContent-Type: image/png";
    assert!(of(twice, b"x").contains(r#""content_type":"text/html","#));
    assert!(
        of(
            "200 OK\r\nContent-Type: TEXT/HTML;charset=\"KOI8-R\"",
            b"\xc1"
        )
        .ends_with(r#""charset":"koi8-r","html":"а"}"#)
    );
    // By its content.
    assert!(of("200 OK", b" <!DOCTYPE html><p>x").contains(r#""content_type":null,"#));
    for other in [
        "200 OK",
        "200 OK\r\nContent-Type: image/png",
        "200 OK\r\nContent-Type: text/plain",
    ] {
        assert_eq!(of(other, b"some bytes"), "", "{other}");
    }
    // A URL that is not UTF-8, in brackets.
    let text = String::from_utf8(response("URL", b"x")).unwrap();
    let (before, after) = text.split_once("URL").unwrap();
    let odd = [before.as_bytes(), b"<http://x/\xe9>", after.as_bytes()].concat();
    assert!(
        checked("a.warc", &odd).rows[0]
            .1
            .starts_with("{\"url\":\"http://x/\u{e9}\",")
    );
    // WET files have texts.
    let wet = record(
        "conversion",
        "http://x/",
        "text/plain",
        "Überall".as_bytes(),
    );
    assert!(
        checked("a.wet.gz", &gz(&wet)).rows[0]
            .1
            .ends_with(r#""charset":"utf-8","text":"Überall"}"#)
    );
    for ty in [
        "request",
        "metadata",
        "warcinfo",
        "revisit",
        "resource",
        "continuation",
        "",
    ] {
        let other = record(ty, "http://x/", "text/html", b"HTTP/1.1 200 OK\r\n\r\n");
        let found = checked("a.warc", &other);
        assert!(found.rows.is_empty() && found.bad.is_empty(), "{ty}");
    }
}

#[test]
fn html_files_are_rows() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), content).unwrap();
    };
    for n in 0..20 {
        file(
            &format!("site/{n:02}.html"),
            format!("<p>page {n}").as_bytes(),
        );
    }
    file("site/a/wide.htm", b"\xff\xfe<\0p\0>\0");
    file(
        "site/a/koi.xhtml",
        b"<?xml version='1.0' encoding='koi8-r'?><p>\xc1",
    );
    file("site/a/packed.html.gz", &gz(b"<p>packed"));
    file("site/a/zip.html", b"PK\x03\x04 and so on");
    file("site/empty.html", b"");
    file("site/README.md", b"Some pages.");
    file("site/index.json", b"{\"not\": \"a row\"}");
    file("site/style.css", b"p {}");
    let dataset = Dataset::open(&["site".to_owned()], dir.path()).unwrap();
    let all = rows(&dataset, SplitBy::Count(1), 512 << 10);
    assert_eq!(all.rows.len(), 23);
    assert_eq!(all.reasons().len(), 1);
    assert!(all.reasons()[0].contains("a ZIP archive"));
    let texts = all.texts().join("\n");
    for part in [
        r#""html":"<p>page 7"}"#,
        r#""charset":"utf-16le","html":"<p>"}"#,
        r#""charset":"koi8-r","#,
        r#""html":"<p>packed"}"#,
        "/site/07.html\",\"date\":null,",
    ] {
        assert!(texts.contains(part), "{part}");
    }
    assert!(
        dataset.notes.iter().any(|note| note.contains("README.md")),
        "{:?}",
        dataset.notes
    );
    for by in [SplitBy::Count(5), SplitBy::Rows(4)] {
        let cut = rows(&dataset, by, 20);
        assert_eq!(
            (cut.rows, cut.bad),
            (all.rows.clone(), all.bad.clone()),
            "{by:?}"
        );
    }
    // A page beside rows is no row, as before.
    file("data/rows.jsonl", b"{\"text\": \"a\"}\n");
    file("data/index.html", b"<p>about");
    let dataset = Dataset::open(&["data".to_owned()], dir.path()).unwrap();
    assert_eq!(dataset.files.len(), 1);
    let both = ["data/rows.jsonl", "data/index.html"].map(str::to_owned);
    let error = Dataset::open(&both, dir.path()).unwrap_err().to_string();
    assert!(error.contains("holds no web pages"), "{error}");
}
