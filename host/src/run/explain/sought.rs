//! The value that `--where FIELD=VALUE` seeks, and what the bytes of a row with it must have.

use regex::bytes::Regex;

/// Characters of a text, or digits of a number, that rows are searched for.
const MOST: usize = 24;
/// A value of fewer is looked for together with its key: it is in too many rows.
const FEW: usize = 4;
/// What may be before the first digit of a number that is not zero.
const BEFORE: &str = "[-0.]*";

/// A value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sought {
    field: String,
    value: String,
    number: Option<Decimal>,
}

impl Sought {
    pub(super) fn new(field: &str, value: &str) -> Self {
        Self {
            field: field.to_owned(),
            value: value.to_owned(),
            number: Decimal::of(value),
        }
    }

    /// The path of the field.
    pub(super) fn field(&self) -> &str {
        &self.field
    }

    /// The value as the user wrote it.
    pub(super) fn value(&self) -> &str {
        &self.value
    }

    /// The value if it is a whole number of 64 bits.
    pub(super) fn whole(&self) -> Option<i64> {
        self.number.as_ref()?.whole()
    }

    /// Whether the JSON text of a value is what the user wrote: the same text, the text of the
    /// string, or the same number in another spelling.
    pub(super) fn is(&self, text: &str) -> bool {
        if text == self.value {
            return true;
        }
        match text.as_bytes().first() {
            Some(b'"') if !text.contains('\\') => text[1..text.len() - 1] == self.value,
            Some(b'"') => serde_json::from_str::<String>(text).is_ok_and(|s| s == self.value),
            Some(b'-' | b'0'..=b'9') => self.number.is_some() && Decimal::of(text) == self.number,
            _ => false,
        }
    }

    /// What is in the bytes of each row of JSON that has the value; other rows may have it, too.
    ///
    /// A character of a key or text may be escaped (`\u0041`), and a number have a point, zeros and
    /// an exponent anywhere.
    pub(super) fn pattern(&self) -> Regex {
        let text: String = self.value.chars().take(MOST).map(escaped).collect();
        let mut values = vec![format!("\"{text}")];
        let mut length = self.value.chars().count();
        if let Some(number) = &self.number {
            let digits = number.digits.chars().take(MOST);
            let digits: Vec<String> = digits.map(String::from).collect();
            // A zero is `0`, `-0.0`, `0e5`.
            let digits = match digits.is_empty() {
                true => "0".to_owned(),
                false => digits.join("[.]?"),
            };
            values.push(format!("{BEFORE}{digits}"));
            length = number.digits.len();
        } else if let Some(b'{' | b'[' | b'"' | b'-' | b't' | b'f' | b'n' | b'N' | b'I') =
            self.value.as_bytes().first()
        {
            // Written out: an object, a constant, a string in its quotes.
            let start: String = self.value.chars().take(MOST).collect();
            values.push(regex::escape(&start));
        }
        let values = values.join("|");
        if length >= FEW {
            return compiled(&values.replace(BEFORE, ""));
        }
        let last = self.field.rsplit('.').next().unwrap_or_default();
        let mut keys: Vec<&str> = vec![&self.field, last];
        keys.dedup();
        let keys: Vec<String> = keys
            .into_iter()
            .map(|key| key.chars().map(escaped).collect())
            .collect();
        compiled(&format!(
            "\"(?:{})\"[ \\t\\r]*:[ \\t\\r]*(?:{values})",
            keys.join("|")
        ))
    }
}

fn compiled(pattern: &str) -> Regex {
    // A pattern that is too large, of a key of thousands of characters: every row is looked at.
    Regex::new(pattern).unwrap_or_else(|_| Regex::new("[{]").expect("a class"))
}

/// A pattern of the ways in which JSON spells a character in a string.
fn escaped(c: char) -> String {
    let mut ways = Vec::new();
    if c >= ' ' && c != '"' && c != '\\' {
        ways.push(regex::escape(&c.to_string()));
    }
    let short = match c {
        '"' | '\\' | '/' => Some(c),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    if let Some(short) = short {
        ways.push(format!("\\\\{}", regex::escape(&short.to_string())));
    }
    let units = c
        .encode_utf16(&mut [0; 2])
        .iter()
        .fold(String::new(), |all, unit| {
            let digits = format!("{unit:04x}");
            let digits = digits.chars().map(|digit| match digit.is_ascii_digit() {
                true => digit.to_string(),
                false => format!("[{digit}{}]", digit.to_ascii_uppercase()),
            });
            all + "\\\\u" + &digits.collect::<String>()
        });
    ways.push(units);
    format!("(?:{})", ways.join("|"))
}

/// A number as JSON has it, exactly: equal for all of its spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without zeros at either end.
    digits: String,
    /// The power of ten of the last digit.
    power: i64,
}

impl Decimal {
    /// None if `text` is no number of JSON.
    fn of(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, part) = match digits.split_once('.') {
            Some((whole, part)) if !part.is_empty() => (whole, part),
            Some(_) => return None,
            None => (digits, ""),
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let leads = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leads || !is_number(whole) || !is_number(part) {
            return None;
        }
        let all = format!("{whole}{part}");
        let digits = all.trim_end_matches('0');
        let power = exponent
            .checked_sub(part.len() as i64)?
            .checked_add((all.len() - digits.len()) as i64)?;
        let digits = digits.trim_start_matches('0');
        Some(match digits.is_empty() {
            true => Self {
                negative: false,
                digits: String::new(),
                power: 0,
            },
            false => Self {
                negative,
                digits: digits.to_owned(),
                power,
            },
        })
    }

    /// The number if it is a whole one of 64 bits.
    fn whole(&self) -> Option<i64> {
        let zeros = usize::try_from(self.power).ok().filter(|n| *n < 20)?;
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0{}{}", self.digits, "0".repeat(zeros))
            .parse()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_equal_in_all_spellings() {
        for (one, other, equal) in [
            ("7", "7.0", true),
            ("7", "70e-1", true),
            ("0.007E3", "7", true),
            ("-0", "0.00", true),
            ("120", "1.2e+2", true),
            ("9007199254740993", "9007199254740992", false),
            ("7", "-7", false),
            ("0.1", "0.10000000000000001", false),
        ] {
            let sought = Sought::new("n", one);
            assert_eq!(sought.is(other), equal, "{one} {other}");
            assert!(
                !equal
                    || sought
                        .pattern()
                        .is_match(format!("{{\"n\": {other}}}").as_bytes())
            );
        }
        for wrong in ["", "-", "01", "1.", ".5", "1e", "0x1", "NaN", "1 ", "+1"] {
            assert_eq!(Decimal::of(wrong), None, "{wrong}");
        }
        assert_eq!(Decimal::of("-12e2").and_then(|n| n.whole()), Some(-1200));
        assert_eq!(Decimal::of("1e30").and_then(|n| n.whole()), None);
        assert_eq!(Decimal::of("1.5").and_then(|n| n.whole()), None);
    }
}
