//! Rewrites rows for consumers that accept only standard JSON and Unicode.

use super::string::{find_special, hex4};
use super::top::{constants, has_constant};
use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use std::sync::Arc;

/// JSON texts without `NaN` and infinities: null where that is the whole value.
pub(crate) fn standard_texts(texts: &ArrayRef) -> ArrayRef {
    let is_odd = |text: &str| has_constant(text.as_bytes()) && constants(text.as_bytes()) > 0;
    let Ok(views) = cast(texts, &DataType::Utf8View) else {
        return Arc::clone(texts);
    };
    let views = views.as_string_view();
    if !views.iter().flatten().any(is_odd) {
        return Arc::clone(texts);
    }
    let texts = views.iter().map(|text| {
        let text = text?;
        if !is_odd(text) {
            return Some(text.to_owned());
        }
        String::from_utf8(standard(text.as_bytes()))
            .ok()
            .filter(|text| text != "null")
    });
    Arc::new(texts.collect::<StringViewArray>())
}

/// The row with `null` for `NaN`, `Infinity` and `-Infinity`, and the replacement character for
/// lone surrogates.
pub(crate) fn standard(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(row.len() + 16);
    let mut p = 0;
    while p < row.len() {
        match row[p] {
            b'"' => p = string(row, p, &mut out),
            b'N' if row[p..].starts_with(b"NaN") => {
                out.extend_from_slice(b"null");
                p += 3;
            }
            b'I' if row[p..].starts_with(b"Infinity") => {
                if out.last() == Some(&b'-') {
                    out.pop();
                }
                out.extend_from_slice(b"null");
                p += 8;
            }
            byte => {
                out.push(byte);
                p += 1;
            }
        }
    }
    out
}

/// Copies the string at `p`; returns the position after it.
fn string(row: &[u8], p: usize, out: &mut Vec<u8>) -> usize {
    out.push(b'"');
    let mut p = p + 1;
    loop {
        let special = find_special(row, p);
        out.extend_from_slice(&row[p..special]);
        p = special;
        let escape = |at: usize| {
            if row.get(at..at + 2) == Some(b"\\u") {
                hex4(row, at + 2)
            } else {
                None
            }
        };
        match (row.get(p), escape(p)) {
            (Some(b'\\'), Some(unit @ 0xd800..=0xdfff)) => {
                let paired = unit < 0xdc00 && matches!(escape(p + 6), Some(0xdc00..=0xdfff));
                let len = if paired { 12 } else { 6 };
                out.extend_from_slice(if paired { &row[p..p + 12] } else { b"\\ufffd" });
                p += len;
            }
            (Some(b'\\'), _) => {
                let end = row.len().min(p + 2);
                out.extend_from_slice(&row[p..end]);
                p = end;
            }
            (Some(&byte), _) => {
                out.push(byte);
                p += 1;
                if byte == b'"' {
                    return p;
                }
            }
            (None, _) => return p,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_constants_become_standard() {
        let given: ArrayRef = Arc::new(StringViewArray::from(vec![
            Some("NaN"),
            Some(r#"{"a": [NaN, -Infinity, "NaN"]}"#),
            None,
            Some(r#""Infinity""#),
            Some("1e400"),
        ]));
        let made = standard_texts(&given);
        assert_eq!(
            made.as_string_view().iter().collect::<Vec<_>>(),
            [
                None,
                Some(r#"{"a": [null, null, "NaN"]}"#),
                None,
                Some(r#""Infinity""#),
                Some("1e400"),
            ]
        );
        let plain: ArrayRef = Arc::new(StringViewArray::from(vec![r#"["NaN"]"#, "1"]));
        assert!(Arc::ptr_eq(&standard_texts(&plain), &plain));
    }
}
