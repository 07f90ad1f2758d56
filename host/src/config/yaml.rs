//! YAML with the line of every value. `serde_yaml` determines what the text means. A second pass
//! over the parser's events finds the lines, and the mistakes that `serde_yaml` would report one at
//! a time or not at all.
//!
//! There are two parsers because one that does both says less. `serde-saphyr` 2.2 gives the same
//! values for 114 recipes of Data-Juicer and ours, but for a bracket that is not closed it only
//! says where it opens, not what was expected where; it silently rounds whole numbers beyond 64
//! bits; and 40,000 lines take 0.34 s instead of 0.12 s.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};
use serde_yaml::Value as Yaml;

use super::invalid_value::InvalidValue;
use crate::error::UserError;

/// A recipe is a few kilobytes. A larger file is a dataset given by mistake and not worth reading.
const MAX_BYTES: u64 = 1 << 20;

/// `serde_yaml` refuses deeper nesting, so there are no deeper lines to find.
const MAX_DEPTH: usize = 128;

/// A YAML file: a mapping with text keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    /// Name of the file in errors; empty for a recipe that a program gives as data.
    pub name: String,
    /// The content of the file.
    pub root: Map<String, Value>,
    /// Mistakes in single values, which are missing in `root`. The rest of the file is good.
    pub(crate) problems: Vec<UserError>,
    lines: HashMap<String, usize>,
}

impl Document {
    /// A recipe given as data: its places are paths in it.
    pub(crate) fn of_data(root: Map<String, Value>) -> Self {
        Self {
            root,
            ..Self::default()
        }
    }

    /// Reads and parses a file. The error has all mistakes that can be found.
    pub(crate) fn read(path: &Path) -> Result<Self, Vec<UserError>> {
        let name = path.display().to_string();
        let fail = |message: String| vec![UserError::new(&name, message)];
        if path.is_dir() {
            return Err(vec![
                UserError::new(&name, "is a directory").hint("give the recipe's file"),
            ]);
        }
        let file = std::fs::File::open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                vec![UserError::new(&name, "no such file").hint("give the path of a recipe (YAML)")]
            }
            _ => fail(format!("cannot be read: {e}")),
        })?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| fail(format!("cannot be read: {e}")))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(vec![
                UserError::new(&name, "is larger than 1 MiB, so it cannot be a recipe")
                    .hint("give the recipe first, not the dataset"),
            ]);
        }
        let text = String::from_utf8(bytes).map_err(|e| {
            let good = e.utf8_error().valid_up_to();
            let line = 1 + e.as_bytes()[..good].iter().filter(|b| **b == b'\n').count();
            vec![
                UserError::new(format!("{name}:{line}"), "is not UTF-8 text")
                    .hint("save the recipe as UTF-8"),
            ]
        })?;
        Self::parse(&name, &text)
    }

    /// Parses `text`; errors call it `name`.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Vec<UserError>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if unclosed(text) > MAX_UNCLOSED {
            return Err(vec![UserError::new(
                name,
                format!("has more than {MAX_UNCLOSED} brackets that are open at once"),
            )]);
        }
        let (lines, mut errors) = scan(name, text);
        let yaml: Result<Yaml, _> = serde_yaml::from_str(text);
        let mut yaml = match yaml {
            Ok(yaml) => yaml,
            Err(_) if !errors.is_empty() => return Err(errors),
            Err(error) => return Err(vec![syntax_error(name, text, &error)]),
        };
        if let Err(error) = yaml.apply_merge() {
            errors.push(UserError::new(name, format!("merge key `<<`: {error}")));
        }
        let mut document = Self {
            name: name.to_owned(),
            lines,
            ..Self::default()
        };
        match yaml {
            Yaml::Null => errors.push(
                UserError::new(name, "is empty")
                    .hint("a recipe has at least `dataset_path` and `process`"),
            ),
            Yaml::Mapping(_) => {
                let mut problems = Vec::new();
                if let Value::Object(root) = document.convert(&yaml, "", &mut problems) {
                    document.root = root;
                }
                document.problems = problems;
            }
            other => {
                let is = match other {
                    Yaml::Sequence(_) => "a list",
                    _ => "a single value",
                };
                errors.push(
                    UserError::new(name, format!("is {is}, not a mapping of options"))
                        .hint("a recipe looks like `dataset_path: data.jsonl` and `process:` with a list below it"),
                );
            }
        }
        if errors.is_empty() {
            Ok(document)
        } else {
            Err(errors)
        }
    }

    /// Returns the line of the value at a path such as `process[3].text_length_filter.min_len`, or
    /// of the nearest value around it.
    pub(crate) fn line(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Returns a place for errors: `recipe.yaml:12: process[3].text_length_filter.min_len`.
    pub(crate) fn place(&self, path: &str) -> String {
        if self.name.is_empty() {
            return path.to_owned();
        }
        match self.line(path) {
            Some(line) => format!("{}:{line}: {path}", self.name),
            None => format!("{}: {path}", self.name),
        }
    }

    fn convert(&self, yaml: &Yaml, path: &str, errors: &mut Vec<UserError>) -> Value {
        match yaml {
            Yaml::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(i, v)| self.convert(v, &format!("{path}[{i}]"), errors))
                .collect(),
            Yaml::Mapping(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let Some(key) = key_text(key) else {
                        errors.push(UserError::new(
                            self.place(path),
                            "a key of a mapping must be a text",
                        ));
                        continue;
                    };
                    let mistakes = errors.len();
                    let converted = self.convert(value, &join(path, &key), errors);
                    // An invalid value is reported once and then left out.
                    if errors.len() == mistakes || !converted.is_null() {
                        map.insert(key, converted);
                    }
                }
                Value::Object(map)
            }
            scalar => scalar_value(scalar).unwrap_or_else(|wrong| {
                let error = UserError::new(self.place(path), wrong.message);
                errors.push(match wrong.hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
                Value::Null
            }),
        }
    }
}

