//! Puts values into a row and leaves every other byte as it is.
//!
//! By hand: a JSON crate writes a row anew from its values and keeps neither spacing, spelling of
//! numbers nor repeated keys, all of which must leave as they came.

use super::lenient::check;
use super::paths::Paths;
use super::scan::{Found, Scanner};
use super::string::write_string;

/// Returns `row` (a JSON object) with `value` (JSON text) at `path`. An existing field keeps its
/// place; a new one comes last in its object. Creates missing objects on the way, and replaces a
/// value on the way that is not an object. Of equal keys the last one counts.
pub(crate) fn set_path(row: &[u8], path: &str, value: &[u8]) -> Vec<u8> {
    if let Some(found) = find(row, path) {
        return replace(row, found.start as usize, found.len as usize, value);
    }
    // The longest existing part of the path: the rest is new.
    let mut cut = path.len();
    while let Some(dot) = path[..cut].rfind('.') {
        cut = dot;
        let Some(found) = find_nested(row, &path[..dot]) else {
            continue;
        };
        let (start, len) = (found.start as usize, found.len as usize);
        let inner = &row[start..start + len];
        let rest = &path[dot + 1..];
        return if inner.starts_with(b"{") {
            let mut object = Vec::with_capacity(len + value.len() + rest.len() + 8);
            append(inner, rest, value, &mut object);
            replace(row, start, len, &object)
        } else {
            replace(row, start, len, &nested(rest, value))
        };
    }
    let mut out = Vec::with_capacity(row.len() + path.len() + value.len() + 8);
    append(row, path, value, &mut out);
    out
}

/// The object `row` with `value` at `key` in its member `outer`, which becomes an object where it is
/// none. Literal keys with dots are other fields.
pub(crate) fn set_member(row: &[u8], outer: &str, key: &str, value: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(value.len() + key.len() + 8);
    let Some(found) = find(row, outer) else {
        let object = nested(key, value);
        append(row, outer, &object, &mut new);
        return new;
    };
    let (start, len) = (found.start as usize, found.len as usize);
    let inner = &row[start..start + len];
    let object = if inner.starts_with(b"{") {
        set_path(inner, key, value)
    } else {
        nested(key, value)
    };
    replace(row, start, len, &object)
}

/// Whether the member `key` of `row` is neither an object nor null.
pub(crate) fn is_plain(row: &[u8], key: &str) -> bool {
    find(row, key).is_some_and(|found| {
        let value = &row[found.start as usize..][..found.len as usize];
        !value.starts_with(b"{") && value != b"null"
    })
}

/// The field on the way to `path` that [`set_path`] would replace, because it is neither an object
/// nor null.
pub(crate) fn obstacle<'a>(row: &[u8], path: &'a str) -> Option<&'a str> {
    if find(row, path).is_some() {
        return None;
    }
    path.rmatch_indices('.').find_map(|(dot, _)| {
        let found = find_nested(row, &path[..dot])?;
        let value = &row[found.start as usize..][..found.len as usize];
        Some((!value.starts_with(b"{") && value != b"null").then_some(&path[..dot]))
    })?
}

/// The value at `path`, including a literal key with dots.
fn find(row: &[u8], path: &str) -> Option<Found> {
    let paths = Paths::new([(path, false)]);
    let mut slots = vec![None; paths.slots()];
    let mut side = Vec::new();
    let scanned = Scanner::new(row, 0, row.len(), &paths).scan(&mut slots, &mut side);
    if scanned.is_err() {
        check(row, &paths, &mut slots, &mut side).ok()?;
    }
    paths.effective(0, &slots).copied()
}

/// Like [`find`] without literal keys: where a new field goes.
fn find_nested(row: &[u8], path: &str) -> Option<Found> {
    let mut at = Found {
        start: 0,
        len: row.len() as u32,
        side: None,
    };
    for part in path.split('.') {
        let inner = &row[at.start as usize..][..at.len as usize];
        let found = find(inner, part)?;
        at = Found {
            start: at.start + found.start,
            len: found.len,
            side: None,
        };
    }
    Some(at)
}

fn replace(row: &[u8], start: usize, len: usize, value: &[u8]) -> Vec<u8> {
    [&row[..start], value, &row[start + len..]].concat()
}

/// `{"b": {"c": value}}` for the path `b.c`.
fn nested(path: &str, value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'{'];
    member(path, value, &mut out);
    out.push(b'}');
    out
}

/// `"b": {"c": value}` for the path `b.c`.
fn member(path: &str, value: &[u8], out: &mut Vec<u8>) {
    let mut depth = 0;
    for (i, part) in path.split('.').enumerate() {
        if i > 0 {
            out.push(b'{');
            depth += 1;
        }
        write_string(part, out);
        out.extend_from_slice(b": ");
    }
    out.extend_from_slice(value);
    out.resize(out.len() + depth, b'}');
}

/// Writes the object with a new last member to `out`, spaced like Python's `json.dumps`.
pub(crate) fn append(object: &[u8], path: &str, value: &[u8], out: &mut Vec<u8>) {
    let close = object
        .iter()
        .rposition(|&b| b == b'}')
        .expect("an object ends with a brace");
    let (body, tail) = object.split_at(close);
    out.extend_from_slice(body);
    if body.trim_ascii() != b"{" {
        out.extend_from_slice(b", ");
    }
    member(path, value, out);
    out.extend_from_slice(tail);
}

/// Appends a number as the shortest text that reads back as the same double; NaN and infinities as
/// Python spells them: `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn write_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        serde_json::to_writer(out, &value).expect("a vector takes everything");
    } else {
        out.extend_from_slice(if value.is_nan() {
            b"NaN"
        } else if value > 0.0 {
            b"Infinity"
        } else {
            b"-Infinity"
        });
    }
}
