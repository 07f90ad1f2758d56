//! The types of the columns of tables: each has one for all files of the dataset, as the rows of all
//! of them go into one export.

use super::csv_quarantine::Sieve;
use anyhow::{Context, Result};
use csv::{ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// What the columns of one table or of several have, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnTypes(BTreeMap<String, Seen>);

impl ColumnTypes {
    /// Reads a whole table.
    pub(crate) fn of_table<R: Read>(
        open: impl Fn() -> Result<R>,
        delimiter: u8,
        path: &Path,
    ) -> Result<Self> {
        let context = || format!("`{}` is not a valid table", path.display());
        let mut rows = ReaderBuilder::new()
            .delimiter(delimiter)
            .from_reader(Sieve::new(open()?, delimiter)?);
        let names = rows.headers().with_context(context)?.clone();
        let mut columns = vec![Seen::default(); names.len()];
        let mut record = StringRecord::new();
        while rows.read_record(&mut record).with_context(context)? {
            columns
                .iter_mut()
                .zip(&record)
                .for_each(|(column, value)| column.add(value));
        }
        Ok(Self(names.iter().map(str::to_owned).zip(columns).collect()))
    }

    /// Takes in what another table has.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (name, seen) in &other.0 {
            self.0.entry(name.clone()).or_default().merge(*seen);
        }
    }

    /// The columns of `table` as they are here, where all tables are known.
    pub(crate) fn for_table(&self, table: &Self) -> Self {
        let names = table.0.keys();
        Self(
            names
                .filter_map(|name| Some((name.clone(), *self.0.get(name)?)))
                .collect(),
        )
    }

    /// The type of a column; text if it is not there.
    pub(crate) fn ty(&self, name: &str) -> Type {
        self.0.get(name).map_or(Type::Text, |seen| seen.ty())
    }
}

/// What values a column has had so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    booleans: bool,
    whole: bool,
    fractions: bool,
    /// NaN and infinities: numbers beside numbers, words beside words.
    constants: bool,
    words: bool,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Boolean,
    Whole,
    Number,
    Text,
}

impl Seen {
    fn add(&mut self, value: &str) {
        if value.is_empty() || self.words {
            return;
        }
        if is_whole(value) {
            self.whole = true;
        } else if is_fraction(value) {
            self.fractions = true;
        } else if constant(value).is_some() {
            self.constants = true;
        } else if boolean(value).is_some() {
            self.booleans = true;
        } else {
            self.words = true;
        }
    }

    fn merge(&mut self, other: Self) {
        self.booleans |= other.booleans;
        self.whole |= other.whole;
        self.fractions |= other.fractions;
        self.constants |= other.constants;
        self.words |= other.words;
    }

    fn ty(self) -> Type {
        let numbers = self.whole || self.fractions;
        match self {
            Self { words: true, .. } => Type::Text,
            Self {
                booleans: true,
                constants: false,
                ..
            } if !numbers => Type::Boolean,
            Self { booleans: true, .. } => Type::Text,
            Self {
                fractions: false,
                constants: false,
                ..
            } if numbers => Type::Whole,
            _ if numbers => Type::Number,
            _ => Type::Text,
        }
    }
}

/// Without its sign.
pub(crate) fn unsigned(value: &str) -> &str {
    value.strip_prefix(['-', '+']).unwrap_or(value)
}

/// Digits, with a sign or none.
pub(crate) fn is_whole(value: &str) -> bool {
    let digits = unsigned(value);
    !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Digits with a point, an exponent or both.
pub(crate) fn is_fraction(value: &str) -> bool {
    let digits = unsigned(value);
    let (mantissa, exponent) = digits.find(['e', 'E']).map_or((digits, None), |at| {
        (&digits[..at], Some(&digits[at + 1..]))
    });
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    are_digits(whole)
        && are_digits(rest)
        && !(whole.is_empty() && rest.is_empty())
        && exponent.is_none_or(is_whole)
}

/// What JSON has no number for, as Python spells it. Case does not matter, as in pandas and DuckDB.
pub(crate) fn constant(value: &str) -> Option<&'static str> {
    let negative = value.starts_with('-');
    match unsigned(value).to_ascii_lowercase().as_str() {
        "nan" if !negative => Some("NaN"),
        "inf" | "infinity" => Some(if negative { "-Infinity" } else { "Infinity" }),
        _ => None,
    }
}

/// Truth values in any case.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Some(true),
        _ if value.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
