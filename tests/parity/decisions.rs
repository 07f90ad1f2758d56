//! Filters that are told that no one reads their stats keep the rows that they keep with them. Each
//! pack with such filters includes this file in a test.

use djhost_sdk::{Entry, Runner};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Parameters that change how the stat is computed, and their values.
const VARIANTS: [(&str, &[i64]); 1] = [("rep_len", &[1, 3, 7, 8, 9, 10, 17, 40, 100])];

/// Checks all filters that take `wanted_stats`, which must be `expected`.
pub(crate) fn check(operators: Vec<Entry>, expected: &[&str]) {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut checked = Vec::new();
    for operator in operators {
        let descriptor = (operator.describe)();
        let schema: Value = serde_json::from_str(&descriptor.params_schema).expect("a schema");
        if !descriptor.traits.leaves_out_stats {
            continue;
        }
        checked.push(descriptor.name);
        let own = schema["properties"].as_object().expect("properties");
        let named = |start: &str| own.keys().find(|name| name.starts_with(start));
        let ends = [named("min_"), named("max_")].map(|name| name.expect("a range").as_str());
        let whole = own[ends[0]]["type"] == "integer";
        let mut variants = vec![json!({})];
        for (name, values) in VARIANTS.iter().filter(|(name, _)| own.contains_key(*name)) {
            variants.extend(values.iter().map(|value| json!({ *name: value })));
        }
        for variant in variants {
            let variant = variant.as_object().expect("an object");
            for range in ranges(operator, variant, ends, whole, &texts) {
                let mut params = variant.clone();
                params.extend(range);
                compare(operator, descriptor.name, params, &texts);
            }
        }
    }
    assert_eq!(checked, expected);
}

fn compare(operator: Entry, name: &str, mut params: Map<String, Value>, texts: &[&str]) {
    let run = |params: &Map<String, Value>, texts: &[&str]| {
        let params = Value::Object(params.clone()).to_string();
        let mut runner = Runner::new(operator, &params).expect("valid parameters");
        runner.filter(texts)
    };
    let with = run(&params, texts);
    let case = Value::Object(params.clone());
    params.insert("wanted_stats".into(), json!(["another"]));
    let without = run(&params, texts);
    assert_eq!(with.stats.len(), 1);
    assert!(without.stats.is_empty(), "{name} {case}");
    assert_eq!(with.rejected, without.rejected, "{name} {case}");
    // After some texts in vain bounds are not tried for a while: from the other end it is other texts.
    let reversed: Vec<&str> = texts.iter().rev().copied().collect();
    let kept = run(&params, &reversed).keep.into_iter().rev();
    assert!(kept.eq(with.keep.iter().copied()), "{name} {case}");
    for (row, text) in texts.iter().enumerate() {
        assert_eq!(
            with.keep[row],
            without.keep[row],
            "{name} {case}: {:?} in {:?}",
            with.stats[0].values.number(row),
            text.chars().take(200).collect::<String>()
        );
    }
}

/// The default range, and ranges that end at the stats of some of the texts, or next to them.
fn ranges(
    operator: Entry,
    variant: &Map<String, Value>,
    ends: [&str; 2],
    whole: bool,
    texts: &[&str],
) -> Vec<Map<String, Value>> {
    let params = Value::Object(variant.clone()).to_string();
    let out = Runner::new(operator, &params)
        .expect("valid parameters")
        .filter(texts);
    let mut stats: Vec<f64> = (0..texts.len())
        .filter_map(|row| out.stats[0].values.number(row))
        .flat_map(|stat| [stat, stat.next_up(), stat.next_down()])
        .collect();
    stats.sort_by(f64::total_cmp);
    stats.dedup();
    let few = stats.len().div_ceil(4);
    let number = |stat: f64| match whole {
        true => json!(stat.round() as i64),
        false => json!(stat),
    };
    let mut ranges = vec![Map::new()];
    for pair in stats
        .chunks(few)
        .filter_map(|part| part.first().zip(part.last()))
    {
        for (low, high) in [(pair.0, pair.1), (&f64::MIN, pair.0), (pair.1, &1e18)] {
            for flags in 0..8u8 {
                let range = json!({
                    ends[0]: number(*low),
                    ends[1]: number(*high),
                    "min_closed_interval": flags & 1 == 0,
                    "max_closed_interval": flags & 2 == 0,
                    "reversed_range": flags & 4 != 0,
                });
                ranges.push(range.as_object().expect("an object").clone());
            }
        }
    }
    ranges
}

/// The texts of the fixture, and random ones: of few words and many, of all scripts, with much
/// repetition and little, short and long.
fn texts() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/fixture.jsonl");
    let fixture = std::fs::read_to_string(path).expect("the fixture");
    let text = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("a row");
        row["text"].as_str().map(str::to_owned)
    };
    let mut texts: Vec<String> = fixture.lines().filter_map(text).step_by(7).collect();
    let mut state = 1u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    let pieces = [
        "a",
        "The",
        "the",
        "word ",
        "repetition ",
        ". ",
        "\n",
        "\r\n",
        "\u{2028}",
        "\t",
        "     ",
        "----------",
        "é",
        "Ελλάδα ",
        "Г",
        "г ",
        "İ",
        "\u{212a}",
        "k",
        "日本語",
        "你好。",
        "😀",
        "1234",
        "don't ",
        "x=y; ",
        "\u{85}",
        "\u{0}",
    ];
    for round in 0..60 {
        let known = 1 + random(pieces.len());
        let from = random(pieces.len());
        let length = [0, 1, 3, 12, 40, 200, 1500][round % 7];
        let text: String = (0..length)
            .map(|_| match random(3) {
                0 => format!("{:x} ", random(1 << 20)),
                _ => pieces[(from + random(known)) % pieces.len()].to_owned(),
            })
            .collect();
        texts.push(text);
    }
    texts
}
