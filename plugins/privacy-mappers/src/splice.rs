//! Strings changed where they stand in a JSON text: every other byte stays.

use djhost_sdk::json::Text;
use std::collections::BTreeMap;
use std::ops::Range;

/// The changes to one JSON text.
#[derive(Default)]
pub(crate) struct Splices {
    /// By where the string begins.
    changed: BTreeMap<usize, Changed>,
}

struct Changed {
    place: Range<usize>,
    before: String,
    now: String,
}

impl Splices {
    /// Gives the string of today to `change`, which answers with another one or none.
    pub(crate) fn change(&mut self, text: &Text<'_>, change: impl FnOnce(&str) -> Option<String>) {
        let place = text.place();
        match self.changed.get_mut(&place.start) {
            Some(changed) => {
                if let Some(now) = change(&changed.now) {
                    changed.now = now;
                }
            }
            None => {
                if let Some(now) = change(text.as_str()) {
                    let before = text.as_str().to_owned();
                    let changed = Changed { place, before, now };
                    self.changed.insert(changed.place.start, changed);
                }
            }
        }
    }

    /// `json`, which the strings are of, with the changes; None if there are none.
    pub(crate) fn of(&self, json: &str) -> Option<String> {
        let mut out = String::new();
        let mut done = 0;
        for changed in self.changed.values().filter(|c| c.now != c.before) {
            out.push_str(&json[done..changed.place.start]);
            out.push_str(&serde_json::Value::from(changed.now.as_str()).to_string());
            done = changed.place.end;
        }
        (done > 0).then(|| {
            out.push_str(&json[done..]);
            out
        })
    }
}
