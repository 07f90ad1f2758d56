//! `remove_header_mapper`

use djhost_sdk::prelude::*;
use regex::{Regex, RegexBuilder};
use std::sync::LazyLock;

/// Removes what stands before the first heading of a LaTeX document.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveHeaderMapper {
    /// Make a document without headings empty.
    pub drop_no_head: bool,
}

impl Default for RemoveHeaderMapper {
    fn default() -> Self {
        Self { drop_no_head: true }
    }
}

impl TextMapper for RemoveHeaderMapper {
    const NAME: &'static str = "remove_header_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        static HEADING: LazyLock<Regex> = LazyLock::new(|| {
            let pattern = r"\\(?:chapter|part|section|subsection|subsubsection|paragraph|subparagraph)\b\*?(?:\[.*?\])?\{.*?\}";
            RegexBuilder::new(pattern)
                .dot_matches_new_line(true)
                .build()
                .expect("the pattern is valid")
        });
        let start = match HEADING.find(text) {
            Some(heading) => heading.start(),
            None if self.drop_no_head => text.len(),
            None => 0,
        };
        out.push_str(&text[start..]);
        Ok(start > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn starts_with_the_first_heading() {
        let texts = [
            "a\n\\section*[x]{Y} b \\part{c}",
            "\\sections{x}",
            "\\part no \\chapter\\n{x}",
            "no",
        ];
        let mut op = Runner::new(operator!(RemoveHeaderMapper), "{}").unwrap();
        assert_eq!(op.map(&texts), ["\\section*[x]{Y} b \\part{c}", "", "", ""]);
        let mut op =
            Runner::new(operator!(RemoveHeaderMapper), r#"{"drop_no_head": false}"#).unwrap();
        assert_eq!(op.map(&texts)[1..], texts[1..]);
    }
}
