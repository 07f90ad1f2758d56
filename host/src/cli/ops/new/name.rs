//! Checks and derives the names of new operators.

use crate::error::UserError;
use crate::wasm::Kind;

const KINDS: [Kind; 5] = [
    Kind::Filter,
    Kind::Mapper,
    Kind::Deduplicator,
    Kind::Selector,
    Kind::Grouper,
];
const LONGEST: usize = 64;

/// Checks the form of a name. It is also the name of a file, a module and a crate, so it needs at
/// least two words: no language has such a keyword.
pub(crate) fn check(name: &str, kind: Kind) -> Result<(), UserError> {
    let word = |w: &str| {
        !w.is_empty()
            && w.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let fine = name.len() <= LONGEST
        && name.contains('_')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('_').all(word);
    if fine {
        return Ok(());
    }
    let near = near(name, kind)
        .map(|n| format!("did you mean `{n}`? "))
        .unwrap_or_default();
    let form = format!(
        "a name has two words or more of lower-case letters and digits, joined by `_`, and at most {LONGEST} characters"
    );
    Err(UserError::new(
        "NAME",
        format!("`{name}` cannot be the name of an operator"),
    )
    .hint(near + &form))
}

/// Returns the nearest valid name: `my_words_filter` for `MyWords-Filter`.
fn near(name: &str, kind: Kind) -> Option<String> {
    let mut spaced = String::new();
    let mut lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && lower {
            spaced.push(' ');
        }
        lower = c.is_ascii_lowercase();
        spaced.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            ' '
        });
    }
    let mut words: Vec<&str> = spaced.split(' ').filter(|w| !w.is_empty()).collect();
    if words.len() == 1 && words[0] != kind.as_str() {
        words.push(kind.as_str());
    }
    let joined = words.join("_");
    (joined != name && check(&joined, kind).is_ok()).then_some(joined)
}

/// Returns the kind that a name ends with.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    let name = name.to_lowercase();
    KINDS.into_iter().find(|k| name.ends_with(k.as_str()))
}

/// Returns the name of a type: `WordsFilter` for `words_filter`.
pub(crate) fn type_name(name: &str) -> String {
    let capital = |w: &str| w[..1].to_uppercase() + &w[1..];
    name.split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_form_and_the_nearest_valid_one_is_offered() {
        for name in ["words_filter", "a_1", "top2_words_filter"] {
            assert!(check(name, Kind::Filter).is_ok(), "{name}");
        }
        let cases = [
            ("MyWords-Filter", Some("my_words_filter")),
            ("words", Some("words_filter")),
            ("words__filter_", Some("words_filter")),
            ("../escape", Some("escape_filter")),
            ("1_filter", None),
            ("日本", None),
            ("", None),
            ("filter", None),
        ];
        for (name, offered) in cases {
            let hint = check(name, Kind::Filter).unwrap_err().hint.unwrap();
            match offered {
                Some(offered) => assert!(hint.contains(&format!("`{offered}`")), "{name}: {hint}"),
                None => assert!(!hint.contains("did you mean"), "{name}: {hint}"),
            }
        }
        assert!(check(&format!("{}_filter", "a".repeat(60)), Kind::Filter).is_err());
    }

    #[test]
    fn types_are_named_after_operators() {
        assert_eq!(type_name("top2_words_filter"), "Top2WordsFilter");
    }
}
