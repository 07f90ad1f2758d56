//! `clean_ip_mapper`

use crate::cleaner::{Cleaner, Span};
use djhost_sdk::prelude::*;
use memchr::memchr2_iter;
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

/// Data-Juicer's pattern: it demands no boundary on either side.
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
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(PATTERN).expect("the pattern is valid"));
    let from = from + candidate(&text.as_bytes()[from..])?;
    ADDRESS
        .find_at(text, text.floor_char_boundary(from))
        .map(|found| Span {
            start: found.start(),
            end: found.end(),
        })
}

/// The first place where a match may begin: followed by three dots or seven colons with possible
/// numbers between them.
fn candidate(bytes: &[u8]) -> Option<usize> {
    memchr2_iter(b'.', b':', bytes).find_map(|first| {
        let separator = bytes[first];
        // Digits beyond ASCII are digits to the second half of the pattern.
        let is_digit = |b: &&u8| {
            if separator == b'.' {
                b.is_ascii_digit()
            } else {
                b.is_ascii_hexdigit() || **b >= 0x80
            }
        };
        let before = bytes[..first].iter().rev().take_while(is_digit).count();
        let mut at = first;
        let groups = if separator == b'.' { 3 } else { 7 };
        let follows = (0..groups).all(|_| {
            let digits = bytes[at..].iter().skip(1).take_while(is_digit).count();
            let is = bytes.get(at) == Some(&separator) && digits > 0;
            at += 1 + digits;
            is
        });
        (before > 0 && follows).then_some(first - before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn only_a_place_before_which_no_address_begins_is_skipped() {
        let regex = Regex::new(PATTERN).unwrap();
        let parts = [
            "1",
            "12",
            "255",
            "300",
            ".",
            ".",
            ":",
            ":",
            "af",
            "٣",
            "x",
            " ",
            "1.2.3.4",
            "1:2:3:4:5:6:7:8",
            "é",
        ];
        let mut random = 1u32;
        for length in 0..3000 {
            let text: String = (0..length % 60)
                .map(|_| {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    parts[(random >> 16) as usize % parts.len()]
                })
                .collect();
            let mut from = 0;
            for expected in regex.find_iter(&text) {
                let found = find(&text, from).unwrap();
                assert_eq!(
                    (found.start, found.end),
                    (expected.start(), expected.end()),
                    "{text}"
                );
                from = found.end;
            }
            assert!(find(&text, from).is_none(), "{text}");
        }
    }

    #[test]
    fn addresses_go() {
        let mut op = Runner::new(operator!(CleanIpMapper), "{}").unwrap();
        let out = op.map(&[
            "at 192.168.0.1:80",
            "300.1.2.3",
            "v 1.2.3",
            "a 2001:0db8:0:0:0:ff00:42:8329.",
            "1.2.3.4.5.6.7.8",
        ]);
        assert_eq!(out, ["at :80", "30", "v 1.2.3", "a .", "."]);
        let mut op = Runner::new(operator!(CleanIpMapper), r#"{"repl": "<IP>"}"#).unwrap();
        assert_eq!(
            op.map(&["from 10.0.0.255 to 10.0.1.0"]),
            ["from <IP> to <IP>"]
        );
    }
}
