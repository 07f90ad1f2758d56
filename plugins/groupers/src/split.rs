//! Splits JSON values that the host has validated, so any depth and any spelling of a number will
//! do.

/// The members of an object, with quoted keys, or the elements of a list, with empty keys. None for
/// any other value.
pub(crate) fn pieces(value: &str) -> Option<Vec<(&str, &str)>> {
    let bytes = value.as_bytes();
    let start = space(bytes, 0);
    let is_object = match bytes.get(start)? {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut found = Vec::new();
    let mut p = space(bytes, start + 1);
    while !matches!(bytes.get(p)?, b'}' | b']') {
        let mut key = "";
        if is_object {
            let end = value_end(bytes, p);
            key = value.get(p..end)?;
            p = space(bytes, space(bytes, end) + 1);
        }
        let end = value_end(bytes, p);
        if end == p {
            return None;
        }
        found.push((key, value.get(p..end)?));
        p = space(bytes, end);
        if bytes.get(p) == Some(&b',') {
            p = space(bytes, p + 1);
        }
    }
    Some(found)
}

fn space(bytes: &[u8], p: usize) -> usize {
    p + bytes
        .iter()
        .skip(p)
        .take_while(|b| b.is_ascii_whitespace())
        .count()
}

/// The position after the value that begins at `p`.
fn value_end(bytes: &[u8], mut p: usize) -> usize {
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(p) {
        match byte {
            b'"' => {
                p += 1;
                while p < bytes.len() && bytes[p] != b'"' {
                    p += if bytes[p] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return p,
            b'}' | b']' => depth -= 1,
            b',' | b':' if depth == 0 => return p,
            byte if depth == 0 && byte.is_ascii_whitespace() => return p,
            _ => {}
        }
        p += 1;
        if depth == 0 && matches!(bytes.get(p - 1), Some(b'"' | b'}' | b']')) {
            return p;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn objects_and_lists_come_apart() {
        assert_eq!(
            pieces(r#" {"a" : [1, 2],"b\"": "x,}" , "c":NaN} "#).unwrap(),
            [
                ("\"a\"", "[1, 2]"),
                (r#""b\"""#, r#""x,}""#),
                ("\"c\"", "NaN")
            ]
        );
        assert_eq!(
            pieces(r#"[ "a]" ,{"b": [2]}, -1.5e3,null]"#).unwrap(),
            [
                ("", "\"a]\""),
                ("", r#"{"b": [2]}"#),
                ("", "-1.5e3"),
                ("", "null")
            ]
        );
        assert!(pieces("{ }").unwrap().is_empty() && pieces("[]").unwrap().is_empty());
        for other in ["1", "\"[]\"", "null", "", "[1", "{\"a\"", "{\"a\":}", "[,"] {
            assert_eq!(pieces(other), None, "{other}");
        }
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pieces(&deep).unwrap().len(), 1);
    }
}
