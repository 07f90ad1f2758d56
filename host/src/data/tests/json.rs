//! The scanner, its judge and the splicer, compared with serde_json.

use crate::data::json::edit::set_path;
use crate::data::json::lenient::check;
use crate::data::json::paths::Paths;
use crate::data::json::scan::{Found, Scanner};
use crate::data::json::*;
use proptest::prelude::*;
use serde_json::Value;

/// Strings with every character that needs care.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,5}",
        "\\PC{0,40}",
        proptest::collection::vec(
            prop_oneof![
                Just('"'),
                Just('\\'),
                Just('\n'),
                Just('\u{0}'),
                Just('é'),
                Just('汉'),
                Just('😀'),
                any::<char>()
            ],
            0..40
        )
        .prop_map(String::from_iter),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("text".to_owned()),
        Just("meta".to_owned()),
        Just("lang".to_owned()),
        Just("meta.lang".to_owned()),
        text()
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object as text: spaced, pretty or fully escaped, with random repeated keys.
fn row() -> impl Strategy<Value = String> {
    (proptest::collection::vec((key(), value()), 0..6), 0..3u8).prop_map(|(members, style)| {
        let members: Vec<String> = members
            .iter()
            .map(|(k, v)| {
                let v = if style == 1 {
                    serde_json::to_string_pretty(v).unwrap()
                } else {
                    v.to_string()
                };
                let all = v
                    .replace("\\n", "\\u000a")
                    .replace('é', "\\u00E9")
                    .replace('😀', "\\ud83d\\ude00");
                format!(
                    "{}{}{}",
                    Value::from(k.as_str()),
                    if style == 0 { ":" } else { " : " },
                    if style == 2 { all } else { v }
                )
            })
            .collect();
        format!(
            "{{{}}}",
            members.join(if style == 0 { "," } else { " ,\t" })
        )
    })
}

const PATHS: [(&str, bool); 4] = [
    ("text", true),
    ("meta.lang", true),
    ("meta", false),
    ("meta.meta.lang", true),
];

type Slots = Vec<Option<Found>>;

fn scan(row: &[u8]) -> (Result<(), Odd>, Slots, Vec<u8>) {
    let paths = Paths::new(PATHS);
    let (mut slots, mut side) = (vec![None; paths.slots()], Vec::new());
    // What follows the row in the buffer must not matter.
    let buffer = [row, b"\n\"text\":\"\\"].concat();
    let result = Scanner::new(&buffer, 0, row.len(), &paths).scan(&mut slots, &mut side);
    (result, slots, side)
}

fn judge(row: &[u8]) -> (Result<(), String>, Slots, Vec<u8>) {
    let paths = Paths::new(PATHS);
    let (mut slots, mut side) = (vec![None; paths.slots()], Vec::new());
    let result = check(row, &paths, &mut slots, &mut side);
    (result, slots, side)
}

