//! `clean_html_mapper`

use crate::html5::{is_plain, text_of};
use djhost_sdk::prelude::*;
use memchr::memmem;
use std::borrow::Cow;

/// Takes the tags out of HTML and leaves the text.
///
/// The text is read as a browser reads a page. `<li>` and `<ol>` without attributes become a line
/// feed and `*`; other tags become nothing. The text of scripts, styles and the title stays.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CleanHtmlMapper {}

impl TextMapper for CleanHtmlMapper {
    const NAME: &'static str = "clean_html_mapper";
    const COST: Cost = Cost::Medium;

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        if is_plain(text) {
            let kept = text.trim_start_matches(['\t', '\n', '\u{c}', ' ']);
            out.push_str(kept);
            return Ok(kept.len() < text.len());
        }
        let mut html = Cow::Borrowed(text);
        // In this order: one removal may create what the next one finds.
        for (tag, instead) in [
            ("<li>", "\n*"),
            ("</li>", ""),
            ("<ol>", "\n*"),
            ("</ol>", ""),
        ] {
            if memmem::find(html.as_bytes(), tag.as_bytes()).is_some() {
                html = Cow::Owned(html.replace(tag, instead));
            }
        }
        let start = out.len();
        text_of(&html, out)?;
        Ok(out[start..] != *text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    fn clean(text: &str) -> String {
        Runner::new(operator!(CleanHtmlMapper), "{}")
            .unwrap()
            .map(&[text])
            .remove(0)
    }

    #[test]
    fn tags_go_and_text_stays() {
        for (html, text) in [
            ("<p>Hello, <b>world</b>!</p>", "Hello, world!"),
            (
                "<title>T</title><ul><li>one</li><li class=x>two</ul>",
                "T\n*onetwo",
            ),
            (
                "1 < 2 && 3 &gt; 2 &notit; &#x41;&#128;",
                "1 < 2 && 3 > 2 ¬it; A€",
            ),
            (
                "<script>if (a<b) c()</script>d<!-- e --><br>f",
                "if (a<b) c()df",
            ),
            ("<table>a<tr><td>b</table>c", "abc"),
            ("<textarea>\n<b>x</textarea>", "<b>x"),
            (" \n plain", "plain"),
            ("a\r\nb\rc", "a\nb\nc"),
            ("x <o</li>l> y", "x \n* y"),
            ("unfinished <b", "unfinished "),
            ("<template>t</template>u", "u"),
            ("", ""),
        ] {
            assert_eq!(clean(html), text, "{html:?}");
        }
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        for (open, close) in [
            ("<div>", "</div>"),
            ("<b>", "</b>"),
            ("<x>", "</y>"),
            ("<table><tr><td>", ""),
            ("<svg>", "</x>"),
            ("<i><p>", ""),
            ("<a>", "</a>"),
        ] {
            let html = format!("{}text{}.", open.repeat(50_000), close.repeat(50_000));
            assert_eq!(clean(&html), "text.", "{open}");
        }
    }

    #[test]
    fn formatting_that_multiplies_is_refused() {
        let open: String = (0..900).map(|i| format!("<font size={i}>")).collect();
        let html = format!("<p>{open}{}", "<p>x".repeat(20_000));
        let mut runner = Runner::new(operator!(CleanHtmlMapper), "{}").unwrap();
        match runner.process(&Runner::text_batch(&[&html])) {
            Ok(Output::Updated { rejected, .. }) => {
                assert!(rejected[0].reason.contains("elements"), "{rejected:?}")
            }
            other => panic!("{other:?}"),
        }
    }
}
