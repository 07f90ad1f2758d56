//! The members of rows that were validated before.

use super::lenient::string_end;
use super::scan::Odd;
use super::standard::standard;
use super::string::read_string;
use anyhow::{Context, Result, bail};
use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

/// Calls `each(key, value)` for each member of the object `row`: the bytes of the key without its
/// quotes, still escaped, and of the value. Equal keys come more than once.
pub(crate) fn top_level<'a>(
    row: &'a [u8],
    mut each: impl FnMut(&'a [u8], &'a [u8]) -> Result<()>,
) -> Result<()> {
    object(row, |key, value| each(&row[key], &row[value]))
}

/// Calls `each(key, value)` for each member of the object `text`. Equal keys come more than once; a
/// lone surrogate in a key becomes U+FFFD.
pub(crate) fn members<'a>(
    text: &'a str,
    mut each: impl FnMut(Cow<'a, str>, &'a str),
) -> Result<(), Odd> {
    object(text.as_bytes(), |key, value| {
        let name = &text[key.clone()];
        each(
            if name.contains('\\') {
                Cow::Owned(unquoted(&text[key.start - 1..key.end + 1]))
            } else {
                Cow::Borrowed(name)
            },
            &text[value],
        );
        Ok(())
    })
    .map_err(|_| Odd)
}

/// Calls `each` for each element of the list `text`.
pub(crate) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> Result<(), Odd> {
    let list = text.as_bytes();
    if list.first() != Some(&b'[') {
        return Err(Odd);
    }
    let mut p = space(list, 1);
    while p < list.len() && list[p] != b']' {
        let end = value_end(list, p);
        if end == p {
            return Err(Odd);
        }
        each(&text[p..end]);
        p = space(list, end);
        if list.get(p) == Some(&b',') {
            p = space(list, p + 1);
        }
    }
    if list.get(p) == Some(&b']') {
        Ok(())
    } else {
        Err(Odd)
    }
}

/// Whether `json` may contain `NaN` or `Infinity`.
pub(crate) fn has_constant(json: &[u8]) -> bool {
    [&b"NaN"[..], b"Infinity"]
        .iter()
        .any(|word| memmem::find(json, word).is_some())
}

/// Counts the NaN and infinite numbers of a JSON text.
pub(crate) fn constants(json: &[u8]) -> u64 {
    let (mut p, mut count) = (0, 0);
    while p < json.len() {
        match json[p] {
            b'"' => p = string_end(json, p),
            b'N' | b'I' => {
                count += 1;
                // `NaN` has two of the letter.
                p += 2;
            }
            _ => {}
        }
        p += 1;
    }
    count
}

/// The text of a JSON string; lone surrogates become U+FFFD.
pub(crate) fn unquoted(string: &str) -> String {
    let sound = || String::from_utf8(standard(string.as_bytes())).ok();
    read_string(string)
        .or_else(|| read_string(&sound()?))
        .unwrap_or_default()
}

/// Calls `each` with the positions of each member's key, without its quotes, and value.
fn object(
    row: &[u8],
    mut each: impl FnMut(Range<usize>, Range<usize>) -> Result<()>,
) -> Result<()> {
    let mut p = space(row, 0);
    if row.get(p) != Some(&b'{') {
        bail!("a row is not a JSON object");
    }
    p = space(row, p + 1);
    while row.get(p) == Some(&b'"') {
        let close = string_end(row, p);
        let key = p + 1..close;
        row.get(key.clone()).context("a key has no end")?;
        let colon = space(row, close + 1);
        if row.get(colon) != Some(&b':') {
            bail!("a key has no value");
        }
        let start = space(row, colon + 1);
        let end = value_end(row, start);
        row.get(start..end)
            .filter(|value| !value.is_empty())
            .context("a value has no end")?;
        each(key, start..end)?;
        p = space(row, end);
        if row.get(p) == Some(&b',') {
            p = space(row, p + 1);
        }
    }
    if row.get(p) == Some(&b'}') {
        Ok(())
    } else {
        bail!("a row has no end")
    }
}

fn space(row: &[u8], p: usize) -> usize {
    p + row
        .get(p..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| b.is_ascii_whitespace())
        .count()
}

/// The position after the value at `start`.
fn value_end(row: &[u8], start: usize) -> usize {
    let (mut p, mut depth) = (start, 0usize);
    while p < row.len() {
        match row[p] {
            b'"' => p = string_end(row, p),
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return p,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return p,
            byte if depth == 0 && byte.is_ascii_whitespace() => return p,
            _ => {}
        }
        p += 1;
        // A string, a list or an object ends here.
        if depth == 0 && matches!(row.get(p - 1), Some(b'"' | b'}' | b']')) {
            return p;
        }
    }
    p
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(row: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut found = Vec::new();
        top_level(row.as_bytes(), |key, value| {
            found.push((text(key), text(value)));
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn members_come_as_they_stand() {
        let row = r#" { "a" : [1, {"b": "]},"}] , "k\"ey": 1.50e3,"n":NaN ,"s":"x\\\"","a": null, "o": {"x": {}} } "#;
        let found = members(row);
        let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (&k[..], &v[..])).collect();
        assert_eq!(
            found,
            [
                ("a", r#"[1, {"b": "]},"}]"#),
                (r#"k\"ey"#, "1.50e3"),
                ("n", "NaN"),
                ("s", r#""x\\\"""#),
                ("a", "null"),
                ("o", r#"{"x": {}}"#)
            ]
        );
        assert!(members(" {} ").is_empty() && members("{ }").is_empty());
    }

    #[test]
    fn constants_are_counted() {
        assert_eq!(
            constants(br#"[NaN, -Infinity, {"NaN": "Infinity \" NaN", "x": Infinity}, 1e5, null]"#),
            3
        );
        assert!(has_constant(b"-Infinity") && !has_constant(b"nan"));
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for text in [
            "",
            "[1]",
            "{",
            r#"{"a""#,
            r#"{"a":"#,
            r#"{"a": 1"#,
            r#"{"a": "x"#,
            r#"{"a": [1}"#,
            r#"{"a" 1}"#,
        ] {
            assert!(top_level(text.as_bytes(), |_, _| Ok(())).is_err(), "{text}");
        }
    }
}
