//! Values with their own notation: sizes in bytes, and counts that may be `auto`.
//!
//! Written by hand: here a bare `k` is 1024, as documented, but `bytesize` 2 and `parse-size` 1
//! take it as 1000. Besides, `parse-size` reads `1.5` as 2 bytes, and `bytesize` rejects `1_000b`.

use serde_json::Value;

use super::invalid_value::InvalidValue;
use super::value::{Bounds, OptionType, at_least};

/// A number of bytes: `1048576`, `256MiB`, `1.5 GB`. `kB`, `MB`, `GB` and `TB` are powers of 1000;
/// `KiB`, `MiB`, `GiB` and `TiB` are powers of 1024.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 13] = [
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

impl OptionType for Size {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        let wrong = || InvalidValue::expected(Self::expected(bounds), value);
        let Value::String(text) = value else {
            return u64::read(value, bounds).map(Self).map_err(|_| wrong());
        };
        let text = text.trim();
        let split = text
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_')
            .unwrap_or(text.len());
        let number: f64 = text[..split]
            .replace('_', "")
            .parse()
            .map_err(|_| wrong())?;
        let unit = text[split..].trim().to_ascii_lowercase();
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(wrong)?;
        let bytes = number * *factor as f64;
        if bytes.fract() != 0.0 && *factor == 1 || bytes >= u64::MAX as f64 {
            return Err(wrong());
        }
        Ok(Self(bytes as u64))
    }

    fn read_text(text: &str, bounds: Bounds) -> Result<Self, InvalidValue> {
        Self::read(&text.into(), bounds)
    }

    fn show(&self) -> Value {
        self.0.into()
    }

    fn expected(_: Bounds) -> String {
        "a number of bytes like `1048576` or `256MiB`".into()
    }
}

/// A count, or `auto` if djhost is to choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// djhost chooses.
    Auto,
    /// Exactly this many.
    Exactly(u64),
}

impl OptionType for Count {
    fn read(value: &Value, bounds: Bounds) -> Result<Self, InvalidValue> {
        match value {
            Value::String(s) if s.eq_ignore_ascii_case("auto") => Ok(Self::Auto),
            // Data-Juicer accepts digits in quotes, too.
            Value::String(s) if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) => s
                .parse::<u64>()
                .map_err(|_| InvalidValue::expected(Self::expected(bounds), value))
                .and_then(|n| u64::read(&n.into(), bounds))
                .map(Self::Exactly),
            other => u64::read(other, bounds)
                .map(Self::Exactly)
                .map_err(|_| InvalidValue::expected(Self::expected(bounds), value)),
        }
    }

    fn show(&self) -> Value {
        match self {
            Self::Auto => "auto".into(),
            Self::Exactly(n) => (*n).into(),
        }
    }

    fn expected(bounds: Bounds) -> String {
        format!(
            "{} or `auto`",
            u64::expected(if bounds.min.is_finite() {
                bounds
            } else {
                at_least(0.0)
            })
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::value::ANY;

    #[test]
    fn sizes_are_read_in_both_families_of_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("256MiB", 256 << 20),
            ("256 mib", 256 << 20),
            ("1.5GB", 1_500_000_000),
            ("2k", 2048),
            ("1_000b", 1000),
        ] {
            assert_eq!(Size::read_text(text, ANY), Ok(Size(bytes)), "{text}");
        }
        for text in [
            "",
            "MiB",
            "1.5",
            "-1",
            "12 parsecs",
            "1e3",
            "99999999999TiB",
        ] {
            let wrong = Size::read_text(text, ANY).unwrap_err();
            assert!(
                wrong.message.starts_with("expected a number of bytes"),
                "{text}: {}",
                wrong.message
            );
        }
        assert_eq!(Size::read(&serde_json::json!(4096), ANY), Ok(Size(4096)));
    }

    #[test]
    fn counts_are_numbers_digits_or_auto() {
        let bounds = at_least(1.0);
        assert_eq!(Count::read_text("auto", bounds), Ok(Count::Auto));
        assert_eq!(Count::read_text("8", bounds), Ok(Count::Exactly(8)));
        assert_eq!(Count::read(&"8".into(), bounds), Ok(Count::Exactly(8)));
        assert!(
            Count::read_text("0", bounds)
                .unwrap_err()
                .message
                .contains("of at least 1 or `auto`, got `0`")
        );
        assert!(Count::read_text("many", bounds).is_err());
    }
}
