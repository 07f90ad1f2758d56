//! Regular expressions in Python's notation, for an engine with linear time.

use regex::{Regex, RegexBuilder};

/// Compiles the user's pattern for the parameter `name`, as Data-Juicer does for searches: `.`
/// matches line ends, too, and `r'…'` around the pattern is stripped.
///
/// # Errors
/// A sentence that names the parameter and says what in the pattern is not supported.
pub fn search_pattern(name: &str, pattern: &str) -> Result<Regex, String> {
    let raw = |quote: &str| {
        pattern
            .strip_prefix('r')?
            .strip_prefix(quote)?
            .strip_suffix(quote)
    };
    let pattern = raw("'").or_else(|| raw("\"")).unwrap_or(pattern);
    compile(name, pattern, true)
}

/// Compiles the user's pattern for the parameter `name`, as Python's `regex.compile` does without
/// flags.
///
/// # Errors
/// Like [`search_pattern`].
pub fn plain_pattern(name: &str, pattern: &str) -> Result<Regex, String> {
    compile(name, pattern, false)
}

fn compile(name: &str, pattern: &str, dot_all: bool) -> Result<Regex, String> {
    let translated = translate(pattern).map_err(|what| format!("`{name}` {what}"))?;
    RegexBuilder::new(&translated)
        .dot_matches_new_line(dot_all)
        .build()
        .map_err(|error| {
            // The engine's message draws the pattern over several lines; the last line has the
            // reason.
            let text = error.to_string();
            let what = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            format!("`{name}` is not supported: {what}: `{pattern}`")
        })
}

/// Translates Python's notation to that of the `regex` crate, where some characters mean different
/// things.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.char_indices().peekable();
    // Within `[…]`: number of characters of the class so far.
    let mut class: Option<usize> = None;
    let mut before = '\0';
    let mut quantified = false;
    while let Some((at, c)) = chars.next() {
        let rest = &pattern[at + c.len_utf8()..];
        let was_quantified = std::mem::take(&mut quantified);
        match (c, &mut class) {
            ('\\', _) => {
                let Some((_, escaped)) = chars.next() else {
                    return Err("ends in a single `\\`".into());
                };
                match escaped {
                    'Z' if class.is_none() => out.push_str(r"\z"),
                    // Word boundaries in the crate, literals in Python.
                    '<' | '>' => out.push(escaped),
                    escaped if !escaped.is_ascii() => out.push(escaped),
                    // A property: its braces are not a count.
                    'p' | 'P' if pattern[at + 2..].starts_with('{') => {
                        let end = pattern[at..]
                            .find('}')
                            .map_or(pattern.len(), |end| at + end + 1);
                        out.push_str(&pattern[at..end]);
                        chars
                            .by_ref()
                            .take(pattern[at + 2..end].chars().count())
                            .for_each(drop);
                    }
                    escaped => out.extend(['\\', escaped]),
                }
                class = class.map(|seen| seen + 1);
            }
            ('[', None) => {
                class = Some(0);
                out.push('[');
            }
            ('^', Some(0)) if before == '[' => out.push('^'),
            (']', Some(seen)) if *seen > 0 => {
                class = None;
                out.push(']');
            }
            ('[', Some(_)) if rest.starts_with(':') && rest.contains(":]") => {
                let end = rest.find(":]").map_or(0, |end| end + 2);
                out.push('[');
                out.push_str(&rest[..end]);
                chars
                    .by_ref()
                    .take(rest[..end].chars().count())
                    .for_each(drop);
                class = class.map(|seen| seen + 1);
            }
            // Literals in Python's classes, set operations in the crate's.
            ('[' | ']' | '&' | '~', Some(seen)) => {
                out.extend(['\\', c]);
                *seen += 1;
            }
            ('-', Some(seen)) if before == '-' => {
                out.push_str(r"\-");
                *seen += 1;
            }
            (_, Some(seen)) => {
                out.push(c);
                *seen += 1;
            }
            ('+', None) if was_quantified => {
                return Err(format!(
                    "has a possessive quantifier, which is not supported: `{pattern}`"
                ));
            }
            ('{', None) => {
                let inner = rest.split_once('}').map(|(inner, _)| inner);
                match inner {
                    Some(inner) if is_count(inner) => {
                        // `{,3}` starts at 0.
                        out.push_str(if inner.starts_with(',') { "{0" } else { "{" });
                        out.push_str(inner);
                        out.push('}');
                        chars.by_ref().take(inner.len() + 1).for_each(drop);
                        quantified = true;
                    }
                    Some(inner) if is_fuzzy(inner) => {
                        return Err(format!(
                            "has a fuzzy match, which is not supported: `{pattern}`"
                        ));
                    }
                    _ => out.push_str(r"\{"),
                }
            }
            ('*' | '+' | '?', None) => {
                out.push(c);
                // The `?` of a lazy quantifier is not a quantifier, nor is that of `(?:`.
                quantified = !(c == '?' && (was_quantified || before == '('));
            }
            (_, None) => out.push(c),
        }
        before = c;
    }
    Ok(out)
}

/// Whether `{inner}` is a repetition count.
fn is_count(inner: &str) -> bool {
    let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    digits(low) && digits(high) && inner.bytes().any(|b| b.is_ascii_digit())
}

/// Whether `{inner}` allows errors, in the notation of Python's `regex` module.
fn is_fuzzy(inner: &str) -> bool {
    let known = |b: u8| b.is_ascii_digit() || b"eids<=+,: ".contains(&b);
    inner.bytes().all(known) && inner.bytes().any(|b| b"eids".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_what_it_means_in_python() {
        let cases = [
            (r"r'a+'", "caat", "aa"),
            (r#"r"a""#, "a", "a"),
            ("a.b", "a\nb", "a\nb"),
            ("a{b}", "a{b}", "a{b}"),
            ("x{,2}y", "xxy", "xxy"),
            ("x{2}?", "xxx", "xx"),
            ("[a&&b]+", "a&b", "a&b"),
            ("[[a]+", "[a", "[a"),
            ("[]x]+", "]x", "]x"),
            ("[^]x]+", "]ab", "ab"),
            ("[[:digit:]x]+", "1x:", "1x"),
            (r"\<b\>", "<b>", "<b>"),
            (r"a\Z", "aa", "a"),
            (r"a+?b*", "aab", "a"),
            (r"\。", "x。", "。"),
            (r"\p{L}{2}[\p{P}x]", "1éa!", "éa!"),
            (r"[+--]+", ",-", ",-"),
            (r"(?P<n>a)(?:b)?", "ab", "ab"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                search_pattern("pattern", pattern)
                    .unwrap()
                    .find(text)
                    .map(|m| m.as_str()),
                Some(expected),
                "{pattern}"
            );
        }
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let cases = [
            ("a(?=b)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("a++", "possessive"),
            ("a{2}+", "possessive"),
        ];
        for (pattern, reason) in cases.into_iter().chain([
            ("(?:foo){e<=1}", "fuzzy"),
            ("a(", "unclosed"),
            (r"a\", "single"),
        ]) {
            let error = search_pattern("pattern", pattern).unwrap_err();
            assert!(
                error.starts_with("`pattern`") && error.contains(reason),
                "{pattern}: {error}"
            );
        }
    }
}
