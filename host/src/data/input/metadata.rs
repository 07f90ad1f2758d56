//! Detects JSON files without rows: one object of metadata about the dataset, or a list of words.

use super::describe::describe;
use super::file::{Format, InputFile};
use super::packing::open_unpacked;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

/// Larger files are data.
const MAX_BYTES: u64 = 64 << 20;

/// The field names in a JSON text.
pub(crate) enum Json {
    /// A single object.
    One(Vec<String>),
    /// Several objects, or a list of them: the names in the first.
    Rows(Vec<String>),
    /// A value without objects.
    Other,
}

/// What a JSON file consists of; None if it is too large or not JSON from end to end.
pub(crate) fn json_of(file: &InputFile, zstd_window: u64) -> Option<Json> {
    if file.bytes > MAX_BYTES {
        return None;
    }
    json(BufReader::new(
        open_unpacked(file, file.compression, zstd_window)
            .ok()?
            .take(MAX_BYTES),
    ))
}

/// Reads no more than it needs.
fn json(mut from: impl BufRead) -> Option<Json> {
    let mut first = next_visible(&mut from)?;
    if first == 0xef {
        // A byte order mark.
        from.consume(3);
        first = next_visible(&mut from)?;
    }
    let is_list = first == b'[';
    if is_list {
        from.consume(1);
        if next_visible(&mut from)? == b']' {
            return Some(Json::Rows(Vec::new()));
        }
    }
    let mut values = serde_json::Deserializer::from_reader(from).into_iter::<Found>();
    Some(match values.next()?.ok()? {
        Found::Object(names) if is_list || values.next().is_some() => Json::Rows(names),
        Found::Object(names) => Json::One(names),
        Found::Value => Json::Other,
    })
}

/// Peeks at the next byte that is not a space.
fn next_visible(from: &mut impl BufRead) -> Option<u8> {
    loop {
        let ready = from.fill_buf().ok().filter(|ready| !ready.is_empty())?;
        match ready.iter().position(|byte| !byte.is_ascii_whitespace()) {
            Some(at) => {
                let byte = ready[at];
                from.consume(at);
                return Some(byte);
            }
            None => {
                let all = ready.len();
                from.consume(all);
            }
        }
    }
}

/// The field names of the first rows of `file`, as far as they are cheap to find.
pub(crate) fn fields_of(file: &InputFile, zstd_window: u64) -> Option<HashSet<String>> {
    const LINE: u64 = 4 << 20;
    let first_line = || -> Option<Vec<u8>> {
        let mut from = BufReader::new(
            open_unpacked(file, file.compression, zstd_window)
                .ok()?
                .take(LINE),
        );
        let mut line = Vec::new();
        while line.trim_ascii().is_empty() {
            line.clear();
            if from.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
        }
        Some(line)
    };
    let names: Vec<String> = match file.format {
        Format::Parquet | Format::Arrow => describe(file)
            .ok()?
            .0
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
        Format::Text => vec!["text".to_owned()],
        Format::Warc | Format::Html => ["url", "html", "text"].map(str::to_owned).to_vec(),
        Format::Jsonl => match json(&first_line()?[..])? {
            Json::One(names) | Json::Rows(names) => names,
            Json::Other => return None,
        },
        Format::JsonArray => match json_of(file, zstd_window)? {
            Json::One(names) | Json::Rows(names) => names,
            Json::Other => return None,
        },
        Format::Csv | Format::Tsv => {
            let line = String::from_utf8(first_line()?).ok()?;
            let delimiter = if file.format == Format::Csv {
                ','
            } else {
                '\t'
            };
            line.trim_start_matches('\u{feff}')
                .trim()
                .split(delimiter)
                .map(|name| name.trim_matches('"').to_owned())
                .collect()
        }
    };
    Some(names.into_iter().collect())
}

/// A value reduced to its field names.
enum Found {
    Object(Vec<String>),
    Value,
}

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FoundVisitor)
    }
}

struct FoundVisitor;

impl<'de> Visitor<'de> for FoundVisitor {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            names.push(name);
        }
        Ok(Found::Object(names))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Value)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Value)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Found, E> {
        Ok(Found::Value)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Found, E> {
        Ok(Found::Value)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Value)
    }

    fn visit_str<E>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Value)
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_is_told_from_rows() {
        let shown = |text: &str| match json(text.as_bytes()) {
            Some(Json::One(names)) => format!("one {names:?}"),
            Some(Json::Rows(names)) => format!("rows {names:?}"),
            Some(Json::Other) => "other".to_owned(),
            None => "no JSON".to_owned(),
        };
        for (text, wanted) in [
            (
                "\u{feff}{\"a\": {\"b\": 1}, \"c\": [2]}\n",
                "one [\"a\", \"c\"]",
            ),
            ("{\"a\": 1}\n{\"b\": 1}\n", "rows [\"a\"]"),
            ("{\"a\": 1}\nnonsense", "rows [\"a\"]"),
            ("[{\"a\": 1}, 2]", "rows [\"a\"]"),
            ("[]", "rows []"),
            ("[1, {\"a\": 1}]", "other"),
            ("[[1], {\"a\": 1}]", "other"),
            ("\"text\"", "other"),
            ("{\"a\": ", "no JSON"),
        ] {
            assert_eq!(shown(text), wanted, "{text}");
        }
    }
}
