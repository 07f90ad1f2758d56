//! The order of the ways to the main text.

use crate::body::{self, Found, MIN_EXTRACTED};
use crate::clean::{convert, remove_matching, strip};
use crate::dom::{Attr, Dom, Id, Tag};
use crate::output;
use crate::rescue;
use crate::select::Rules;
use djhost_sdk::text::strip as strip_spaces;
use icu_normalizer::ComposingNormalizerBorrowed as ComposingNormalizer;

/// What matters more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Favor {
    Precision,
    Balanced,
    Recall,
}

/// What to take, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) favor: Favor,
    pub(crate) tables: bool,
    pub(crate) links: bool,
    pub(crate) comments: bool,
    /// Marks of Markdown.
    pub(crate) formatting: bool,
}

/// A text of fewer characters may be too little of the page,
const SHORT: usize = 3000;
/// if it has a smaller share of it than this; then one that is so many times longer replaces it,
const SHARE: f64 = 0.2;
const LONGER: f64 = 1.5;
/// by jusText so many times.
const LONGER_BY_WORDS: f64 = 2.0;

/// Appends the main text of the page under `top`, which is used up.
pub(crate) fn extract(
    dom: &mut Dom,
    top: Id,
    rules: &Rules,
    settings: &Settings,
    out: &mut String,
) {
    let (body, comments) = sequence(dom, top, rules, settings);
    let mut text = String::new();
    output::write(dom, body, settings.formatting, &mut text);
    text.push('\n');
    output::write(dom, comments, settings.formatting, &mut text);
    // Characters that are made of two are written as one.
    out.push_str(&ComposingNormalizer::new_nfc().normalize(strip_spaces(&text)));
}

/// The trees of the main text and of the comments.
fn sequence(dom: &mut Dom, top: Id, rules: &Rules, settings: &Settings) -> (Id, Id) {
    let forum = is_forum(dom, top);
    remove_matching(dom, top, Rules::is_appended);
    let precise = settings.favor == Favor::Precision;
    if !settings.comments && (precise || !forum) {
        remove_matching(dom, top, |dom, id| Rules::is_comments(dom, id, true));
    }
    let (converted, cleaned) = prepare(dom, top, settings);

    let mut converted = converted;
    let mut comments = dom.element(Tag::BODY);
    let mut has_comments = false;
    let mut posts = None;
    if settings.comments {
        comments = body::comments(dom, converted);
        has_comments = dom.has_text(comments);
        if has_comments && forum {
            // The comments of a forum are its text.
            posts = Some(comments);
            comments = dom.element(Tag::BODY);
            has_comments = false;
            converted = dom.copy(cleaned);
            convert(dom, converted, settings);
        }
    }
    if precise && !forum {
        remove_matching(dom, converted, |dom, id| Rules::is_comments(dom, id, false));
    }
    let mut found = extract_and_compare(dom, top, converted, cleaned, rules, settings);
    if found.len < MIN_EXTRACTED && !precise {
        let copy = dom.copy(top);
        let other = rescue::baseline(dom, copy, rules);
        if other.len > found.len {
            found = other;
            posts = None;
        }
    }
    if settings.favor == Favor::Balanced && found.len > 0 && found.len < SHORT {
        let copy = dom.copy(top);
        let page = rescue::page_len(dom, copy, rules);
        if (found.len as f64) < SHARE * page as f64 {
            if settings.comments && !forum {
                remove_matching(dom, top, |dom, id| {
                    Rules::is_comments(dom, id, has_comments)
                });
            }
            if let Some(better) = escalate(dom, top, &found, rules, settings) {
                found = better;
                posts = None;
            }
        }
    }
    if let Some(posts) = posts {
        body::salvage(dom, posts, found.body);
    }
    (found.body, comments)
}

/// A much longer text than `found`, which has little of the page.
fn escalate(
    dom: &mut Dom,
    top: Id,
    found: &Found,
    rules: &Rules,
    settings: &Settings,
) -> Option<Found> {
    let recall = Settings {
        favor: Favor::Recall,
        ..*settings
    };
    let (converted, cleaned) = prepare(dom, top, &recall);
    let by_rules = extract_and_compare(dom, top, converted, cleaned, rules, &recall);
    let by_words = rescue::rescue(dom, top, rules);
    let len = found.len as f64;
    if by_words.len > by_rules.len && by_words.len as f64 > LONGER_BY_WORDS * len {
        Some(by_words)
    } else if by_rules.len >= MIN_EXTRACTED && by_rules.len as f64 > LONGER * len {
        Some(by_rules)
    } else {
        None
    }
}

/// A converted copy of the page, and one without what is never text.
fn prepare(dom: &mut Dom, top: Id, settings: &Settings) -> (Id, Id) {
    let copy = dom.copy(top);
    let converted = strip(dom, copy, settings);
    let cleaned = dom.copy(converted);
    convert(dom, converted, settings);
    (converted, cleaned)
}

/// The text by rules, or by another way if that is better. `top` stays.
fn extract_and_compare(
    dom: &mut Dom,
    top: Id,
    converted: Id,
    cleaned: Id,
    rules: &Rules,
    settings: &Settings,
) -> Found {
    let found = body::extract(dom, converted, rules, settings);
    let raw = dom.copy(top);
    rescue::compare(dom, raw, cleaned, found, rules, settings)
}

/// Whether the page says that it is a thread of a forum.
fn is_forum(dom: &Dom, top: Id) -> bool {
    dom.descendants(top).any(|id| {
        dom.tag(id) == Tag::SCRIPT
            && dom.attr(id, Attr::Type) == Some("application/ld+json")
            && says_forum(dom.str(dom.text(id)))
    })
}

fn says_forum(json: &str) -> bool {
    const KIND: &str = "\"DiscussionForumPosting\"";
    json.match_indices("\"@type\"").any(|(at, key)| {
        let value = json[at + key.len()..].trim_start();
        let Some(value) = value.strip_prefix(':').map(str::trim_start) else {
            return false;
        };
        match value.strip_prefix('[') {
            Some(list) => list
                .split_once(']')
                .is_some_and(|(list, _)| list.contains(KIND)),
            None => value.starts_with(KIND),
        }
    })
}