/// Returns the path of `key` in the mapping at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn key_text(key: &Yaml) -> Option<String> {
    match key {
        Yaml::String(s) => Some(s.clone()),
        Yaml::Number(n) => Some(n.to_string()),
        Yaml::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

fn scalar_value(yaml: &Yaml) -> Result<Value, InvalidValue> {
    Ok(match yaml {
        Yaml::Bool(b) => (*b).into(),
        Yaml::String(s) => s.as_str().into(),
        Yaml::Number(n) => match (n.as_i64(), n.as_u64(), n.as_f64()) {
            (Some(n), ..) => n.into(),
            (_, Some(n), _) => n.into(),
            (.., Some(n)) if n.is_finite() => n.into(),
            _ => {
                return Err(InvalidValue::new("a number must be finite")
                    .hint("leave the parameter out where there is no limit"));
            }
        },
        Yaml::Tagged(tagged) => {
            return Err(InvalidValue::new(format!(
                "the YAML tag `{}` is not supported",
                tagged.tag
            ))
            .hint("write a plain value"));
        }
        _ => Value::Null,
    })
}

/// Parses a value from the command line. It is YAML, so `5`, `true`, `null` and `[a, b]` mean the
/// same as in a recipe.
pub(crate) fn value_of_text(text: &str) -> Result<Value, InvalidValue> {
    if let Some(wrong) = beyond_64_bits(text) {
        return Err(wrong);
    }
    let syntax = |_| {
        InvalidValue::new(format!("`{text}` is not valid YAML"))
            .hint("put text with special characters in quotes")
    };
    let yaml: Yaml = serde_yaml::from_str(text).map_err(syntax)?;
    let mut errors = Vec::new();
    let value = Document::default().convert(&yaml, "", &mut errors);
    match errors.pop() {
        Some(error) => Err(InvalidValue {
            message: error.message,
            hint: error.hint,
        }),
        None => Ok(value),
    }
}

/// What is wrong with a whole number that `serde_yaml` does not take or makes a double of.
fn beyond_64_bits(text: &str) -> Option<InvalidValue> {
    let number = text.trim();
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let is_whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let fits = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
    (is_whole && !fits).then(|| {
        InvalidValue::new(format!("`{number}` does not fit into 64 bits")).hint(format!(
            "whole numbers go from {} to {}; write a number beyond them with a point or an exponent \
             (`1.0e20`), which is a double, and text in quotes",
            i64::MIN,
            u64::MAX
        ))
    })
}

/// A mapping or list that the scan has entered.
struct Open {
    path: String,
    /// Number of items so far; None for a mapping.
    items: Option<usize>,
    /// The key whose value comes next, in a mapping.
    key: Option<String>,
    keys: HashMap<String, usize>,
}

impl Open {
    /// Returns the list or mapping at `path` that `event` begins, if it begins one.
    fn by(event: &Event<'_>, path: String) -> Option<Self> {
        let items = match event {
            Event::SequenceStart(..) => Some(0),
            Event::MappingStart(..) => None,
            _ => return None,
        };
        Some(Self {
            path,
            items,
            key: None,
            keys: HashMap::new(),
        })
    }
}

/// Returns the line of every value, and all duplicate keys. If the text does not parse, returns
/// what was found up to the mistake.
fn scan(name: &str, text: &str) -> (HashMap<String, usize>, Vec<UserError>) {
    let mut lines = HashMap::new();
    let mut errors = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let Ok((event, span)) = event else { break };
        if open.len() > MAX_DEPTH {
            break;
        }
        let line = span.start.line();
        let key = match &event {
            Event::Scalar(text, ..) => text.to_string(),
            Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..) => String::new(),
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
                continue;
            }
            _ => continue,
        };
        let path = match open.last_mut() {
            None => String::new(),
            Some(Open {
                path,
                items: Some(items),
                ..
            }) => {
                *items += 1;
                format!("{path}[{}]", *items - 1)
            }
            Some(mapping) => match mapping.key.take() {
                Some(key) => join(&mapping.path, &key),
                None => {
                    let path = join(&mapping.path, &key);
                    if let Some(first) = mapping.keys.insert(key.clone(), line)
                        && matches!(event, Event::Scalar(..))
                        && key != "<<"
                    {
                        let place = format!("{name}:{line}: {path}");
                        errors.push(
                            UserError::new(
                                place,
                                format!("the key is given twice, first in line {first}"),
                            )
                            .hint("remove one of them"),
                        );
                    }
                    lines.insert(path.clone(), line);
                    mapping.key = Some(key);
                    // A key that is a list or a mapping is refused later. Here it is only skipped.
                    open.extend(Open::by(&event, path));
                    continue;
                }
            },
        };
        lines.entry(path.clone()).or_insert(line);
        if let Event::Scalar(text, ScalarStyle::Plain, _, None) = &event
            && let Some(wrong) = beyond_64_bits(text)
        {
            let place = format!("{name}:{line}: {path}");
            let error = UserError::new(place, wrong.message);
            errors.push(match wrong.hint {
                Some(hint) => error.hint(hint),
                None => error,
            });
        }
        open.extend(Open::by(&event, path));
    }
    (lines, errors)
}

