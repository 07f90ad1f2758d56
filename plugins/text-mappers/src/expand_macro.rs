//! `expand_macro_mapper`

use djhost_sdk::prelude::*;
use memchr::memmem;
use regex::Regex;
use std::sync::LazyLock;

/// Puts the meaning of a LaTeX document's macros without arguments in their place.
///
/// Macros are defined by `\newcommand` and `\def` on a line of their own. As in Data-Juicer the
/// names in the definitions are replaced too.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExpandMacroMapper {}

impl TextMapper for ExpandMacroMapper {
    const NAME: &'static str = "expand_macro_mapper";

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let mut expanded: Option<String> = None;
        for (name, value) in macros(text) {
            let mut next = String::new();
            if expand(expanded.as_deref().unwrap_or(text), name, value, &mut next) {
                expanded = Some(next);
            }
        }
        let changed = expanded.filter(|expanded| expanded != text);
        out.push_str(changed.as_deref().unwrap_or_default());
        Ok(changed.is_some())
    }
}

/// Names and values, ordered by first appearance: `\newcommand` before `\def`. The last definition
/// counts.
fn macros(text: &str) -> Vec<(&str, &str)> {
    static KINDS: LazyLock<[(&str, Regex); 2]> = LazyLock::new(|| {
        let regex = |pattern| Regex::new(pattern).expect("the pattern is valid");
        [
            (
                r"\newcommand",
                regex(r"(?m)\\newcommand\b\*?\{(\\[a-zA-Z0-9]+?)\}\{(.*?)\}$"),
            ),
            (
                r"\def",
                regex(r"(?m)\\def\s*(\\[a-zA-Z0-9]+?)\s*\{(.*?)\}$"),
            ),
        ]
    });
    let mut macros: Vec<(&str, &str)> = Vec::new();
    for (word, regex) in KINDS.iter() {
        if memmem::find(text.as_bytes(), word.as_bytes()).is_none() {
            continue;
        }
        for groups in regex.captures_iter(text) {
            let (_, [name, value]) = groups.extract();
            match macros.iter_mut().find(|known| known.0 == name) {
                Some(known) => known.1 = value,
                None => macros.push((name, value)),
            }
        }
    }
    macros
}

/// Appends `text` with `value` for each `name` that no ASCII letter or digit follows. Returns false
/// if there is none. The match includes the character after the name, so no other name begins
/// there.
fn expand(text: &str, name: &str, value: &str, out: &mut String) -> bool {
    let finder = memmem::Finder::new(name);
    let (mut done, mut from) = (0, 0);
    while let Some(at) = finder.find(&text.as_bytes()[from..]).map(|at| from + at) {
        let behind = at + name.len();
        match text[behind..].chars().next() {
            Some(c) if !c.is_ascii_alphanumeric() => {
                out.push_str(&text[done..at]);
                out.push_str(value);
                out.push(c);
                done = behind + c.len_utf8();
                from = done;
            }
            _ => from = behind,
        }
    }
    out.push_str(&text[done..]);
    done > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn macros_are_expanded() {
        let run = |text: &str| {
            Runner::new(operator!(ExpandMacroMapper), "{}")
                .unwrap()
                .map(&[text])
                .remove(0)
        };
        assert_eq!(
            run("\\newcommand{\\R}{\\mathbb{R}}\n$\\R$ \\Rx \\R"),
            "\\newcommand{\\mathbb{R}}{\\mathbb{R}}\n$\\mathbb{R}$ \\Rx \\R"
        );
        assert_eq!(
            run("\\def\\e{é\\1}\n\\e\\e\\e."),
            "\\defé\\1{é\\1}\né\\1\\eé\\1."
        );
        assert_eq!(
            run("\\newcommand{\\f}[1]{#1}\n\\f{x} "),
            "\\newcommand{\\f}[1]{#1}\n\\f{x} "
        );
        assert_eq!(run("no macros"), "no macros");
    }
}
