//! From text to values.

use super::{Number, Text, Value};
use std::borrow::Cow;

/// The host refuses rows that are nested deeper than 512 levels.
const DEPTH: usize = 600;

/// The value, and whether all its strings are Unicode.
pub(super) fn parse(json: &str) -> Result<(Value<'_>, bool), String> {
    let mut parser = Parser {
        json,
        at: 0,
        depth: 0,
        is_unicode: true,
    };
    let value = parser.value().and_then(|value| {
        parser.space();
        (parser.at == json.len()).then_some(value)
    });
    match value {
        Some(value) => Ok((value, parser.is_unicode)),
        None if parser.depth > DEPTH => Err(format!("is nested deeper than {DEPTH} levels")),
        None => Err(format!("is not JSON: see its byte {}", parser.at + 1)),
    }
}

/// Where a function gives None, `at` is the place that is wrong.
struct Parser<'a> {
    json: &'a str,
    at: usize,
    depth: usize,
    is_unicode: bool,
}

impl<'a> Parser<'a> {
    fn next(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes `sign` if it comes next, behind white space.
    fn sign(&mut self, sign: u8) -> Option<()> {
        self.space();
        (self.next() == Some(sign)).then(|| self.at += 1)
    }

    fn value(&mut self) -> Option<Value<'a>> {
        self.space();
        match self.next()? {
            b'"' => self.text().map(Value::String),
            b'[' => {
                let mut list = Vec::new();
                self.items(b']', |parser| {
                    list.push(parser.value()?);
                    Some(())
                })?;
                Some(Value::List(list))
            }
            b'{' => {
                let mut object = Vec::new();
                self.items(b'}', |parser| {
                    parser.space();
                    let key = parser.text()?;
                    parser.sign(b':')?;
                    object.push((key, parser.value()?));
                    Some(())
                })?;
                Some(Value::Object(object))
            }
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    /// What stands in brackets, with commas between.
    fn items(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        if self.sign(end).is_none() {
            loop {
                item(self)?;
                if self.sign(b',').is_none() {
                    break;
                }
            }
            self.sign(end)?;
        }
        self.depth -= 1;
        Some(())
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        self.json[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn number(&mut self) -> Option<Number<'a>> {
        let rest = &self.json[self.at..];
        let constant = ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        let of_number = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
        let len = constant.map_or_else(
            || rest.bytes().take_while(|b| of_number(*b)).count(),
            str::len,
        );
        let number = Number::parse(&rest[..len])?;
        self.at += len;
        Some(number)
    }

    fn text(&mut self) -> Option<Text<'a>> {
        if self.next() != Some(b'"') {
            return None;
        }
        let start = self.at;
        self.at += 1;
        let mut value = Cow::Borrowed("");
        let mut is_unicode = true;
        loop {
            let rest = &self.json[self.at..];
            let plain = rest.bytes().position(|b| b == b'"' || b == b'\\')?;
            match &mut value {
                Cow::Borrowed(whole) if whole.is_empty() => *whole = &rest[..plain],
                value => value.to_mut().push_str(&rest[..plain]),
            }
            self.at += plain + 1;
            if rest.as_bytes()[plain] == b'"' {
                break;
            }
            let escaped = self.escape()?;
            is_unicode &= escaped.is_some();
            value
                .to_mut()
                .push(escaped.unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.is_unicode &= is_unicode;
        Some(Text {
            value,
            is_unicode,
            place: start..self.at,
        })
    }

    /// What the backslash before here and what follows it stand for; Some(None) for a lone
    /// surrogate.
    fn escape(&mut self) -> Option<Option<char>> {
        let kind = self.next()?;
        self.at += 1;
        Some(Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit(self.at)?;
                self.at += 4;
                if let Some(c) = char::from_u32(unit) {
                    return Some(Some(c));
                }
                let is_high = unit < 0xdc00 && self.json[self.at..].starts_with("\\u");
                let low = is_high
                    .then(|| self.unit(self.at + 2))
                    .flatten()
                    .filter(|low| (0xdc00..0xe000).contains(low));
                let Some(low) = low else {
                    return Some(None);
                };
                self.at += 6;
                return Some(char::from_u32(
                    0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00),
                ));
            }
            _ => {
                self.at -= 1;
                return None;
            }
        }))
    }

    /// The four hexadecimal digits at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.json.get(at..at + 4)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As serde_json sees it; what it has no value for is a string.
    fn plain(value: &Value<'_>) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(number) => {
                serde_json::from_str(number.as_str()).unwrap_or_else(|_| number.as_str().into())
            }
            Value::String(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(plain).collect(),
            Value::Object(object) => object
                .iter()
                .map(|(key, value)| (key.as_str().to_owned(), plain(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    #[test]
    fn values_are_what_serde_json_reads() {
        for json in [
            "null",
            " [ true , false,null ] ",
            r#"{"a": {"b": [1, -2.5e-3, "x\"\\\/\b\f\n\r\t"], "": {}}, "c":[]}"#,
            r#""\u00e9\ud83d\ude00 é 😀 \u0000""#,
            "-0",
            "18446744073709551615",
            r#"{"a": 1, "a": 2}"#,
        ] {
            assert_eq!(
                plain(&Value::read(json).unwrap()),
                serde_json::from_str::<serde_json::Value>(json).unwrap(),
                "{json}"
            );
        }
    }

    #[test]
    fn what_serde_json_does_not_read() {
        let json = r#"[NaN, -Infinity, Infinity, 1e400, 123456789012345678901.50]"#;
        let Ok(Value::List(list)) = Value::read(json) else {
            panic!("{json}");
        };
        let spelled: Vec<String> = list
            .iter()
            .map(|value| value.number().unwrap().as_str().to_owned())
            .collect();
        assert_eq!(
            spelled,
            [
                "NaN",
                "-Infinity",
                "Infinity",
                "1e400",
                "123456789012345678901.50"
            ]
        );
    }

    #[test]
    fn lone_surrogates_are_noticed() {
        for json in [
            r#""\ud800""#,
            r#"["a", "\udc00\ud800 b"]"#,
            r#"{"\ud800x": 1}"#,
            r#""\ud800\u0041""#,
        ] {
            assert_eq!(Value::read(json).unwrap_err(), "holds a lone surrogate");
            assert!(Value::parse(json).is_ok(), "{json}");
        }
        let Ok(Value::List(list)) = Value::parse(r#"["é", "a\ud800\u0041"]"#) else {
            panic!();
        };
        let [Value::String(sound), Value::String(lone)] = &list[..] else {
            panic!("{list:?}");
        };
        assert!(sound.is_unicode() && !lone.is_unicode());
        assert_eq!((lone.as_str(), lone.place()), ("a\u{fffd}A", 7..22));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        for json in [
            "",
            "[",
            "[1",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{1:2}",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "tru",
            "1 2",
            "nan",
            "-NaN",
            "1e",
            "]",
            "{\"a\":1,}",
        ] {
            let error = Value::parse(json).unwrap_err();
            assert!(
                error.starts_with("is not JSON: see its byte"),
                "{json}: {error}"
            );
        }
        assert_eq!(
            Value::parse("[1, x]").unwrap_err(),
            "is not JSON: see its byte 5"
        );
    }

    #[test]
    fn depth_has_an_end() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Value::parse(&nested(512)).is_ok());
        assert!(
            Value::parse(&nested(100_000))
                .unwrap_err()
                .contains("nested deeper")
        );
    }
}
