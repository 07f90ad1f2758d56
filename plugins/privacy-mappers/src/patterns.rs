//! Data-Juicer's patterns, for an engine without look-around.
//!
//! What must precede and follow a match is matched too, but not replaced: the group `all` is what
//! Data-Juicer's pattern matches, and `keep` the part of it that stays. `<` and `>` in the sources
//! below mean such word boundaries.

use crate::hints::{self, Hint};
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A pattern of one kind of personal data.
pub(crate) struct Pattern {
    hint: Hint,
    regex: LazyLock<Regex>,
    /// Finds the end of a match for patterns whose end the engine cannot find.
    end: Option<End>,
}

/// The end of a match, or where to continue the search if it is none.
type End = fn(&str, &Captures<'_>) -> Result<usize, usize>;

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident: $hint:ident, $source:expr $(, $end:expr)?;)*) => {
        $($(#[$doc])* pub(crate) static $name: Pattern = Pattern {
            hint: hints::$hint,
            regex: LazyLock::new(|| compile($source)),
            end: [$(Some($end as End),)? None][0],
        };)*
    };
}

patterns! {
    PEM: pem, r"(?<all>-----BEGIN [A-Z0-9 -]+-----(?s:.)*?-----END [A-Z0-9 -]+-----)";
    JWT: jwt, r"<(?<all>eyJ[A-Za-z0-9_=-]+(?<second>\.)[A-Za-z0-9_=-]+(?<third>\.)[A-Za-z0-9_=-]+)", jwt_end;
    URL: url, r#"(?<all>https?://[^\s"'<>]+)"#;
    IPV4: ipv4, concat!(
        r"(?:\A|[^0-9.])(?<all>(?:(?:25[0-5]|2[0-4]\d|[01]?\d\d?)\.){3}",
        r"(?:25[0-5]|2[0-4]\d|[01]?\d\d?))(?:\z|[^0-9])",
    );
    IPV6: ipv6, r"(?:(?<all>\[[0-9a-fA-F:.]{3,}\]:\d{1,5})>|(?<bare>\[[0-9a-fA-F:.]{3,}\])\w)";
    MAC: mac, r"(?:\A|[^0-9A-Fa-f:])(?<all>(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2})>";
    PATH_UNIX: path_unix, r#"(?<all>(?<keep>\A|[\s"'(\[=])/(?:Users?|home|tmp|etc|var|opt|Applications)[^\s"')\]]*)"#;
    PATH_WIN: path_win, r#"(?<all>(?<keep>\A|[\s"'(\[=])[A-Za-z]:\\[^\s"')\]]*)"#;
    PATH_UNC: path_unc, r#"(?<all>(?<keep>\A|[\s"'(\[=])\\\\[^\s"')\]]+)"#;
    EMAIL: email, r"(?<all>[a-zA-Z0-9][\w.+-]*@[\w.-]+\.(?:[a-zA-Z]{2,}|\w{2,}))";
    SECRET: secret, concat!(
        r"(?i)<(?<all>(?<keep>(?:api[_-]?key|apikey|secret|password|passwd|token|auth|authorization|credential|license[_-]?key)",
        r#"\s*[:=]\s*["']?)[^\s"',}\]]+)"#,
    );
    ID: id, r#"(?i)<(?<all>(?<keep>session[_-]?id|user[_-]?id|request[_-]?id|trace[_-]?id)\s*[:=]\s*["']?[\w.-]+)"#;
    CHANNEL: channel, concat!(
        r#"(?i)(?:<(?<all>(?<keep>channel\s*[:=]\s*["']?)CHANNELS)|"#,
        r"(?<bare>(?<barekeep>当前的\s*channel\s*[:：]\s*)CHANNELS))>",
    );
    FEISHU: feishu, r"(?i)<(?<all>ou_[0-9a-f]{32})>";
    OPEN_ID: open_id, r"<(?<all>(?<keep>ou_|u_|uid_)[0-9a-zA-Z_-]{16,64})", open_id_end;
    PHONE_CN: phone_cn, r"<(?<all>1[3-9]\d{9})>";
    PHONE_INTL: phone_intl, r"(?<all>\+\d{1,4}[-.\s]?\d{6,14})>";
    ID_CARD: id_card, r"<(?<all>[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])>";
}

