//! Guesses the encoding of texts that are not UTF-8, for the error message.

use super::not_data::NotData;
use crate::term::count;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// What the start of a text says of its encoding.
pub(crate) enum Encoding {
    /// UTF-8, as far as was read.
    Utf8,
    /// This many lines are in another encoding, and most are: so is the file.
    Other(NotData),
    /// Some lines are in another encoding: the message about them.
    Mixed(String),
}

/// Recognises UTF-16 and UTF-32 by a byte order mark or by the zeros in the first characters, since
/// rows begin with ASCII.
pub(crate) fn wide(head: &[u8]) -> Option<NotData> {
    let (name, order) = match head {
        [0xff, 0xfe, 0, 0, ..] | [9..127, 0, 0, 0, ..] => ("UTF-32", "LE"),
        [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, 9..127, ..] => ("UTF-32", "BE"),
        [0xff, 0xfe, ..] | [9..127, 0, 9..127, 0, ..] => ("UTF-16", "LE"),
        [0xfe, 0xff, ..] | [0, 9..127, 0, 9..127, ..] => ("UTF-16", "BE"),
        _ => return None,
    };
    let has_mark = matches!(head, [0xff | 0xfe, ..] | [0, 0, 0xfe, ..]);
    let name = if has_mark {
        name.to_owned()
    } else {
        format!("{name}{order}")
    };
    Some(NotData {
        what: format!("{name} text"),
        hint: convert(&name),
    })
}

/// Examines the lines of `head`: the `whole` text or its beginning.
pub(crate) fn of_lines(head: &[u8], whole: bool) -> Encoding {
    if std::str::from_utf8(head).is_ok() {
        return Encoding::Utf8;
    }
    // The last line may be cut within a character.
    let end = if whole {
        None
    } else {
        memchr::memrchr(b'\n', head)
    };
    let lines = head[..end.unwrap_or(head.len())]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    let (mut all, mut others) = (0u64, Vec::new());
    for line in lines {
        all += 1;
        match std::str::from_utf8(line) {
            Ok(_) => {}
            // A long line, cut.
            Err(error) if !whole && end.is_none() && error.error_len().is_none() => {}
            Err(_) => others.push(line),
        }
    }
    if others.is_empty() {
        return Encoding::Utf8;
    }
    let sample = others.join(&b'\n');
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&sample, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let (text, _, damaged) = encoding.decode(&sample);
    let name = match encoding.name() {
        // GB18030 is a superset of GBK.
        "GBK" => "GB18030",
        name => name,
    };
    let is_east_asian =
        !encoding.is_single_byte() && text.chars().filter(|c| !c.is_ascii()).count() > 1;
    let plainly = !damaged && is_east_asian || others.len() > 2;
    let guess = if damaged {
        String::new()
    } else {
        format!(", most likely {name}")
    };
    if others.len() as u64 * 2 > all && plainly {
        let what = match all {
            1 => format!("not UTF-8 text{guess}: its only line is something else"),
            _ => format!(
                "not UTF-8 text{guess}: {} of its first {} lines are something else",
                count(others.len() as u64),
                count(all)
            ),
        };
        return Encoding::Other(NotData {
            what,
            hint: convert(name),
        });
    }
    Encoding::Mixed(format!(
        "has lines that are not UTF-8{guess}, for instance {} of the first {}; {}",
        count(others.len() as u64),
        count(all),
        convert(name)
    ))
}

fn convert(name: &str) -> String {
    format!("rows must be in UTF-8: `iconv -f {name} -t UTF-8 FILE > NEW` converts it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(head: &[u8]) -> Option<String> {
        match of_lines(head, true) {
            Encoding::Other(not) => Some(not.what),
            _ => None,
        }
    }

    #[test]
    fn wide_characters_are_told_apart() {
        let utf16 = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>()
        };
        let name = |bytes: &[u8]| wide(bytes).map(|not| not.what);
        assert_eq!(
            name(&utf16("\u{feff}{\"text\"")).as_deref(),
            Some("UTF-16 text")
        );
        assert_eq!(name(&utf16("{\"text\"")).as_deref(), Some("UTF-16LE text"));
        assert_eq!(name(b"\0{\0\"").as_deref(), Some("UTF-16BE text"));
        assert_eq!(name(b"{\0\0\0\"\0\0\0").as_deref(), Some("UTF-32LE text"));
        assert!(name(b"{\"text\"").is_none() && name(b"\xef\xbb\xbf{").is_none());
    }

    #[test]
    fn encodings_of_east_asia_are_named() {
        // "data", "some more text" and the like, as Python's codecs encode them.
        let gb = b"{\"text\": \"\xd6\xd0\xce\xc4\xce\xc4\xb1\xbe\xa3\xac\xd5\xe2\xca\xc7\xca\xfd\xbe\xdd\"}\n";
        assert!(
            other(&gb.repeat(2)).unwrap().contains("GB18030"),
            "{:?}",
            other(&gb.repeat(2))
        );
        let sjis = b"{\"text\": \"\x93\xfa\x96\x7b\x8c\xea\x82\xcc\x83\x65\x83\x4c\x83\x58\x83\x67\x82\xc5\x82\xb7\"}\n";
        assert!(other(&sjis.repeat(2)).unwrap().contains("Shift_JIS"));
        // One odd line among others, or few lines with an odd byte, do not settle the encoding.
        let mixed = [&gb[..], &b"{\"text\": \"plain\"}\n".repeat(5)].concat();
        assert!(matches!(of_lines(&mixed, true), Encoding::Mixed(_)));
        assert!(matches!(
            of_lines(b"{\"text\": \"caf\xe9\"}\n", true),
            Encoding::Mixed(_)
        ));
        assert!(other(&b"{\"text\": \"caf\xe9 cr\xe8me\"}\n".repeat(5)).is_some());
        // A character cut at the end of the head.
        assert!(matches!(
            of_lines("{\"text\": \"é".as_bytes().split_last().unwrap().1, false),
            Encoding::Utf8
        ));
        assert!(matches!(
            of_lines(
                "{}\n{\"text\": \"é".as_bytes().split_last().unwrap().1,
                false
            ),
            Encoding::Utf8
        ));
    }
}
