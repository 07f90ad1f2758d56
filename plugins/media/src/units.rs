//! Sizes and ratios as recipes spell them.

/// The bytes that a size like `10kb` or `1TB` means; units are powers of 1024.
///
/// # Errors
/// When `size` is not a whole number with a unit or without.
pub(crate) fn bytes(param: &str, size: &str) -> Result<f64, String> {
    let text = size.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = text[digits..].trim_start().to_ascii_lowercase();
    let power = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')) {
        None if unit.is_empty() => Some(0),
        Some(prefix) if prefix.len() == 1 => "kmgtpezy".find(prefix).map(|i| i as i32 + 1),
        _ => None,
    };
    match (text[..digits].parse::<f64>(), power) {
        (Ok(number), Some(power)) => Ok(number * 1024f64.powi(power)),
        _ => Err(format!(
            "`{param}` is {size:?}: write a whole number of bytes, or one with KB, MB, GB, TB, PB, EB, ZB or YB, like \"10kb\""
        )),
    }
}

/// A ratio like `9/21`, `9:21` or `1.5`, exact.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Ratio {
    num: f64,
    den: f64,
}

impl Ratio {
    /// # Errors
    /// When `text` is no ratio.
    pub(crate) fn new(param: &str, text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{param}` is {text:?}: write two whole numbers like \"9/21\" or \"9:21\", or a number like \"1.5\""
            )
        };
        let ratio = match text.replace(':', "/").split_once('/') {
            Some((num, den)) => {
                let whole = |text: &str| {
                    text.trim()
                        .parse::<i64>()
                        .ok()
                        .map(|n| n as f64)
                        .filter(|n| n.abs() < 2f64.powi(53))
                };
                Self {
                    num: whole(num).ok_or_else(wrong)?,
                    den: whole(den).filter(|d| *d > 0.0).ok_or_else(wrong)?,
                }
            }
            None => {
                // Decimals are exact, too: 0.1 is 1/10.
                let text = text.trim();
                let places = text
                    .split_once('.')
                    .map_or(0, |(_, decimals)| decimals.len());
                let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
                    && places <= 15
                    && text.len() <= 17;
                let num = is_plain
                    .then(|| text.replacen('.', "", 1).parse::<i64>().ok())
                    .flatten()
                    .ok_or_else(wrong)?;
                Self {
                    num: num as f64,
                    den: 10f64.powi(places as i32),
                }
            }
        };
        if ratio.num.abs() < 2f64.powi(53) {
            Ok(ratio)
        } else {
            Err(wrong())
        }
    }

    /// Compares `value` with the ratio exactly: -1, 0 or 1. The single rounding of `mul_add` does
    /// not change the sign.
    pub(crate) fn compare(self, value: f64) -> f64 {
        let difference = value.mul_add(self.den, -self.num);
        if difference == 0.0 {
            0.0
        } else {
            difference.signum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", 0.0),
            ("10kb", 10240.0),
            (" 3 MiB ", 3145728.0),
            ("1TB", 2f64.powi(40)),
            ("2yb", 2f64.powi(81)),
        ] {
            assert_eq!(bytes("min_size", text), Ok(expected), "{text}");
        }
        for text in [
            "", "kb", "1.5kb", "1b", "1 k", "-1", "1xb", "1kkb", "１kb", "1éb",
        ] {
            assert!(
                bytes("min_size", text).unwrap_err().contains("`min_size`"),
                "{text}"
            );
        }
    }

    #[test]
    fn ratios() {
        let ratio = |text: &str| Ratio::new("min_ratio", text);
        assert_eq!(
            ratio("9/21").unwrap().compare(9.0 / 21.0),
            ratio("9:21").unwrap().compare(9.0 / 21.0)
        );
        assert_eq!(ratio("3/2").unwrap().compare(1.5), 0.0);
        assert_eq!(ratio("1.5").unwrap().compare(1.5), 0.0);
        assert_eq!(ratio(" 2 ").unwrap().compare(1.5), -1.0);
        // The float nearest to 16/9 is below it, that nearest to 0.1 above.
        assert_eq!(ratio("16/9").unwrap().compare(16.0 / 9.0), -1.0);
        assert_eq!(ratio("0.1").unwrap().compare(0.1), 1.0);
        for text in [
            "",
            "1/0",
            "1/-2",
            "a",
            "1/2/3",
            "1e3",
            "1..2",
            "nan",
            "99999999999999999999",
        ] {
            assert!(ratio(text).is_err(), "{text}");
        }
    }
}