/// Words and spaces are as in Python.
fn compile(source: &str) -> Regex {
    let mut out = String::new();
    let mut class = false;
    let source = source.replace(
        "CHANNELS",
        "(?:feishu|dingtalk|wecom|wechat_work|email|mail|飞书|钉钉|企业微信|邮箱)",
    );
    let mut rest = source.chars();
    let mut group = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next().expect("a pattern ends in no backslash") {
                'w' if class => out.push_str(r"\p{L}\p{N}_"),
                'w' => out.push_str(r"[\p{L}\p{N}_]"),
                's' if class => out.push_str(r"\s\x1c-\x1f"),
                's' => out.push_str(r"[\s\x1c-\x1f]"),
                other => out.extend(['\\', other]),
            },
            '[' if !class => {
                class = true;
                out.push(c);
            }
            ']' if class => {
                class = false;
                out.push(c);
            }
            '<' if !class && out.ends_with("(?") => {
                group = true;
                out.push(c);
            }
            '>' if group => {
                group = false;
                out.push(c);
            }
            '<' if !class => out.push_str(r"(?:\A|[^\p{L}\p{N}_])"),
            '>' if !class => out.push_str(r"(?:\z|[^\p{L}\p{N}_])"),
            c => out.push(c),
        }
    }
    Regex::new(&out).expect("the built-in patterns are valid")
}

impl Pattern {
    /// Replaces all matches with `instead`, after what they keep, and appends the result to `out`.
    /// Returns false, with nothing appended, if there are no matches. `keep` says whether a match's
    /// `keep` group stays.
    pub(crate) fn replace(&self, text: &str, instead: &str, keep: bool, out: &mut String) -> bool {
        self.replace_hinted(self.hint, text, instead, keep, out)
    }

    fn replace_hinted(
        &self,
        hint: Hint,
        text: &str,
        instead: &str,
        keep: bool,
        out: &mut String,
    ) -> bool {
        let looks_behind = self
            .regex
            .as_str()
            .trim_start_matches("(?i)")
            .starts_with(r"(?:\A|");
        let (mut done, mut from, mut any) = (0, 0, false);
        while let Some(place) = hint(text, from) {
            // The pattern examines one character before.
            let start = text.floor_char_boundary(place.saturating_sub(1)).max(from);
            let Some(groups) = self.regex.captures_at(text, start) else {
                break;
            };
            let (all, kept) = match groups.name("all") {
                Some(all) => (all, groups.name("keep")),
                None => (
                    groups.name("bare").expect("one of the groups took part"),
                    groups.name("barekeep"),
                ),
            };
            let end = match self.end.map_or(Ok(all.end()), |end| end(text, &groups)) {
                Ok(end) => end,
                Err(next) => {
                    from = next;
                    continue;
                }
            };
            any = true;
            out.push_str(&text[done..all.start()]);
            out.push_str(kept.filter(|_| keep).map_or("", |kept| kept.as_str()));
            out.push_str(instead);
            done = end;
            // The end of this match may be what must precede the next one, but no match begins
            // within it.
            from = if looks_behind {
                text.floor_char_boundary(end - 1)
            } else {
                end
            };
        }
        if any {
            out.push_str(&text[done..]);
        }
        any
    }
}

/// Letters, numbers and `_`, as in Python's `\w`.
fn is_word(c: char) -> bool {
    static WORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]").expect("a valid pattern"));
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || c == '_'
    } else {
        WORD.is_match(c.encode_utf8(&mut [0; 4]))
    }
}

/// Python's `\b`.
fn is_boundary(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_some_and(is_word)
        != text[at..].chars().next().is_some_and(is_word)
}

