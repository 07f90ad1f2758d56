//! Parses blocks of header fields: those of WARC records, and those of HTTP messages in them.

use std::borrow::Cow;

/// Longest block of header fields.
pub(super) const MAX_HEAD: usize = 256 << 10;

/// The first line and the fields after it.
pub(super) struct Head<'a> {
    /// The first line, without its line end.
    pub(super) first: &'a [u8],
    fields: Vec<(&'a [u8], Cow<'a, [u8]>)>,
    /// Bytes of the block, with the blank line.
    pub(super) len: usize,
}

impl<'a> Head<'a> {
    /// Parses the block at the start of `bytes`; None if its blank line is not there. Lines end in
    /// LF or CR LF. A line that begins with space continues the one before; one without a colon is
    /// passed over, as warcio does.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut at = 0;
        let mut line = || {
            let rest = &bytes[at..];
            let end = memchr::memchr(b'\n', rest)?;
            at += end + 1;
            Some((rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]), at))
        };
        let (first, mut len) = line()?;
        let mut fields: Vec<(&[u8], Cow<[u8]>)> = Vec::new();
        if !first.is_empty() {
            loop {
                let (text, end) = line()?;
                len = end;
                if text.is_empty() {
                    break;
                }
                if text[0] == b' ' || text[0] == b'\t' {
                    if let Some((_, value)) = fields.last_mut() {
                        value.to_mut().push(b' ');
                        value.to_mut().extend_from_slice(text.trim_ascii());
                    }
                } else if let Some(colon) = memchr::memchr(b':', text) {
                    let (name, value) = (&text[..colon], &text[colon + 1..]);
                    fields.push((name.trim_ascii(), Cow::Borrowed(value.trim_ascii())));
                }
            }
        }
        Some(Self { first, fields, len })
    }

    /// The value of the first field of that name. Names do not depend on case.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| &**value)
    }

    /// The same as text.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(text)
    }
}

/// Header values are UTF-8, or else Latin-1.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The media type of a `Content-Type`, in lower case, without parameters.
pub(super) fn media_type(content_type: &str) -> String {
    let end = content_type.find([';', ',']).unwrap_or(content_type.len());
    content_type[..end].trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_any_spelling() {
        let block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html;\r\n charset=x\r\nno colon\ncontent-type: other\nA:\xe9\r\n\r\nrest";
        let head = Head::parse(block).unwrap();
        assert_eq!(head.text("CONTENT-TYPE").unwrap(), "text/html; charset=x");
        assert_eq!(head.text("a").unwrap(), "\u{e9}");
        assert_eq!(&block[head.len..], b"rest");
        assert!(Head::parse(&block[..block.len() - 5]).is_none());
        assert_eq!(media_type(" Text/HTML ; charset=x"), "text/html");
        assert_eq!(Head::parse(b"\r\n").unwrap().len, 2);
    }
}