/// Brackets that may be open at once, those in texts included. The parser's time grows with the
/// square of this number: 100,000 took 20 s.
const MAX_UNCLOSED: i64 = 1000;

fn unclosed(text: &str) -> i64 {
    let mut open = 0;
    let depths = text.bytes().map(|b| {
        open += i64::from(matches!(b, b'[' | b'{')) - i64::from(matches!(b, b']' | b'}'));
        open
    });
    depths.max().unwrap_or(0)
}

fn syntax_error(name: &str, text: &str, error: &serde_yaml::Error) -> UserError {
    let place = match error.location() {
        Some(at) => format!("{name}:{}:{}", at.line(), at.column()),
        None => name.to_owned(),
    };
    let mut message = error.to_string();
    if let Some(at) = error.location() {
        message = message.replace(
            &format!(" at line {} column {}", at.line(), at.column()),
            "",
        );
    }
    let error = UserError::new(place, format!("is not valid YAML: {message}"));
    let indent = |line: &str| {
        line.chars()
            .take_while(|c| c.is_whitespace())
            .any(|c| c == '\t')
    };
    if message.contains("more than one document") {
        return UserError::new(name, "has more than one YAML document")
            .hint("a recipe is one document: remove the `---` lines");
    }
    if message.contains("repetition limit") {
        return UserError::new(name, "its aliases unfold to too much").hint("write the values out");
    }
    match text.lines().position(indent) {
        Some(i) => error.hint(format!(
            "YAML is indented with spaces; line {} has a tab",
            i + 1
        )),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_line() {
        let text = "np: 2\nprocess:\n  - a_filter:\n      min: 1\n  - b_mapper:\n  - c_filter: {x: 1,\n      y: [1,\n        2]}\n";
        let document = Document::parse("r.yaml", text).unwrap();
        for (path, line) in [
            ("np", 1),
            ("process", 2),
            ("process[0].a_filter", 3),
            ("process[0].a_filter.min", 4),
            ("process[0].a_filter.max", 3),
            ("process[1].b_mapper", 5),
            ("process[2].c_filter.x", 6),
            ("process[2].c_filter.y", 7),
            ("process[2].c_filter.y[1]", 8),
        ] {
            assert_eq!(document.line(path), Some(line), "{path}");
        }
        assert_eq!(document.line("nowhere"), None);
    }

    #[test]
    fn anchors_and_merge_keys_work() {
        let text = "base: &b\n  x: 1\n  y: 2\nprocess:\n  - a_filter:\n      <<: *b\n      y: 3\n  - b_filter: *b\n";
        let document = Document::parse("r.yaml", text).unwrap();
        assert_eq!(
            document.root["process"],
            serde_json::json!([{"a_filter": {"y": 3, "x": 1}}, {"b_filter": {"x": 1, "y": 2}}])
        );
    }

    #[test]
    fn numbers_keep_their_value() {
        let document = Document::parse(
            "r",
            "a: 9223372036854775807\nb: 18446744073709551615\nc: 1e9\nd: 0.1\ne: -3\nf: '7'\n",
        )
        .unwrap();
        assert_eq!(
            Value::Object(document.root),
            serde_json::json!({"a": i64::MAX, "b": u64::MAX, "c": 1e9, "d": 0.1, "e": -3, "f": "7"})
        );
    }

    #[test]
    fn whole_numbers_beyond_64_bits_are_named() {
        for number in [
            "18446744073709551616",
            "-9223372036854775809",
            "1234567890123456789012345678901234567890123",
        ] {
            let text = format!("process:\n  - a_filter:\n      max: {number}\n");
            let error = Document::parse("r.yaml", &text).unwrap_err()[0].to_string();
            let wrong = format!("r.yaml:3: process[0].a_filter.max: `{number}` does not fit");
            assert!(error.starts_with(&wrong), "{error}");
            let range = "whole numbers go from -9223372036854775808 to 18446744073709551615";
            assert!(error.contains(range), "{error}");
            let error = value_of_text(number).unwrap_err();
            assert!(error.message.contains(number) && error.hint.unwrap().contains(range));
        }
        // A text, a double.
        let text = "a: '18446744073709551616'\nb: 18446744073709551616.0\nc: 2e30\n";
        assert!(Document::parse("r.yaml", text).is_ok());
    }
}