/// The string in a slot.
fn string(row: &[u8], found: &Found, side: &[u8]) -> Option<String> {
    let text = &row[found.start as usize..][..found.len as usize];
    if text[0] != b'"' {
        return None;
    }
    let bytes = match found.side {
        Some((from, len)) => &side[from as usize..][..len as usize],
        None => &text[1..text.len() - 1],
    };
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

/// The value at `path` by serde_json; a literal key with dots takes precedence.
fn lookup<'v>(root: &'v Value, path: &str) -> Option<&'v Value> {
    root.get(path).or_else(|| {
        path.split('.')
            .try_fold(root, |at, part| at.as_object()?.get(part))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_are_found_as_serde_json_finds_them(row in row()) {
        let parsed: Value = serde_json::from_str(&row).unwrap();
        let paths = Paths::new(PATHS);
        for (result, slots, side) in [scan(row.as_bytes()).map_first(|r| r.is_ok()), judge(row.as_bytes()).map_first(|r| r.is_ok())] {
            // The scanner leaves escaped keys to the judge.
            if !result {
                prop_assert!(row.contains('\\'), "gave up on {row}");
                continue;
            }
            for (i, (path, decode)) in PATHS.iter().enumerate() {
                let found = paths.effective(i, &slots);
                let expected = lookup(&parsed, path);
                prop_assert_eq!(found.is_some(), expected.is_some(), "{} in {}", path, row);
                let (Some(found), Some(expected)) = (found, expected) else { continue };
                let text = &row[found.start as usize..][..found.len as usize];
                prop_assert_eq!(&serde_json::from_str::<Value>(text).unwrap(), expected);
                if let (true, Value::String(expected)) = (*decode, expected) {
                    prop_assert_eq!(string(row.as_bytes(), found, &side), Some(expected.clone()));
                }
            }
        }
        prop_assert!(judge(row.as_bytes()).0.is_ok());
    }

    #[test]
    fn the_scanner_takes_nothing_that_serde_json_refuses(row in row(), edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..4)) {
        let mut bytes = row.into_bytes();
        for (at, byte, kind) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = b"\"\\{}[],:0-.eEun \t\x01"[usize::from(byte) % 18],
                1 => { bytes.remove(at); if bytes.is_empty() { bytes.push(b'{') } }
                _ => bytes.insert(at, b"\"\\{}[],:0-.eEun \t\x01"[usize::from(byte) % 18]),
            }
        }
        if std::str::from_utf8(&bytes).is_ok() {
            let valid = serde_json::from_slice::<std::collections::HashMap<String, serde::de::IgnoredAny>>(&bytes).is_ok();
            let (scanned, scan_slots, scan_side) = scan(&bytes);
            let (judged, judge_slots, judge_side) = judge(&bytes);
            if scanned.is_ok() {
                prop_assert!(valid && judged.is_ok(), "{}", String::from_utf8_lossy(&bytes));
                for (a, b) in scan_slots.iter().zip(&judge_slots) {
                    prop_assert_eq!(a.map(|f| (f.start, f.len)), b.map(|f| (f.start, f.len)));
                    if let (Some(a), Some(b)) = (a, b) {
                        prop_assert_eq!(string(&bytes, a, &scan_side), string(&bytes, b, &judge_side));
                    }
                }
            }
            // The judge refuses a lone surrogate in a string that is read, which serde_json skips.
            let is_surrogate = |e: String| e.contains("surrogate");
            prop_assert!(judged.is_ok() == valid || (valid && is_surrogate(judged.unwrap_err())), "{}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn set_path_is_what_serde_json_would_do(row in row(), path in prop_oneof![Just("text"), Just("new"), Just("meta.lang"), Just("meta.new.deep"), Just("text.x")], value in value()) {
        let mut expected: Value = serde_json::from_str(&row).unwrap();
        let result = set_path(row.as_bytes(), path, value.to_string().as_bytes());
        let found: Value = serde_json::from_slice(&result).unwrap();
        if expected.get(path).is_some() {
            expected[path] = value;
        } else {
            let parts: Vec<&str> = path.split('.').collect();
            let mut at = &mut expected;
            for part in &parts {
                if !at.is_object() {
                    *at = Value::Object(Default::default());
                }
                at = at.as_object_mut().unwrap().entry(*part).or_insert(Value::Null);
            }
            *at = value;
        }
        prop_assert_eq!(found, expected, "{} at {}", row, path);
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in text()) {
        let mut out = Vec::new();
        write_string(&text, &mut out);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
        prop_assert_eq!(read_string(std::str::from_utf8(&out).unwrap()), Some(text.clone()));
        prop_assert_eq!(String::from_utf8(out).unwrap(), Value::from(text).to_string());
    }
}

trait MapFirst<A, B, C> {
    fn map_first<D>(self, f: impl FnOnce(A) -> D) -> (D, B, C);
}

impl<A, B, C> MapFirst<A, B, C> for (A, B, C) {
    fn map_first<D>(self, f: impl FnOnce(A) -> D) -> (D, B, C) {
        (f(self.0), self.1, self.2)
    }
}

#[test]
fn what_python_writes_is_taken() {
    for row in [
        r#"{"a": NaN, "text": "x"}"#,
        r#"{"a": [Infinity, -Infinity], "text": "x"}"#,
        r#"{"a": 1e999, "text": "x"}"#,
        r#"{"a": "\ud800", "text": "x"}"#,
    ] {
        let (result, slots, side) = judge(row.as_bytes());
        result.unwrap();
        let text = slots[0].unwrap();
        assert_eq!(
            string(row.as_bytes(), &text, &side).as_deref(),
            Some("x"),
            "{row}"
        );
    }
}

#[test]
fn what_is_no_row_is_refused_with_its_reason() {
    let deep = format!(
        "{{\"a\": {}{}, \"text\": \"x\"}}",
        "[".repeat(600),
        "]".repeat(600)
    );
    for (row, reason) in [
        (r#"{"a": nan, "text": "x"}"#, "not valid JSON"),
        (r#"{"a": -NaN}"#, "not valid JSON"),
        (r#"{"a": 1NaN}"#, "not valid JSON"),
        (r#"{"text": "\ud800"}"#, "`text` holds a lone surrogate"),
        (r#"{"text": "\ud83dx"}"#, "`text` holds a lone surrogate"),
        ("[1, 2]", "the row is a JSON array, not an object"),
        ("12", "the row is not a JSON object"),
        ("twelve", "not valid JSON"),
        (
            r#"{"text": "x"} {}"#,
            "not valid JSON: trailing characters at column 15",
        ),
        (&deep, "nested deeper than 512 levels"),
    ] {
        let error = judge(row.as_bytes()).0.unwrap_err();
        assert!(error.contains(reason), "{row}: {error}");
        assert!(scan(row.as_bytes()).0.is_err(), "{row}");
    }
}

#[test]
fn rows_that_end_in_the_middle_of_an_escape_are_no_rows() {
    for row in [
        "{\"text\\",
        "{\"\\ud800\\",
        "{\"\\ud800",
        "{\"a\": \"\\",
        "{\"\\u",
        "{\"\\",
    ] {
        assert!(judge(row.as_bytes()).0.is_err(), "{row}");
    }
}
