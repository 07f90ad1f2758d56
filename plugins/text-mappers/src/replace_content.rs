//! `replace_content_mapper`

use crate::cleaner::{Cleaner, Span};
use crate::one_or_many::OneOrMany;
use djhost_sdk::prelude::*;

/// Replaces what one or several regular expressions match.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReplaceContentMapper {
    /// One regular expression, or a list of them that are applied one after the other.
    pub pattern: Option<OneOrMany>,
    /// What takes the place of a match; `\1` and `\g<name>` are its groups. A list has one for each
    /// pattern.
    pub repl: OneOrMany,
    #[serde(skip)]
    cleaners: Vec<Cleaner>,
    #[serde(skip)]
    scratch: [String; 2],
}

impl TextMapper for ReplaceContentMapper {
    const NAME: &'static str = "replace_content_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        let patterns = self
            .pattern
            .as_ref()
            .map(OneOrMany::all)
            .unwrap_or_default();
        if let OneOrMany::Many(repl) = &self.repl
            && repl.len() < patterns.len()
        {
            return Err(format!(
                "`repl` lists {} for {} of `pattern`: give one for each, or a single one for all",
                repl.len(),
                patterns.len()
            ));
        }
        let repl = |i: usize| match &self.repl {
            OneOrMany::One(repl) => repl,
            OneOrMany::Many(repl) => &repl[i],
        };
        let none = |_: &str, _: usize| -> Option<Span> { None };
        self.cleaners = patterns
            .iter()
            .enumerate()
            .map(|(i, pattern)| Cleaner::new(Some(pattern), "", none, repl(i)))
            .collect::<Result<_, _>>()?;
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let Self {
            cleaners,
            scratch: [current, next],
            ..
        } = self;
        let mut changed = false;
        for cleaner in cleaners {
            next.clear();
            if cleaner.clean(if changed { current } else { text }, next) {
                std::mem::swap(current, next);
                changed = true;
            }
        }
        if changed {
            out.push_str(current);
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn op(params: &str) -> Runner {
        Runner::new(operator!(ReplaceContentMapper), params).unwrap()
    }

    #[test]
    fn patterns_follow_one_another() {
        assert_eq!(
            op(r#"{"pattern": ["a+", "b(.)"], "repl": ["b", "<\\1>"]}"#).map(&["caat", "x"]),
            ["c<t>", "x"]
        );
        assert_eq!(
            op(r#"{"pattern": ["a", "b"], "repl": "-"}"#).map(&["abc"]),
            ["--c"]
        );
        assert_eq!(op(r#"{"pattern": "r'a.b'"}"#).map(&["xa\nby"]), ["xy"]);
        assert_eq!(op("{}").map(&["abc"]), ["abc"]);
    }

    #[test]
    fn lists_must_fit() {
        let error = Runner::new(
            operator!(ReplaceContentMapper),
            r#"{"pattern": ["a", "b"], "repl": ["x"]}"#,
        )
        .unwrap_err();
        assert!(error.to_string().contains("`repl`"), "{error}");
    }
}
