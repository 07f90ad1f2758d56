//! Numbers and decimals.

use super::*;

/// Writes the shortest text that reads back as the same `f32`.
pub(crate) fn write_f32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        serde_json::to_writer(out, &value).expect("a vector takes everything");
    } else {
        crate::data::json::write_f64(f64::from(value), out);
    }
}

/// Reads a JSON number, or `NaN`, `Infinity` and `-Infinity`. Refuses everything else that Rust's
/// `parse` would accept.
pub(super) fn float<T: std::str::FromStr>(text: &str) -> Result<T, Odd> {
    let is_number = text.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    if is_number || matches!(text, "NaN" | "Infinity" | "-Infinity") {
        text.parse().map_err(|_| Odd)
    } else {
        Err(Odd)
    }
}

/// Writes a decimal. `digits` is the unscaled value: 1.50 with `scale` 2 is `150`.
pub(super) fn write_decimal(digits: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    out.extend_from_slice(sign.as_bytes());
    let scale_digits = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        out.extend_from_slice(digits.as_bytes());
        if digits != "0" {
            out.resize(out.len() + scale_digits, b'0');
        }
        return;
    }
    match digits
        .len()
        .checked_sub(scale_digits)
        .filter(|whole| *whole > 0)
    {
        Some(whole) => {
            out.extend_from_slice(&digits.as_bytes()[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits.as_bytes()[whole..]);
        }
        None => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale_digits - digits.len(), b'0');
            out.extend_from_slice(digits.as_bytes());
        }
    }
}

/// Reads a decimal; returns its unscaled value, the whole number of units of 10^-scale. Fails if the
/// text needs a smaller unit, or more than `precision` digits.
pub(super) fn decimal(text: &str, precision: u8, scale: i8) -> Result<String, Odd> {
    let (sign, number) = text
        .strip_prefix('-')
        .map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return Err(Odd);
    }
    let mut digits = format!("{whole}{fraction}");
    let mut excess = fraction.len() as i64 - i64::from(scale);
    while excess > 0 && digits.ends_with('0') {
        digits.pop();
        excess -= 1;
    }
    if excess > 0 && !digits.is_empty() {
        return Err(Odd);
    }
    digits.extend(std::iter::repeat_n(
        '0',
        usize::try_from(-excess.min(0)).map_err(|_| Odd)?,
    ));
    let digits = digits.trim_start_matches('0');
    match digits {
        "" => Ok("0".to_owned()),
        _ if digits.len() > usize::from(precision) => Err(Odd),
        _ => Ok(format!("{sign}{digits}")),
    }
}
