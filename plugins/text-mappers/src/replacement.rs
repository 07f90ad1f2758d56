//! The replacement of a match, in Python's notation.

use regex::{Captures, Regex};

/// Literal text and groups.
#[derive(Debug, Default)]
pub(crate) struct Replacement(Vec<Part>);

#[derive(Debug)]
enum Part {
    Literal(String),
    Number(usize),
    Name(String),
}

impl Replacement {
    /// Parses Python's notation: `\1`, `\g<1>`, `\g<name>`, `\\`, and `\n` and the like.
    ///
    /// # Errors
    /// A sentence that names the parameter `repl`.
    pub(crate) fn parse(repl: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = repl;
        while let Some(at) = rest.find('\\') {
            literal.push_str(&rest[..at]);
            let escape = &rest[at + 1..];
            let Some(c) = escape.chars().next() else {
                return Err("`repl` ends in a single `\\`: write `\\\\`".into());
            };
            rest = &escape[c.len_utf8()..];
            let group = match c {
                'n' => literal_char(&mut literal, '\n'),
                't' => literal_char(&mut literal, '\t'),
                'r' => literal_char(&mut literal, '\r'),
                'f' => literal_char(&mut literal, '\u{c}'),
                'v' => literal_char(&mut literal, '\u{b}'),
                'a' => literal_char(&mut literal, '\u{7}'),
                'b' => literal_char(&mut literal, '\u{8}'),
                '\\' => literal_char(&mut literal, '\\'),
                'g' => {
                    let name = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
                    let (name, after) = name
                        .ok_or("`repl` has `\\g` without a group: write `\\g<1>` or `\\g<name>`")?;
                    rest = after;
                    Some(
                        name.parse()
                            .map_or_else(|_| Part::Name(name.to_owned()), Part::Number),
                    )
                }
                '1'..='9' => {
                    let digits = 1 + rest.bytes().take(1).filter(u8::is_ascii_digit).count();
                    rest = &escape[digits..];
                    Some(Part::Number(
                        escape[..digits]
                            .parse()
                            .map_err(|_| "`repl` has a group that is no number")?,
                    ))
                }
                c if c.is_ascii_alphanumeric() => {
                    return Err(format!(
                        "`repl` has `\\{c}`, which is not supported: write the character itself, or `\\\\` for a backslash"
                    ));
                }
                // As in Python, the backslash stays before any other character.
                c => {
                    literal.push('\\');
                    literal_char(&mut literal, c)
                }
            };
            if let Some(group) = group {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
                parts.push(group);
            }
        }
        literal.push_str(rest);
        parts.push(Part::Literal(literal));
        Ok(Self(parts))
    }

    /// Whether it refers to any group.
    pub(crate) fn has_groups(&self) -> bool {
        self.0.iter().any(|part| !matches!(part, Part::Literal(_)))
    }

    /// Checks that the pattern has the groups that it refers to.
    ///
    /// # Errors
    /// A sentence that names the parameter `repl`.
    pub(crate) fn check(&self, regex: &Regex) -> Result<(), String> {
        for part in &self.0 {
            match part {
                Part::Number(number) if *number >= regex.captures_len() => {
                    return Err(format!(
                        "`repl` names group {number}: the pattern has {}",
                        regex.captures_len() - 1
                    ));
                }
                Part::Name(name) if !regex.capture_names().flatten().any(|known| known == name) => {
                    return Err(format!(
                        "`repl` names group `{name}`: the pattern has no such group"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Appends the text of a replacement without groups.
    pub(crate) fn push_literal(&self, out: &mut String) {
        for part in &self.0 {
            if let Part::Literal(text) = part {
                out.push_str(text);
            }
        }
    }

    /// Appends the text for one match. A group that did not take part is empty.
    pub(crate) fn push(&self, groups: &Captures<'_>, out: &mut String) {
        for part in &self.0 {
            out.push_str(match part {
                Part::Literal(text) => text,
                Part::Number(number) => groups.get(*number).map_or("", |group| group.as_str()),
                Part::Name(name) => groups.name(name).map_or("", |group| group.as_str()),
            });
        }
    }
}

fn literal_char(literal: &mut String, c: char) -> Option<Part> {
    literal.push(c);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_escapes_as_python_reads_them() {
        let regex = Regex::new("(?P<a>b)(c)?").unwrap();
        let groups = regex.captures("b").unwrap();
        for (repl, expected) in [
            ("x", "x"),
            (r"<\1\2>", "<b>"),
            (r"\g<a>\g<0>", "bb"),
            (r"\n\\\.\é", "\n\\\\.\\é"),
            ("$1&", "$1&"),
        ] {
            let replacement = Replacement::parse(repl).unwrap();
            replacement.check(&regex).unwrap();
            let mut out = String::new();
            replacement.push(&groups, &mut out);
            assert_eq!(out, expected, "{repl}");
        }
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for repl in [r"\", r"\q", r"\g", r"\gx"] {
            assert!(
                Replacement::parse(repl).unwrap_err().contains("`repl`"),
                "{repl}"
            );
        }
        let regex = Regex::new("(a)").unwrap();
        for repl in [r"\2", r"\g<name>"] {
            assert!(
                Replacement::parse(repl)
                    .unwrap()
                    .check(&regex)
                    .unwrap_err()
                    .contains("`repl`"),
                "{repl}"
            );
        }
    }
}
