//! `remove_comments_mapper`

use crate::one_or_many::OneOrMany;
use djhost_sdk::prelude::*;
use memchr::{memchr, memchr_iter};

/// Removes the comments of a LaTeX document.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RemoveCommentsMapper {
    /// The kind of documents. As in Data-Juicer there is one, `tex`, and the parameter has no
    /// effect.
    pub doc_type: OneOrMany,
    /// Remove comments that follow something, to the end of their line, with the character before
    /// the `%`.
    pub inline: bool,
    /// Remove lines that begin with `%`.
    pub multiline: bool,
    #[serde(skip)]
    scratch: String,
}

impl Default for RemoveCommentsMapper {
    fn default() -> Self {
        Self {
            doc_type: OneOrMany::One("tex".into()),
            inline: true,
            multiline: true,
            scratch: String::new(),
        }
    }
}

impl TextMapper for RemoveCommentsMapper {
    const NAME: &'static str = "remove_comments_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        self.scratch.clear();
        let mut text = text;
        let changed = self.inline && without_inline(text, &mut self.scratch);
        if changed {
            text = &self.scratch;
        }
        if self.multiline {
            return Ok(without_lines(text, out) || changed);
        }
        out.push_str(text);
        Ok(changed)
    }
}

/// Removes what `[^\\]%.+$` matches. The character before the `%`, which goes too, may be a line
/// feed.
fn without_inline(text: &str, out: &mut String) -> bool {
    let bytes = text.as_bytes();
    let mut done = 0;
    for at in memchr_iter(b'%', bytes) {
        let Some(before) = text.get(done..at).and_then(|run| run.chars().next_back()) else {
            continue;
        };
        if before == '\\' || bytes.get(at + 1).is_none_or(|&b| b == b'\n') {
            continue;
        }
        out.push_str(&text[done..at - before.len_utf8()]);
        done = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
    }
    out.push_str(&text[done..]);
    done > 0
}

/// Removes lines that begin with `%`.
fn without_lines(text: &str, out: &mut String) -> bool {
    let mut changed = false;
    for line in text.split_inclusive('\n') {
        if line.starts_with('%') {
            changed = true;
        } else {
            out.push_str(line);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn comments_go() {
        let text = "%first\na \\% b% c % d\n% e\nf%\né%g";
        let run = |params: &str| {
            Runner::new(operator!(RemoveCommentsMapper), params)
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(run("{}"), "a \\% \nf%\n");
        assert_eq!(run(r#"{"inline": false}"#), "a \\% b% c % d\nf%\né%g");
        assert_eq!(run(r#"{"multiline": false}"#), "%first\na \\% \nf%\n");
        assert_eq!(
            run(r#"{"inline": false, "multiline": false, "doc_type": ["tex"]}"#),
            text
        );
    }
}
