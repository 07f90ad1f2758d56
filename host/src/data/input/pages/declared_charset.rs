//! The charset that an HTML page declares of itself.

/// Bytes at the start in which a declaration is looked for. Browsers look at 1,024, and at more where
/// they are there in time.
const LOOKED_AT: usize = 8 << 10;

/// The label in a `<meta>` element or in an XML declaration.
pub(super) fn declared(page: &[u8]) -> Option<&[u8]> {
    let page = &page[..page.len().min(LOOKED_AT)];
    let start = page.trim_ascii_start();
    if start.starts_with(b"<?xml") {
        let end = memchr::memchr(b'>', start)?;
        if let Some(label) = value_of(&start[..end], b"encoding") {
            return Some(label);
        }
    }
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', &page[at..]) {
        at += open;
        let rest = &page[at..];
        if rest.starts_with(b"<!--") {
            at += memchr::memmem::find(rest, b"-->")?;
        } else if rest.len() > 5 && rest[..5].eq_ignore_ascii_case(b"<meta") {
            let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
            if let Some(label) = value_of(&rest[..end], b"charset") {
                return Some(label);
            }
        }
        at += 1;
    }
    None
}

/// What follows `NAME =` up to the end of the value: `charset=x`, `content="text/html; charset=x"`.
fn value_of<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let starts = 0..tag.len().saturating_sub(name.len());
    starts
        .filter(|at| tag[*at..at + name.len()].eq_ignore_ascii_case(name))
        .find_map(|at| {
            let rest = tag[at + name.len()..].trim_ascii_start();
            let value = rest.strip_prefix(b"=")?.trim_ascii_start();
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let value = value.strip_prefix(b"'").unwrap_or(value);
            let is_end = |byte: &u8| b"\"'; \t\r\n/>".contains(byte);
            let end = value.iter().position(is_end).unwrap_or(value.len());
            Some(&value[..end]).filter(|label| !label.is_empty())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_found() {
        let of =
            |page: &str| declared(page.as_bytes()).map(|l| String::from_utf8_lossy(l).into_owned());
        let found =
            |page: &str, label: &str| assert_eq!(of(page).as_deref(), Some(label), "{page}");
        found("<html><head><META Charset = 'Big5'>", "Big5");
        found("<meta charset=utf-8/>", "utf-8");
        let http = r#"<meta http-equiv="Content-Type" content="text/html; charset=euc-jp">"#;
        found(http, "euc-jp");
        found("<?xml version=\"1.0\" encoding='koi8-r'?><html>", "koi8-r");
        found(
            "<!-- <meta charset=a> --><meta name=x><meta charset=b>",
            "b",
        );
        for page in [
            "",
            "<",
            "<meta",
            "<meta charset",
            "<meta charset=>",
            "<!-- <meta charset=a>",
        ] {
            assert_eq!(of(page), None, "{page}");
        }
    }
}
