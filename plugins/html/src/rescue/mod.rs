//! What is done where the rules find little: other ways to the main text, and when to prefer them.

mod baseline;
mod embedded;
mod justext;
mod readability;
mod sanitize;

pub(crate) use baseline::{baseline, block_text, page_len};
pub(crate) use embedded::json;
pub(crate) use justext::rescue;

use crate::body::{Found, MIN_EXTRACTED};
use crate::clean::remove_matching;
use crate::dom::{Dom, Id, Tag, Tags, Words};
use crate::extract::{Favor, Settings};
use crate::select::Rules;

/// A text by another way replaces one that is at most so many times as long, if that is not clean.
const OVERRIDE_RATIO: usize = 3;

/// What a clean text has not.
const UNCLEAN: Tags = Tags::of(&[
    Tag::ASIDE,
    Tag::AUDIO,
    Tag::BUTTON,
    Tag::FENCEDFRAME,
    Tag::FIELDSET,
    Tag::FIGURE,
    Tag::FOOTER,
    Tag::IFRAME,
    Tag::INPUT,
    Tag::LABEL,
    Tag::LINK,
    Tag::NAV,
    Tag::NOINDEX,
    Tag::NOSCRIPT,
    Tag::OBJECT,
    Tag::OPTION,
    Tag::SELECT,
    Tag::SOURCE,
    Tag::SVG,
    Tag::TIME,
]);

/// The characters of the texts in `top`, each text a word at least, with single spaces.
pub(crate) fn spaced_len(dom: &Dom, top: Id) -> usize {
    dom.words(top)
        .fold(Words::NONE, |all, words| all.then(words).apart())
        .len()
}

/// Compares what the rules have found with what readability and jusText find, and returns the
/// better one. `raw` is the page as it was, `cleaned` the page without what is never text; both are
/// used up.
pub(crate) fn compare(
    dom: &mut Dom,
    raw: Id,
    cleaned: Id,
    found: Found,
    rules: &Rules,
    settings: &Settings,
) -> Found {
    if settings.favor == Favor::Recall && found.len > MIN_EXTRACTED * 10 {
        return found;
    }
    if settings.favor == Favor::Precision {
        remove_matching(dom, raw, |dom, id| rules.is_discarded(dom, id));
    }
    let mut found = found;
    let mut readable = false;
    if let Some(other) = readability::readable(dom, raw, rules)
        && prefers(dom, &found, &other, settings)
    {
        found = other;
        readable = true;
    }
    let unclean = dom
        .descendants(found.body)
        .any(|id| UNCLEAN.has(dom.tag(id)));
    if unclean || found.len < MIN_EXTRACTED {
        let other = rescue(dom, cleaned, rules);
        let better = if unclean {
            found.len <= OVERRIDE_RATIO * other.len
        } else {
            found.len < other.len
        };
        if other.len > 0 && better {
            return other;
        }
    }
    if readable {
        found = sanitize::sanitize(dom, found.body, settings);
    }
    found
}

/// Whether readability's text is the better one.
fn prefers(dom: &Dom, found: &Found, other: &Found, settings: &Settings) -> bool {
    let (len, other_len) = (found.len, other.len);
    if other_len == 0 || other_len == len || len > 2 * other_len {
        return false;
    }
    if len == 0 {
        return true;
    }
    let is_json = || {
        dom.texts(other.body)
            .flat_map(str::chars)
            .find(|&c| !djhost_sdk::text::is_space(c))
            == Some('{')
    };
    if other_len > 2 * len && !is_json() {
        return true;
    }
    let count = |tag| {
        dom.descendants(found.body)
            .filter(|&id| dom.tag(id) == tag)
            .count()
    };
    if other_len > MIN_EXTRACTED * 2 {
        let no_text = !dom
            .descendants(found.body)
            .any(|id| dom.tag(id) == Tag::P && dom.text_spans(id).next().is_some());
        if no_text || count(Tag::TABLE) > count(Tag::P) {
            return true;
        }
    }
    if settings.favor != Favor::Recall {
        return false;
    }
    let headings = Tags::of(&[Tag::H2, Tag::H3, Tag::H4]);
    (other_len as f64 > 1.5 * len as f64 && !is_json())
        || (count(Tag::HEAD) == 0
            && other_len > len
            && dom.iter(other.body).any(|id| headings.has(dom.tag(id))))
}
