//! Numbers of any size, compared digit by digit.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A number as it is spelled: as JSON spells it, with Python's `NaN`, `Infinity` and `-Infinity`.
///
/// It is never a double, so whole numbers beyond 2^53, decimals of any length and `1e400` are what
/// their digits say: 1 and 1.00 are equal, 0.1 and 0.10000000000000000001 are not. (Exponents
/// beyond 38 digits are all the same.)
///
/// ```
/// use djhost_sdk::json::Number;
/// use std::cmp::Ordering;
///
/// let number = |text| Number::parse(text).unwrap();
/// assert_eq!(number("9007199254740993").compare(&number("9007199254740992.0")), Some(Ordering::Greater));
/// assert_eq!(number("1e400").compare(&number("Infinity")), Some(Ordering::Less));
/// assert_eq!(number("NaN").compare(&number("NaN")), None);
/// ```
#[derive(Debug, Clone)]
pub struct Number<'a>(Cow<'a, str>);

impl<'a> Number<'a> {
    /// The number that `text` spells, in JSON or as `str::parse::<f64>` takes it (`+1`, `.5`,
    /// `inf`); None for anything else.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        parts(&text).is_some().then_some(Self(text))
    }

    /// The same number, borrowed.
    pub(super) fn borrowed(&self) -> Number<'_> {
        Number(Cow::Borrowed(&self.0))
    }

    /// How it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest double.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// Whether it is spelled as a whole number: `1`, not `1.0` or `1e0`. Python calls it an `int`.
    pub fn is_whole(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    }

    /// Whether it is 0, also `-0` and `0e5`.
    pub fn is_zero(&self) -> bool {
        matches!(self.parts(), Parts::Finite(decimal) if decimal.is_zero())
    }

    /// Whether it is not a number.
    pub fn is_nan(&self) -> bool {
        self.parts() == Parts::Nan
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negated(&self) -> Number<'static> {
        Number(Cow::Owned(match self.0.strip_prefix('-') {
            Some(rest) => rest.to_owned(),
            None => format!("-{}", self.0.trim_start_matches('+')),
        }))
    }

    /// By size; None if one of them is not a number.
    pub fn compare(&self, other: &Number<'_>) -> Option<Ordering> {
        Some(match (self.parts(), other.parts()) {
            (Parts::Nan, _) | (_, Parts::Nan) => return None,
            (Parts::Finite(a), Parts::Finite(b)) => a.compare(&b),
            (a, b) => a.end().cmp(&b.end()),
        })
    }

    /// Appends the one spelling that all equal numbers have; -0 is 0, and NaN is NaN.
    pub fn write_key(&self, out: &mut String) {
        match self.parts() {
            Parts::Nan => out.push_str("NaN"),
            Parts::Infinite { negative } => {
                out.push_str(if negative { "-Infinity" } else { "Infinity" })
            }
            Parts::Finite(decimal) if decimal.is_zero() => out.push_str("0e0"),
            Parts::Finite(decimal) => {
                if decimal.negative {
                    out.push('-');
                }
                out.push_str(decimal.whole);
                out.push_str(decimal.fraction);
                out.push('e');
                out.push_str(&decimal.magnitude.to_string());
            }
        }
    }

    fn parts(&self) -> Parts<'_> {
        parts(&self.0).unwrap_or(Parts::Nan)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Parts<'a> {
    Nan,
    Infinite { negative: bool },
    Finite(Decimal<'a>),
}

impl Parts<'_> {
    /// On which side of all finite numbers it is.
    fn end(&self) -> i8 {
        match self {
            Parts::Infinite { negative: true } => -1,
            Parts::Infinite { negative: false } => 1,
            _ => 0,
        }
    }
}

/// `0.WF · 10^magnitude`, where `W` and `F` are the digits. The first digit and the last one are no
/// zeros; zero has no digits.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    magnitude: i128,
}

impl Decimal<'_> {
    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.is_zero(), decimal.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_size = || {
            let digits = |decimal: &Self| (decimal.whole.len(), decimal.fraction.len());
            self.magnitude.cmp(&other.magnitude).then_with(|| {
                if digits(self) == digits(other) {
                    (self.whole, self.fraction).cmp(&(other.whole, other.fraction))
                } else {
                    let bytes = self.whole.bytes().chain(self.fraction.bytes());
                    bytes.cmp(other.whole.bytes().chain(other.fraction.bytes()))
                }
            })
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            1 => by_size(),
            -1 => by_size().reverse(),
            _ => Ordering::Equal,
        })
    }
}

