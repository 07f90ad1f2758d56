//! Rows for consumers that take standard JSON and Unicode only: the writers of columns.

use super::scan::Odd;
use super::string::{find_special, hex4};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The row with `null` for `NaN`, `Infinity` and `-Infinity`, and the replacement character for lone surrogates.
pub fn standard(row: &[u8]) -> Vec<u8> {
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

/// Copies the string at `p`; gives the position after it.
fn string(row: &[u8], p: usize, out: &mut Vec<u8>) -> usize {
    out.push(b'"');
    let mut p = p + 1;
    loop {
        let special = find_special(row, p);
        out.extend_from_slice(&row[p..special]);
        p = special;
        let escape = |at: usize| if row.get(at..at + 2) == Some(b"\\u") { hex4(row, at + 2) } else { None };
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

/// The members of the object `text`, in order; equal keys come more than once.
pub fn members<'a>(text: &'a str, each: impl FnMut(Cow<'a, str>, &'a str)) -> Result<(), Odd> {
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_map(Members(each)).map_err(|_| Odd)
}

/// The elements of the array `text`.
pub fn elements<'a>(text: &'a str, each: impl FnMut(&'a str)) -> Result<(), Odd> {
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_seq(Elements(each)).map_err(|_| Odd)
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<super::lenient::Name<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            (self.0)(name.0, raw.get());
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(&'de str)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<&'de RawValue>()? {
            (self.0)(raw.get());
        }
        Ok(())
    }
}
