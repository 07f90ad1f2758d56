//! Undoes the codings in which a server sent a page, as warcio and fastwarc do: a WARC file has the
//! bytes of the connection.

use super::codings::{End, unpacked};
use super::head::Head;
use super::http::looks_like_html;
use std::borrow::Cow;

/// The content of an HTTP message. It has at most `limit` bytes; the error is why there is none.
///
/// Many archives keep the header fields but store what browsers saw: a body that is not in the coding
/// that its header names is taken as it is. One that ends early keeps what is there, as in browsers.
pub(super) fn undone<'a>(
    head: &Head<'_>,
    body: &'a [u8],
    limit: usize,
) -> Result<Cow<'a, [u8]>, String> {
    let mut body = Cow::Borrowed(body);
    let named = |name: &str| -> Vec<String> {
        let value = head.text(name).unwrap_or_default().to_ascii_lowercase();
        let names = value.split(',').map(|name| name.trim().to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    let (transfer, content) = (named("Transfer-Encoding"), named("Content-Encoding"));
    // A page has two at most; each takes the work of a whole page.
    if transfer.len() + content.len() > 8 {
        return Err("its HTTP header names more than 8 codings".to_owned());
    }
    for coding in content.iter().chain(&transfer).rev() {
        let next = match coding.as_str() {
            "chunked" => chunks(&body)?,
            _ if looks_like_html(&body) => None,
            name => match unpacked(name, &body, limit) {
                None => None,
                Some((_, End::TooLarge)) => {
                    return Err(format!(
                        "unpacked ({name}) its content has more than {limit} bytes"
                    ));
                }
                // No packed data are text: the body was stored without its coding.
                Some((_, End::Damaged | End::Cut)) if simdutf8::basic::from_utf8(&body).is_ok() => {
                    None
                }
                Some((bytes, End::Damaged)) => {
                    let done = bytes.len();
                    return Err(format!("its {name} content is damaged after {done} bytes"));
                }
                Some((bytes, End::Whole | End::Cut)) => Some(bytes),
            },
        };
        if let Some(next) = next {
            body = Cow::Owned(next);
        }
    }
    Ok(body)
}

/// Joins the chunks of a body; None if it does not begin like chunks.
fn chunks(body: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let (mut at, mut joined) = (0, Vec::new());
    while at < body.len() {
        let Some((size, line)) = chunk_size(&body[at..]) else {
            return match at {
                0 => Ok(None),
                _ => Err(format!("its chunks are damaged at byte {at} of the body")),
            };
        };
        at += line;
        if size == 0 {
            break;
        }
        let end = at.saturating_add(size).min(body.len());
        joined.extend_from_slice(&body[at..end]);
        at = end;
        let after = &body[at..];
        at += match after {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [b'\r'] => 1,
            [] => 0,
            _ => return Err(format!("its chunks are damaged at byte {at} of the body")),
        };
    }
    Ok(Some(joined))
}

/// The size of a chunk, and the length of the line that has it.
fn chunk_size(bytes: &[u8]) -> Option<(usize, usize)> {
    // Extensions may follow the size.
    let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(1024)])?;
    let line = bytes[..end].split(|byte| *byte == b';').next()?;
    let digits = line.trim_ascii();
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(digits).ok()?;
    Some((usize::from_str_radix(digits, 16).ok()?, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn of(header: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, String> {
        let block = format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n");
        let head = Head::parse(block.as_bytes()).unwrap();
        undone(&head, body, limit).map(Cow::into_owned)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn chunks_are_joined() {
        let chunked = |body: &[u8]| of("Transfer-Encoding: chunked", body, 100);
        assert_eq!(
            chunked(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").unwrap(),
            b"abcde"
        );
        assert_eq!(chunked(b"0\r\n\r\n").unwrap(), b"");
        // Stored without chunks, and cut.
        assert_eq!(chunked(b"<html>").unwrap(), b"<html>");
        assert_eq!(chunked(b"ff\r\nabc").unwrap(), b"abc");
        assert!(
            chunked(b"3\r\nabc\r\nxyz\r\n")
                .unwrap_err()
                .contains("byte 8")
        );
        assert!(chunked(b"3\r\nabcd").unwrap_err().contains("damaged"));
    }

    #[test]
    fn codings_are_undone_in_order() {
        let page = b"<html>page</html>".repeat(10);
        let packed = gzip(&page);
        let coded = |body: &[u8]| of("Content-Encoding: gzip", body, 1000);
        assert_eq!(coded(&packed).unwrap(), page);
        assert_eq!(coded(&page).unwrap(), page);
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let header = format!("Content-Encoding: {coding}");
            assert_eq!(of(&header, b"just text", 1000).unwrap(), b"just text");
            assert_eq!(of(&header, b"", 1000).unwrap(), b"");
        }
        let cut = coded(&packed[..packed.len() - 9]).unwrap();
        assert!(page.starts_with(&cut) && !cut.is_empty());
        // A block of a type that there is not.
        let damaged = [&packed[..10], &[7; 20]].concat();
        assert!(coded(&damaged).unwrap_err().contains("damaged"));
        assert_eq!(of("Content-Encoding: br", &page, 1000).unwrap(), page);
        assert!(
            coded(&gzip(&[0; 2000]))
                .unwrap_err()
                .contains("more than 1000 bytes")
        );
        let mut chunked = format!("{:x}\r\n", packed.len()).into_bytes();
        chunked.extend_from_slice(&packed);
        chunked.extend_from_slice(b"\r\n0\r\n\r\n");
        let both = "Content-Encoding: x-gzip\r\nTransfer-Encoding: chunked";
        assert_eq!(of(both, &chunked, 1000).unwrap(), page);
        let zlib = |text: &[u8]| {
            let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(text).unwrap();
            out.finish().unwrap()
        };
        let deflate = |body: &[u8]| of("Content-Encoding: deflate", body, 1000).unwrap();
        assert_eq!(deflate(&zlib(&page)), page);
        let packed = zlib(&page);
        assert_eq!(deflate(&packed[2..packed.len() - 4]), page);
        assert!(of(&format!("Content-Encoding: {}", "gzip,".repeat(9)), b"", 9).is_err());
    }
}
