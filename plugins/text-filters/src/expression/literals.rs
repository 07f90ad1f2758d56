//! Numbers and strings in the language of `general_field_filter`, spelled as in Python.

use super::{Expr, Parser, constant};
use serde_json::Number;

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Result<Expr, String> {
        let rest = self.rest();
        let mut end = 0;
        let bytes = rest.as_bytes();
        let hex = bytes.len() > 1
            && bytes[0] == b'0'
            && bytes[1].is_ascii_alphabetic()
            && !matches!(bytes[1], b'e' | b'E');
        while let Some(&byte) = bytes.get(end) {
            let exponent =
                !hex && matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
            // No name follows the dot of a number: `1.x` is refused below as the rest of an
            // operand.
            if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' || exponent) {
                break;
            }
            end += 1;
        }
        let spelled = &rest[..end];
        let number = number(spelled).ok_or_else(|| self.error("not a number that is supported"))?;
        self.at += end;
        Ok(constant(number))
    }

    /// Adjacent strings are one.
    pub(super) fn strings(&mut self) -> Result<Expr, String> {
        let mut whole = String::new();
        loop {
            let prefix = self.word();
            let quoted = self.rest()[prefix.len()..].starts_with(['"', '\'']);
            if !quoted || !matches!(prefix, "" | "r" | "R" | "u" | "U") {
                return Ok(constant(whole));
            }
            self.at += prefix.len();
            self.string(matches!(prefix, "r" | "R"), &mut whole)?;
        }
    }

    fn string(&mut self, raw: bool, out: &mut String) -> Result<(), String> {
        let quote = &self.rest()[..1];
        let triple = quote.repeat(3);
        let quote = if self.rest().starts_with(&triple) {
            triple
        } else {
            quote.to_owned()
        };
        let start = self.at;
        self.at += quote.len();
        loop {
            if self.rest().starts_with(&quote) {
                self.at += quote.len();
                return Ok(());
            }
            let mut chars = self.rest().chars();
            match chars.next() {
                Some('\\') => {
                    let escaped = chars.next();
                    self.escape(raw, escaped, out)?;
                }
                Some(c) if c != '\n' || quote.len() == 3 => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
                _ => {
                    self.at = start;
                    return Err(self.error("the string has no end"));
                }
            }
        }
    }

    /// The meaning of the backslash and the character after it.
    fn escape(&mut self, raw: bool, escaped: Option<char>, out: &mut String) -> Result<(), String> {
        let Some(escaped) = escaped else {
            return Err(self.error("the string has no end"));
        };
        let behind = &self.rest()[1 + escaped.len_utf8()..];
        let digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let plain = match escaped {
            _ if raw => None,
            '\\' | '\'' | '"' => Some(escaped),
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'a' => Some('\x07'),
            'b' => Some('\x08'),
            'f' => Some('\x0c'),
            'v' => Some('\x0b'),
            'x' | 'u' | 'U' => {
                let code = behind
                    .get(..digits)
                    .filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
                let code = code
                    .and_then(|code| u32::from_str_radix(code, 16).ok())
                    .and_then(char::from_u32);
                Some(code.ok_or_else(|| self.error("not the number of a character"))?)
            }
            '\n' | 'N' | '0'..='7' => {
                return Err(self.error("this escape is not supported; use \\u and four digits"));
            }
            // Python leaves others unchanged.
            _ => None,
        };
        match plain {
            Some(plain) => out.push(plain),
            None => out.extend(['\\', escaped]),
        }
        self.at += 1 + escaped.len_utf8() + if raw { 0 } else { digits };
        Ok(())
    }
}

/// A number in Python's spelling: integers of up to 64 bits, in any base, and floats.
fn number(spelled: &str) -> Option<Number> {
    let bytes = spelled.as_bytes();
    let lone = |at: usize| {
        at == 0
            || !bytes[at - 1].is_ascii_alphanumeric()
            || !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
    };
    if (0..bytes.len()).any(|at| bytes[at] == b'_' && lone(at)) {
        return None;
    }
    let plain = spelled.replace('_', "").to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            return u64::from_str_radix(digits, base).ok().map(Number::from);
        }
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) {
        // Python refuses leading zeros, which mean octal elsewhere.
        let octal = plain.starts_with('0') && plain.bytes().any(|b| b != b'0');
        return if octal {
            None
        } else {
            plain.parse::<u64>().ok().map(Number::from)
        };
    }
    let float = plain
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
    if float {
        plain.parse().ok().and_then(Number::from_f64)
    } else {
        None
    }
}
