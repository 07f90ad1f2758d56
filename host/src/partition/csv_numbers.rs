//! Columns of numbers of a table: as doubles, and where a double is not the number, as it is spelled, so that no digit is lost.

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use arrow::error::ArrowError;
use arrow::json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder};
use std::sync::Arc;

/// Key in the metadata of a field.
const NUMBERS: &str = "djhost:numbers";

/// A column of numbers, held as they are spelled.
pub(super) fn field(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true).with_metadata([(NUMBERS, "")])
}

/// Encoders that write such columns.
pub(super) fn encoders() -> Arc<dyn EncoderFactory> {
    Arc::new(Numbers)
}

#[derive(Debug)]
struct Numbers;

impl EncoderFactory for Numbers {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _options: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let numbers = array.as_string_opt::<i32>().filter(|_| field.metadata().contains_key(NUMBERS));
        Ok(numbers.map(|numbers| NullableEncoder::new(Box::new(Spelled(numbers)), array.nulls().cloned())))
    }
}

struct Spelled<'a>(&'a StringArray);

impl Encoder for Spelled<'_> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(number(self.0.value(row)).as_bytes());
    }
}

/// The JSON number that `text` spells; null for what is none.
fn number(text: &str) -> String {
    let Some(value) = text.parse::<f64>().ok().filter(|value| !value.is_nan()) else { return "null".into() };
    if value.is_finite() {
        let shortest = format!("{value:?}");
        // A double holds any 15 digits.
        if text.len() <= 15 || Decimal::of(&shortest) == Decimal::of(text) {
            return shortest;
        }
    } else if !text.contains(|c: char| c.is_ascii_digit()) {
        return "null".into();
    }
    // JSON has no sign before a positive number, no point without digits around it, and no leading zeros.
    let (sign, text) = match text.as_bytes()[0] {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (digits, exponent) = text.split_at(text.find(['e', 'E']).unwrap_or(text.len()));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    format!("{sign}{whole}{fraction}{exponent}")
}

/// What a spelling stands for: sign, digits without zeros around them, and where the point is.
#[derive(Debug, PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// None for what is no number, or has an exponent beyond reason.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = (mantissa.starts_with('-'), mantissa.trim_start_matches(['-', '+']));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = [whole, fraction].concat();
        let digits = digits.trim_start_matches('0');
        let trimmed = digits.trim_end_matches('0');
        let exponent = i64::from(exponent) - fraction.len() as i64 + (digits.len() - trimmed.len()) as i64;
        Some(Self { negative, digits: trimmed.to_owned(), exponent: if trimmed.is_empty() { 0 } else { exponent } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost() {
        for (text, json) in [
            ("2", "2.0"),
            ("0.5", "0.5"),
            ("+1.50", "1.5"),
            (".5", "0.5"),
            ("-0", "-0.0"),
            ("1e3", "1000.0"),
            ("4873214862074861313", "4873214862074861313"),
            ("9007199254740992", "9007199254740992.0"),
            ("+00012345678901234567.89", "12345678901234567.89"),
            ("-.12345678901234567891e5", "-0.12345678901234567891e5"),
            ("1e400", "1e400"),
            ("nan", "null"),
            ("inf", "null"),
        ] {
            assert_eq!(number(text), json, "{text}");
        }
    }
}
