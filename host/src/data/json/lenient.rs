//! Judges the rows that the scanner does not take: serde_json, made to accept what Python's `json`
//! accepts.

use super::MAX_DEPTH;
use super::paths::{Key, Paths};
use super::quote::closing_quote;
use super::scan::Found;

use super::top::unquoted;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Does what [`super::scan::Scanner::scan`] does, or says why it is not a row. Slow and right.
pub(crate) fn check(
    row: &[u8],
    paths: &Paths,
    slots: &mut [Option<Found>],
    side: &mut Vec<u8>,
) -> Result<(), String> {
    slots.fill(None);
    match row.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => {}
        Some(b'[') => return Err("the row is a JSON array, not an object".to_owned()),
        None => return Err("the row is empty".to_owned()),
        Some(_) => {
            let valid = serde_json::from_slice::<serde::de::IgnoredAny>(row);
            return Err(valid.map_or_else(
                |e| not_json(&e),
                |_| "the row is not a JSON object".to_owned(),
            ));
        }
    }
    let patched = patched(row)?;
    let mut walk = Walk {
        row: &patched,
        paths,
        slots,
        side,
        bad: None,
    };
    let text = std::str::from_utf8(&patched)
        .map_err(|e| format!("invalid UTF-8 at byte {}", e.valid_up_to()))?;
    let mut parser = serde_json::Deserializer::from_str(text);
    parser
        .deserialize_map(Level {
            walk: &mut walk,
            node: 0,
        })
        .map_err(|e| not_json(&e))?;
    parser.end().map_err(|e| not_json(&e))?;
    walk.bad.map_or(Ok(()), Err)
}

fn not_json(error: &serde_json::Error) -> String {
    format!("not valid JSON: {error}").replace(" at line 1 column ", " at column ")
}

/// The row with what serde_json does not take as something of the same length, so that every
/// position stays: `NaN`, `Infinity` and `-Infinity` as zeros, lone surrogates in keys as U+FFFD (in
/// values they matter only where somebody reads them). Checks the depth on the way.
fn patched(row: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let mut patched = Cow::Borrowed(row);
    let (mut p, mut depth) = (0, 0usize);
    while p < row.len() {
        match row[p] {
            b'"' => {
                let end = string_end(row, p);
                let is_key = row[end..].iter().skip(1).find(|b| !b.is_ascii_whitespace());
                if is_key == Some(&b':') {
                    for at in lone_surrogates(&row[p..end]) {
                        patched.to_mut()[p + at..][..6].copy_from_slice(b"\\ufffd");
                    }
                }
                p = end;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("nested deeper than {MAX_DEPTH} levels"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'N' | b'I' => {
                let minus = p > 0 && row[p - 1] == b'-';
                let before = if minus {
                    p.checked_sub(2)
                } else {
                    p.checked_sub(1)
                };
                let alone = |at: Option<usize>| {
                    at.and_then(|at| row.get(at))
                        .is_none_or(|b| b.is_ascii_whitespace() || b",:[]}".contains(b))
                };
                let zero: &[u8] = match &row[p..] {
                    [b'N', b'a', b'N', ..] if !minus => b"0.0",
                    rest if rest.starts_with(b"Infinity") => b"0.000000",
                    _ => b"",
                };
                if !zero.is_empty() && alone(before) && alone(Some(p + zero.len())) {
                    patched.to_mut()[p..p + zero.len()].copy_from_slice(zero);
                    p += zero.len() - 1;
                }
            }
            _ => {}
        }
        p += 1;
    }
    Ok(patched)
}

/// Where escapes of surrogates without their other half begin in the text of a string.
fn lone_surrogates(text: &[u8]) -> Vec<usize> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(next) = memchr::memchr(b'\\', &text[at..]) {
        at += next;
        at += match (unit(at), unit(at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                found.push(at);
                6
            }
            _ => 2,
        };
        if at >= text.len() {
            break;
        }
    }
    found
}

/// The position of the closing quote of the string at `p`, or the end of `row`.
pub(crate) fn string_end(row: &[u8], p: usize) -> usize {
    closing_quote(row, p + 1)
}

struct Walk<'w> {
    row: &'w [u8],
    paths: &'w Paths,
    slots: &'w mut [Option<Found>],
    side: &'w mut Vec<u8>,
    /// A value's fault that leaves the row valid JSON.
    bad: Option<String>,
}

impl Walk<'_> {
    fn wanted(&mut self, key: &Key, raw: &RawValue) -> Result<(), serde_json::Error> {
        self.paths.forget(key, self.slots);
        let text = raw.get();
        if let (Some(node), true) = (key.node, text.starts_with('{')) {
            let mut parser = serde_json::Deserializer::from_str(text);
            parser.deserialize_map(Level { walk: self, node })?;
        }
        let Some(slot) = key.slot else { return Ok(()) };
        let start = text.as_ptr() as usize - self.row.as_ptr() as usize;
        let mut found = Found {
            start: start as u32,
            len: text.len() as u32,
            side: None,
        };
        if self.paths.decode[slot] && text.starts_with('"') && text.contains('\\') {
            match serde_json::from_str::<String>(text) {
                Ok(value) => {
                    found.side = Some((self.side.len() as u32, value.len() as u32));
                    self.side.extend_from_slice(value.as_bytes());
                }
                Err(_) => {
                    self.bad = Some(format!(
                        "`{}` holds a lone surrogate",
                        String::from_utf8_lossy(&key.name)
                    ))
                }
            }
        }
        self.slots[slot] = Some(found);
        Ok(())
    }
}

struct Level<'v, 'w> {
    walk: &'v mut Walk<'w>,
    node: usize,
}

impl<'de> Visitor<'de> for Level<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let paths = self.walk.paths;
        while let Some(name) = map.next_key::<Name<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            if let Some(key) = paths.nodes[self.node]
                .keys
                .iter()
                .find(|k| *k.name == *name.0.as_bytes())
            {
                self.walk
                    .wanted(key, raw)
                    .map_err(serde::de::Error::custom)?;
            }
        }
        Ok(())
    }
}

/// A key, borrowed if it has no escapes. A lone surrogate, of which nobody knows the name, is
/// U+FFFD.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue as serde::Deserialize>::deserialize(deserializer)?.get();
        Ok(Self(if raw.contains('\\') {
            Cow::Owned(unquoted(raw))
        } else {
            Cow::Borrowed(&raw[1..raw.len() - 1])
        }))
    }
}
