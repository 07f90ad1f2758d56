//! `clean_links_mapper`

use crate::cleaner::Cleaner;
use crate::links::{PATTERN, find};
use djhost_sdk::prelude::*;

/// Removes links, or puts something in their place.
///
/// A link is what starts like `http://`, `name:x`, `www.` or `example.com/` and goes on to the next
/// white space, less punctuation at its end.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CleanLinksMapper {
    /// A regular expression to use instead of the built-in one for links.
    pub pattern: Option<String>,
    /// What takes the place of a match; `\1` and `\g<name>` are its groups.
    pub repl: String,
    #[serde(skip)]
    cleaner: Cleaner,
}

impl TextMapper for CleanLinksMapper {
    const NAME: &'static str = "clean_links_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        self.cleaner = Cleaner::new(self.pattern.as_deref(), PATTERN, find, &self.repl)?;
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        Ok(self.cleaner.clean(text, out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn links_go() {
        let mut op = Runner::new(operator!(CleanLinksMapper), "{}").unwrap();
        let out = op.map(&[
            "see https://a.b/c?d=(e), and www.x.org.",
            "time 12:30, note: this",
            "key:value (ftp://x)",
            "日本http://é.jp/。本",
            "no",
        ]);
        assert_eq!(
            out,
            [
                "see , and .",
                "time 12:30, note: this",
                " ()",
                "日本http://é.jp/。本",
                "no"
            ]
        );
    }

    #[test]
    fn own_pattern_and_replacement() {
        let mut op = Runner::new(operator!(CleanLinksMapper), r#"{"repl": "<a>"}"#).unwrap();
        assert_eq!(op.map(&["x http://y.z/ x"]), ["x <a> x"]);
        let mut op = Runner::new(operator!(CleanLinksMapper), r#"{"repl": "[\\1]"}"#).unwrap();
        assert_eq!(op.map(&["x http://y.z/ x"]), ["x [http://y.z/] x"]);
        let error =
            Runner::new(operator!(CleanLinksMapper), r#"{"pattern": "(?=a)"}"#).unwrap_err();
        assert!(error.to_string().contains("look-around"), "{error}");
    }
}
