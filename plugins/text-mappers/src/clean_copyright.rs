//! `clean_copyright_mapper`

use djhost_sdk::prelude::*;
use memchr::memmem;

/// Removes the copyright notice at the start of source code.
///
/// The first `/* … */` goes if it says `copyright` in any case. A text without such a comment loses
/// the lines at its start that are empty or begin with `//`, `#` or `--`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CleanCopyrightMapper {}

impl TextMapper for CleanCopyrightMapper {
    const NAME: &'static str = "clean_copyright_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        if let Some((start, end)) = comment(text) {
            let notice = text.as_bytes()[start..end]
                .windows(9)
                .any(|word| word.eq_ignore_ascii_case(b"copyright"));
            if notice {
                out.push_str(&text[..start]);
                out.push_str(&text[end..]);
            }
            return Ok(notice);
        }
        let mut rest = text;
        while rest.is_empty()
            || rest.starts_with('\n')
            || ["//", "#", "--"].iter().any(|mark| rest.starts_with(mark))
        {
            match rest.split_once('\n') {
                Some((_, next)) => rest = next,
                None => {
                    rest = "";
                    break;
                }
            }
        }
        out.push_str(rest);
        Ok(rest.len() < text.len())
    }
}

/// Start and end of the first C-style comment.
fn comment(text: &str) -> Option<(usize, usize)> {
    let start = memmem::find(text.as_bytes(), b"/*")?;
    let body = start + 2;
    Some((
        start,
        body + memmem::find(&text.as_bytes()[body..], b"*/")? + 2,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn notices_go() {
        let mut op = Runner::new(operator!(CleanCopyrightMapper), "{}").unwrap();
        let texts = [
            "/* CopyRight me **/\nint x;",
            "# c\n/* other */ x /* copyright */",
            "// a\n\n# b\n--c\ncode\n# stays",
            "#",
            "/*/ copyright",
            "x\n# y",
            "",
        ];
        let expected = [
            "\nint x;",
            texts[1],
            "code\n# stays",
            "",
            texts[4],
            "x\n# y",
            "",
        ];
        assert_eq!(op.map(&texts), expected);
    }
}
