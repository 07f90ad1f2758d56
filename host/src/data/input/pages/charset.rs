//! Turns the bytes of a page into text.
//!
//! What the page is in is said by its byte order mark, by the HTTP header, or by the page itself, in
//! this order, or else guessed. Browsers believe the first of these. A corpus is better off without
//! lies: text that is UTF-8, and not by chance, is UTF-8 whatever is said, and a declaration in which
//! much of the text makes no sense is passed over for the next one.

use super::declared_charset::declared;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GBK, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Bytes that a guess is made of.
const GUESSED: usize = 1 << 20;
/// Fewer bytes beyond ASCII than these may be UTF-8 by chance.
const BY_CHANCE: usize = 12;

/// What is known of a text beside its bytes.
#[derive(Default)]
pub(super) struct Hints<'a> {
    /// The charset of its `Content-Type`.
    pub(super) header: Option<&'a str>,
    /// Its address, for its top-level domain.
    pub(super) url: Option<&'a str>,
    /// It may declare a charset of itself.
    pub(super) is_html: bool,
}

/// The text, and the name of its charset. Bytes that the charset does not have become U+FFFD.
pub(super) fn decode<'a>(bytes: &'a [u8], hints: &Hints<'_>) -> (Cow<'a, str>, String) {
    let (encoding, mark) = match Encoding::for_bom(bytes) {
        Some(found) => found,
        None => (choose(bytes, hints), 0),
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
    (text, encoding.name().to_ascii_lowercase())
}

fn choose(bytes: &[u8], hints: &Hints<'_>) -> &'static Encoding {
    let label = |label: &[u8]| Encoding::for_label(label).filter(|e| *e != REPLACEMENT);
    let header = hints.header.and_then(|text| label(text.as_bytes()));
    // A page that can be read as ASCII to find the declaration is not UTF-16.
    let own = hints.is_html.then(|| declared(bytes)).flatten();
    let own = own.and_then(label).filter(|e| !is_wide(e));
    let said = [header, own].into_iter().flatten();
    let mut said = said.filter(|encoding| !is_wide(encoding) || bytes.contains(&0));
    let first = said.clone().next();
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        return match first {
            // ASCII, or nearly.
            Some(first) if first.is_ascii_compatible() || first == ISO_2022_JP => {
                match bytes.iter().filter(|byte| !byte.is_ascii()).count() {
                    0 => first,
                    beyond if beyond < BY_CHANCE && !first.is_single_byte() => first,
                    _ => UTF_8,
                }
            }
            Some(first) => first,
            None => UTF_8,
        };
    }
    if let Some(fits) = said.find(|encoding| fits(encoding, bytes)) {
        return fits;
    }
    if fits(UTF_8, bytes) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(GUESSED)], true);
    let domain = hints.url.and_then(top_level_domain);
    match detector.guess(domain.as_deref().map(str::as_bytes), Utf8Detection::Allow) {
        guess if guess == GBK => encoding_rs::GB18030,
        guess => guess,
    }
}