/// The last boundary in the third part. Without one no match begins in the first part.
fn jwt_end(text: &str, groups: &Captures<'_>) -> Result<usize, usize> {
    let (all, second, third) = (
        groups.name("all").unwrap(),
        groups.name("second").unwrap(),
        groups.name("third").unwrap(),
    );
    (third.end() + 1..=all.end())
        .rev()
        .find(|end| is_boundary(text, *end))
        .ok_or(second.start())
}

/// The last boundary after at least 16 characters.
fn open_id_end(text: &str, groups: &Captures<'_>) -> Result<usize, usize> {
    let (all, prefix) = (groups.name("all").unwrap(), groups.name("keep").unwrap());
    (prefix.end() + 16..=all.end())
        .rev()
        .find(|end| is_boundary(text, *end))
        .ok_or(all.start() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_skip_no_match() {
        let all: [(&Pattern, &[&str]); 18] = [
            (&PEM, &["-----BEGIN A-----", "-----END A-----", "-----"]),
            (&JWT, &["eyJ", "a", ".", "-", "eyJa.b.c"]),
            (&URL, &["http", "s", "://", "a.b", "https://x"]),
            (&IPV4, &["1", "255", "256", ".", ".", "1.2.3", "٣"]),
            (&IPV6, &["[", "]", ":1", "::1", ":", "a"]),
            (&MAC, &["aa", "b", ":", "-", "aa:bb:cc:dd:ee", "0"]),
            (&PATH_UNIX, &["/", "home", "/tmp/x", "User", "s", "="]),
            (&PATH_WIN, &["C", ":\\", "D:\\x", "(", "="]),
            (&PATH_UNC, &["\\", "\\\\x", "(", "="]),
            (&EMAIL, &["a", ".", "@", "+", "b.cd", "-"]),
            (
                &SECRET,
                &[
                    "key", "api", "_", "-", "ſecret", "toKen", "Auth", "license", ":", "=", "x",
                    "password", "\"",
                ],
            ),
            (
                &ID,
                &[
                    "session",
                    "user",
                    "ſeſſion",
                    "_",
                    "-",
                    "id",
                    "ID",
                    ":",
                    "=",
                    "x",
                ],
            ),
            (
                &CHANNEL,
                &["channel", "当前的", "：", ":", "=", "飞书", "mail", "\""],
            ),
            (
                &FEISHU,
                &["ou_", "OU_", "0123456789abcdef", "ABCDEF0123456789", "a"],
            ),
            (
                &OPEN_ID,
                &["ou_", "u_", "uid_", "o", "0123456789abcde", "f", "-"],
            ),
            (
                &PHONE_CN,
                &["13", "138", "0013800", "0", "800138000", "٣", "13800138000"],
            ),
            (
                &PHONE_INTL,
                &["+", "49", "-", ".", "123456", "7", "٣", "\u{a0}"],
            ),
            (
                &ID_CARD,
                &[
                    "110101",
                    "19900101123",
                    "110101199001011234",
                    "20",
                    "X",
                    "x",
                    "٣",
                ],
            ),
        ];
        let mut random = 1u32;
        let mut next = |below: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) as usize % below
        };
        for (i, (pattern, parts)) in all.into_iter().enumerate() {
            let mut found = 0;
            for length in 0..4000 {
                let common = [" ", "\n", "\u{3000}", "é", "_", "x", "7", ",", ""];
                let text: String = (0..length % 24)
                    .map(|_| {
                        if next(3) > 0 {
                            parts[next(parts.len())]
                        } else {
                            common[next(common.len())]
                        }
                    })
                    .collect();
                let (mut hinted, mut plain) = (String::new(), String::new());
                let any = pattern.replace(&text, "[]", true, &mut hinted);
                assert_eq!(
                    any,
                    pattern.replace_hinted(|_, from| Some(from), &text, "[]", true, &mut plain),
                    "{i}: {text:?}"
                );
                assert_eq!(hinted, plain, "{i}: {text:?}");
                found += usize::from(any);
            }
            assert!(found > 10, "pattern {i} matched {found} times");
        }
    }
}
