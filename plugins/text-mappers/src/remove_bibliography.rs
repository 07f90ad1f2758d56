//! `remove_bibliography_mapper`

use djhost_sdk::prelude::*;
use memchr::memchr_iter;

/// Removes the bibliography of a LaTeX document, with all that follows.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveBibliographyMapper {}

const STARTS: [&str; 4] = [
    "\\appendix",
    "\\begin{references}",
    "\\begin{REFERENCES}",
    "\\begin{thebibliography}",
];

impl TextMapper for RemoveBibliographyMapper {
    const NAME: &'static str = "remove_bibliography_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let starts = |at: &usize| {
            let rest = &text[*at..];
            let file = || {
                rest.strip_prefix("\\bibliography{")
                    .is_some_and(|name| name.contains('}'))
            };
            STARTS.iter().any(|start| rest.starts_with(start)) || file()
        };
        let found = memchr_iter(b'\\', text.as_bytes()).find(starts);
        out.push_str(&text[..found.unwrap_or(0)]);
        Ok(found.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn ends_at_the_bibliography() {
        let mut op = Runner::new(operator!(RemoveBibliographyMapper), "{}").unwrap();
        let texts = [
            "a\n\\appendix b\n",
            "x \\bibliography{y} z\n\n",
            "\\bibliography{y",
            "\\begin{references}",
            "\\begin{document}",
        ];
        assert_eq!(
            op.map(&texts),
            ["a\n", "x ", "\\bibliography{y", "", "\\begin{document}"]
        );
    }
}