fn is_wide(encoding: &'static Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// Whether the text makes sense in this encoding: at least four of five characters beyond ASCII.
fn fits(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    let (text, damaged) = encoding.decode_without_bom_handling(bytes);
    if !damaged {
        return true;
    }
    let (mut beyond, mut replaced) = (0usize, 0usize);
    for char in text.chars().filter(|char| !char.is_ascii()) {
        beyond += 1;
        replaced += usize::from(char == char::REPLACEMENT_CHARACTER);
    }
    replaced * 5 <= beyond
}

/// `de` of `http://example.de:80/x`.
fn top_level_domain(url: &str) -> Option<String> {
    let host = url.split_once("://")?.1;
    let host = host.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let domain = host.trim_end_matches('.').rsplit('.').next()?;
    let is_domain = (2..=63).contains(&domain.len())
        && domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_domain.then(|| domain.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{BIG5, EUC_JP, KOI8_R, SHIFT_JIS, WINDOWS_1252};

    fn text(bytes: &[u8], header: &str) -> (String, String) {
        let header = Some(header).filter(|label| !label.is_empty());
        let hints = Hints {
            header,
            url: Some("http://example.org/"),
            is_html: true,
        };
        let (text, charset) = decode(bytes, &hints);
        (text.into_owned(), charset)
    }

    const RUSSIAN: &str = "<p>Съешь же ещё этих мягких французских булок, да выпей чаю.</p>";
    const JAPANESE: &str =
        "<p>いろはにほへと ちりぬるを わかよたれそ つねならむ 漢字とカタカナ</p>";
    const GERMAN: &str = "<p>Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich</p>";

    #[test]
    fn what_is_said_is_believed_if_it_makes_sense() {
        for (text_of, encoding) in [
            (RUSSIAN, KOI8_R),
            (JAPANESE, EUC_JP),
            (JAPANESE, SHIFT_JIS),
            (GERMAN, WINDOWS_1252),
        ] {
            let (bytes, ..) = encoding.encode(text_of);
            let name = encoding.name().to_ascii_lowercase();
            let found = (text_of.to_owned(), name);
            assert_eq!(text(&bytes, encoding.name()), found);
            // By the page.
            let page = [format!("<meta charset={}>", found.1).as_bytes(), &bytes].concat();
            let (decoded, charset) = text(&page, "");
            assert!(decoded.ends_with(text_of) && charset == found.1);
            // A wrong header.
            assert!(text(&page, "utf-8").0.ends_with(text_of));
            // Not at all.
            assert_eq!(text(&bytes, "").0, text_of, "{}", encoding.name());
            // UTF-8, declared as something else.
            let utf8 = (text_of.to_owned(), "utf-8".to_owned());
            assert_eq!(text(text_of.as_bytes(), encoding.name()), utf8);
        }
    }

    #[test]
    fn marks_count_most() {
        let utf8 = [b"\xef\xbb\xbf", RUSSIAN.as_bytes()].concat();
        assert_eq!(
            text(&utf8, "koi8-r"),
            (RUSSIAN.to_owned(), "utf-8".to_owned())
        );
        let wide: Vec<u8> = "\u{feff}<p>é</p>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(
            text(&wide, ""),
            ("<p>é</p>".to_owned(), "utf-16le".to_owned())
        );
        assert_eq!(text(&wide[2..], "utf-16").0, "<p>é</p>");
        assert_eq!(text(b"<p>plain</p>", "utf-16").0, "<p>plain</p>");
    }

    #[test]
    fn a_few_bad_bytes_do_not_change_the_charset() {
        let mut bytes = RUSSIAN.as_bytes().to_vec();
        bytes[10] = 0xff;
        let (decoded, charset) = text(&bytes, "utf-8");
        assert_eq!(charset, "utf-8");
        assert!(decoded.contains("французских") && decoded.contains('\u{fffd}'));
        // One Latin-1 letter in a text that is said to be UTF-8.
        assert_eq!(text(b"caf\xe9 au lait", "utf-8").0, "café au lait");
        for hostile in [&b"\xff"[..], b"\x1b$B\x21", b"\0\0\0", b"", b"\xe3\x81"] {
            for label in [
                "",
                "x-user-defined",
                "hz-gb-2312",
                "iso-2022-kr",
                "no such",
                "\u{e9}",
            ] {
                text(hostile, label);
            }
        }
        let (bytes, ..) = BIG5.encode("中文");
        assert_eq!(text(&bytes, "big5").0, "中文");
    }

    #[test]
    fn domains_are_those_of_hosts() {
        let of = |url| top_level_domain(url);
        assert_eq!(of("https://u:p@Example.DE:80/x.y").as_deref(), Some("de"));
        assert_eq!(of("http://example.com./").as_deref(), Some("com"));
        assert_eq!(of("http://münchen/"), None);
        assert_eq!(of("urn:x"), None);
    }
}