fn parts(text: &str) -> Option<Parts<'_>> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest.eq_ignore_ascii_case("nan") {
        return Some(Parts::Nan);
    }
    if rest.eq_ignore_ascii_case("inf") || rest.eq_ignore_ascii_case("infinity") {
        return Some(Parts::Infinite { negative });
    }
    let (digits, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], exponent(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let mut whole = whole.trim_start_matches('0');
    let mut magnitude = exponent + whole.len() as i128;
    let mut fraction = fraction.trim_end_matches('0');
    if whole.is_empty() {
        let zeros = fraction.len();
        fraction = fraction.trim_start_matches('0');
        magnitude -= (zeros - fraction.len()) as i128;
    }
    if fraction.is_empty() {
        whole = whole.trim_end_matches('0');
    }
    Some(Parts::Finite(Decimal {
        negative,
        whole,
        fraction,
        magnitude,
    }))
}

/// Far from the ends of the type, where the number of digits is added.
const FARTHEST: i128 = i128::MAX / 2;

fn exponent(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(FARTHEST).min(FARTHEST);
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn key(text: &str) -> String {
        let mut key = String::new();
        number(text).write_key(&mut key);
        key
    }

    #[test]
    fn each_is_less_than_the_next() {
        let rising = [
            "-Infinity",
            "-1e401",
            "-1e400",
            "-123456789012345678901234567891",
            "-123456789012345678901234567890",
            "-10",
            "-9.99",
            "-1.0000000000000000000001",
            "-1",
            "-0.1",
            "-1e-400",
            "0",
            "1e-401",
            "1e-400",
            "0.09999999999999999999",
            "0.1",
            "0.10000000000000000001",
            "0.1234567890123456789012",
            "0.1234567890123456789013",
            "1",
            "1.5",
            "9",
            "10",
            "9007199254740992",
            "9007199254740992.50",
            "9007199254740993",
            "123456789012345678.11",
            "123456789012345678.12",
            "18446744073709551615",
            "1e30",
            "1000000000000000000000000000001",
            "1e300",
            "1e400",
            "1.5e400",
            "1e99999999999999999999",
            "1e100000000000000000000",
            "Infinity",
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(number(a).compare(&number(b)), Some(i.cmp(&j)), "{a} {b}");
                assert_eq!(key(a) == key(b), i == j, "{a} {b}");
                assert_eq!(
                    number(a).negated().compare(&number(b).negated()),
                    Some(j.cmp(&i)),
                    "-{a} -{b}"
                );
            }
        }
    }

    #[test]
    fn spellings_of_one_number() {
        for same in [
            vec!["0", "-0", "0.0", "-0.000", "0e5", "0.0e-7", "00"],
            vec![
                "1", "1.0", "1e0", "10e-1", "0.1e1", "0.001E+3", "+1", "1.", "01",
            ],
            vec!["-120", "-1.2e2", "-12e1", "-0.12e3", "-120.000"],
            vec!["0.05", "5e-2", ".05", "0.0500", "0.005e1"],
            vec!["Infinity", "inf", "+INF"],
            vec!["100000000000000000000", "1e20", "0.1e21", "1000e17"],
        ] {
            for (a, b) in same.iter().flat_map(|a| same.iter().map(move |b| (a, b))) {
                assert_eq!(
                    number(a).compare(&number(b)),
                    Some(Ordering::Equal),
                    "{a} {b}"
                );
                assert_eq!(key(a), key(b), "{a} {b}");
            }
        }
        assert!(
            number("-0e9").is_zero() && !number("1e-999").is_zero() && !number("NaN").is_zero()
        );
        assert!(number("-12").is_whole() && !number("1e0").is_whole() && !number("NaN").is_whole());
        assert!(number("nan").is_nan() && key("-nan") == "NaN");
        assert_eq!(number("NaN").compare(&number("1")), None);
    }

    #[test]
    fn the_order_is_that_of_doubles_where_these_are_exact() {
        let doubles = [
            0.0, 1.0, -1.0, 0.5, 1e-3, 123.25, 1e15, -7e9, 2.5e-7, 999.999,
        ];
        for (a, b) in doubles
            .iter()
            .flat_map(|a| doubles.iter().map(move |b| (a, b)))
        {
            for (a_text, b_text) in [
                (a.to_string(), b.to_string()),
                (format!("{a:e}"), format!("{b:?}")),
            ] {
                assert_eq!(
                    number(&a_text).compare(&number(&b_text)),
                    a.partial_cmp(b),
                    "{a_text} {b_text}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "1_0", " 1", "1 ", "--1",
            "infin", "1e5.0", "٣",
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
            assert!(text.parse::<f64>().is_err(), "{text}");
        }
    }

    #[test]
    fn long_numbers_take_no_time() {
        let long = format!("{}1", "0.".to_owned() + &"0".repeat(1 << 20));
        assert_eq!(number(&long).compare(&number("0")), Some(Ordering::Greater));
        assert_eq!(number(&long).compare(&number(&long)), Some(Ordering::Equal));
    }
}
