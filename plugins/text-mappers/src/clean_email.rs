//! `clean_email_mapper`

use crate::cleaner::{Cleaner, Span};
use djhost_sdk::prelude::*;
use memchr::memchr_iter;

/// Removes email addresses, or puts something in their place.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CleanEmailMapper {
    /// A regular expression to use instead of the built-in one for email addresses.
    pub pattern: Option<String>,
    /// What takes the place of a match; `\1` and `\g<name>` are its groups.
    pub repl: String,
    #[serde(skip)]
    cleaner: Cleaner,
}

const PATTERN: &str = r"[A-Za-z0-9.\-+_]+@[a-z0-9.\-+_]+\.[a-z]+";

impl TextMapper for CleanEmailMapper {
    const NAME: &'static str = "clean_email_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        self.cleaner = Cleaner::new(self.pattern.as_deref(), PATTERN, find, &self.repl)?;
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        Ok(self.cleaner.clean(text, out))
    }
}

/// The first match of `PATTERN` at or after `from`: expands from an `@` to both sides.
fn find(text: &str, from: usize) -> Option<Span> {
    let bytes = text.as_bytes();
    memchr_iter(b'@', &bytes[from..])
        .map(|at| from + at)
        .find_map(|at| {
            let local = bytes[from..at]
                .iter()
                .rev()
                .take_while(|b| is_domain(**b) || b.is_ascii_uppercase())
                .count();
            if local == 0 {
                return None;
            }
            // The domain takes all it can, then gives back until it ends in a dot that follows a
            // character and precedes a lower-case letter.
            let domain = bytes[at + 1..]
                .iter()
                .take_while(|b| is_domain(**b))
                .count();
            let run = &bytes[at + 1..at + 1 + domain];
            let dot = (1..run.len())
                .rev()
                .find(|&i| run[i] == b'.' && run.get(i + 1).is_some_and(u8::is_ascii_lowercase))?;
            let top = run[dot + 1..]
                .iter()
                .take_while(|b| b.is_ascii_lowercase())
                .count();
            Some(Span {
                start: at - local,
                end: at + 2 + dot + top,
            })
        })
}

fn is_domain(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'+' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleaner::agrees_with_the_pattern;
    use djhost_sdk::operator;

    #[test]
    fn addresses_go() {
        let mut op = Runner::new(operator!(CleanEmailMapper), "{}").unwrap();
        let out = op.map(&[
            "happy day euqdh@cam.com!",
            "Mr.X+y@a-b.co.uk. x@y",
            "日本a@b.cd日本",
            "none",
        ]);
        assert_eq!(out, ["happy day !", ". x@y", "日本日本", "none"]);
    }

    #[test]
    fn own_pattern_and_replacement() {
        let mut op = Runner::new(operator!(CleanEmailMapper), r#"{"repl": "<mail>"}"#).unwrap();
        assert_eq!(op.map(&["to a@b.cc and c@d.ee"]), ["to <mail> and <mail>"]);
        let mut op = Runner::new(
            operator!(CleanEmailMapper),
            r#"{"pattern": "r'(\\w+) at (\\w+)'", "repl": "\\2:\\g<1>"}"#,
        )
        .unwrap();
        assert_eq!(op.map(&["me at home"]), ["home:me"]);
    }

    #[test]
    fn the_search_by_hand_is_the_pattern() {
        let pieces = [
            "@", ".", "a", "B", "1", "-", "_", " ", "é", "com", "x@y.zz", "..", "@a.b1.c",
        ];
        agrees_with_the_pattern(PATTERN, find, &pieces);
    }
}
