//! The members of a row, whatever stands in them: for rows that were found to be good before.

use super::lenient::string_end;
use anyhow::{Context, Result, bail};

/// Calls `each(key, value)` for each member of the object `row`: the key without its quotes and with its escapes, and the value, as they stand
/// there. Equal keys come more than once.
pub fn top_level<'a>(row: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8]) -> Result<()>) -> Result<()> {
    let mut p = space(row, 0);
    if row.get(p) != Some(&b'{') {
        bail!("a row is not a JSON object");
    }
    p = space(row, p + 1);
    while row.get(p) == Some(&b'"') {
        let close = string_end(row, p);
        let key = row.get(p + 1..close).context("a key has no end")?;
        let colon = space(row, close + 1);
        if row.get(colon) != Some(&b':') {
            bail!("a key has no value");
        }
        let start = space(row, colon + 1);
        let end = value_end(row, start);
        each(key, row.get(start..end).context("a value has no end")?)?;
        p = space(row, end);
        if row.get(p) == Some(&b',') {
            p = space(row, p + 1);
        }
    }
    if row.get(p) == Some(&b'}') { Ok(()) } else { bail!("a row has no end") }
}

fn space(row: &[u8], p: usize) -> usize {
    p + row.get(p..).unwrap_or_default().iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Behind the value at `start`.
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
        // Behind a string, a list or an object the value is over.
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
    fn what_is_no_row_is_refused() {
        for text in ["", "[1]", "{", r#"{"a""#, r#"{"a":"#, r#"{"a": 1"#, r#"{"a": "x"#, r#"{"a": [1}"#, r#"{"a" 1}"#] {
            assert!(top_level(text.as_bytes(), |_, _| Ok(())).is_err(), "{text}");
        }
    }
}
