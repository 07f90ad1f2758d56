//! `clean_ip_mapper`

use crate::cleaner::{Cleaner, Span};
use djhost_sdk::prelude::*;
use regex::Regex;
use std::sync::LazyLock;

/// Removes IPv4 and IPv6 addresses, or puts something in their place.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CleanIpMapper {
    /// A regular expression to use instead of the built-in one for addresses.
    pub pattern: Option<String>,
    /// What takes the place of a match; `\1` and `\g<name>` are its groups.
    pub repl: String,
    #[serde(skip)]
    cleaner: Cleaner,
}

/// Data-Juicer's: no boundary is asked for on either side.
const PATTERN: &str = concat!(
    r"(?:(?:1[0-9][0-9]\.)|(?:2[0-4][0-9]\.)|(?:25[0-5]\.)|(?:[1-9][0-9]\.)|(?:[0-9]\.)){3}",
    r"(?:(?:1[0-9][0-9])|(?:2[0-4][0-9])|(?:25[0-5])|(?:[1-9][0-9])|(?:[0-9]))",
    r"|([\da-fA-F]{1,4}:){7}[\da-fA-F]{1,4}",
);

impl TextMapper for CleanIpMapper {
    const NAME: &'static str = "clean_ip_mapper";

    fn prepare(&mut self) -> Result<(), String> {
        self.cleaner = Cleaner::new(self.pattern.as_deref(), PATTERN, find, &self.repl)?;
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        Ok(self.cleaner.clean(text, out))
    }
}

fn find(text: &str, from: usize) -> Option<Span> {
    static ADDRESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is valid"));
    ADDRESS.find_at(text, from).map(|found| Span { start: found.start(), end: found.end() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn addresses_go() {
        let mut op = Runner::new(operator!(CleanIpMapper), "{}").unwrap();
        let out = op.map(&["at 192.168.0.1:80", "300.1.2.3", "v 1.2.3", "a 2001:0db8:0:0:0:ff00:42:8329.", "1.2.3.4.5.6.7.8"]);
        assert_eq!(out, ["at :80", "30", "v 1.2.3", "a .", "."]);
        let mut op = Runner::new(operator!(CleanIpMapper), r#"{"repl": "<IP>"}"#).unwrap();
        assert_eq!(op.map(&["from 10.0.0.255 to 10.0.1.0"]), ["from <IP> to <IP>"]);
    }
}
