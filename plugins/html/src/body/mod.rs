//! The main text by rules: finds the part of the page that has it, and makes a new tree of its
//! paragraphs, headings, lists, quotes and tables.

mod blocks;
mod comments;
mod lists;
mod nodes;
mod paragraphs;
mod recover;
mod table;

pub(crate) use comments::{comments, salvage};

use crate::clean::{remove_linked, remove_linked_tables, remove_matching, remove_unless_most};
use crate::dom::{Dom, Id, Tag, Tags};
use crate::extract::{Favor, Settings};
use crate::select::Rules;
use djhost_sdk::text::{code_points, is_space};
use nodes::process;
use std::collections::HashSet;

/// Fewer characters are no main text yet.
pub(crate) const MIN_EXTRACTED: usize = 250;

/// A repeated text of more characters is one that was taken twice.
pub(crate) const MIN_DUPLICATE: usize = 50;

/// Repeats are looked for in so many bytes.
pub(crate) const DUPLICATE_SCAN: usize = 200_000;

/// What text may be in.
const TEXT_TAGS: Tags = Tags::of(&[
    Tag::CODE,
    Tag::DEL,
    Tag::HEAD,
    Tag::HI,
    Tag::LB,
    Tag::LIST,
    Tag::P,
    Tag::QUOTE,
]);

/// Elements within a line that take their children's texts for their own.
pub(crate) const CONSUMING: Tags = Tags::of(&[Tag::HI, Tag::REF, Tag::DEL]);

/// Elements within a line.
pub(crate) const INLINE: Tags = CONSUMING.with(Tags::of(&[Tag::CODE]));

/// Blocks that are made anew, so that the text behind them is left over.
const REBUILT: Tags = Tags::of(&[Tag::CODE, Tag::QUOTE, Tag::LIST, Tag::TABLE]);

/// What the rules have found.
pub(crate) struct Found {
    /// The new tree.
    pub(crate) body: Id,
    /// The characters of its texts, joined by spaces.
    pub(crate) len: usize,
}

/// The characters of the texts in `top`, joined by spaces, without white space at the ends.
pub(crate) fn joined_len(dom: &Dom, top: Id) -> usize {
    let texts: Vec<&str> = dom.texts(top).collect();
    let total =
        texts.iter().map(|text| code_points(text)).sum::<usize>() + texts.len().saturating_sub(1);
    let blanks = |text: &&str, blank: usize| (blank == text.len()).then_some(code_points(text) + 1);
    let (mut start, mut end) = (0, 0);
    for text in &texts {
        let blank = text.len() - text.trim_start_matches(is_space).len();
        match blanks(text, blank) {
            Some(all) => start += all,
            None => {
                start += code_points(&text[..blank]);
                break;
            }
        }
    }
    if start > total {
        return 0;
    }
    for text in texts.iter().rev() {
        let kept = text.trim_end_matches(is_space).len();
        match blanks(text, text.len() - kept) {
            Some(all) => end += all,
            None => {
                end += code_points(&text[kept..]);
                break;
            }
        }
    }
    total.saturating_sub(start + end)
}

/// The texts in `top` in one, with single spaces.
pub(crate) fn clean_text(dom: &Dom, top: Id) -> String {
    let mut out = String::new();
    let mut space = false;
    for text in dom.texts(top) {
        for c in text.chars() {
            if is_space(c) {
                space = true;
            } else {
                if space && !out.is_empty() {
                    out.push(' ');
                }
                space = false;
                out.push(c);
            }
        }
    }
    out
}

/// Extracts the main text from a converted tree, which is used up.
pub(crate) fn extract(dom: &mut Dom, top: Id, rules: &Rules, settings: &Settings) -> Found {
    let order: Vec<Id> = dom.iter(top).collect();
    let backup = dom.copy(top);
    let (body, potential) = main_part(dom, top, rules, settings);
    if dom.is_leaf(body) || joined_len(dom, body) < MIN_EXTRACTED {
        let consumed: HashSet<Id> = order
            .iter()
            .enumerate()
            .filter(|(_, id)| dom.tag(**id) == Tag::DONE)
            .map(|(index, _)| Dom::copied(backup, index))
            .collect();
        recover::recover(dom, backup, body, rules, settings, potential, &consumed);
    }
    let len = joined_len(dom, body);
    remove_repeats(dom, body);
    dom.strip_elements(body, Tag::DONE);
    dom.unwrap_all(body, Tags::of(&[Tag::DIV]));
    for id in dom.find_all(body, Tags::of(&[Tag::LB])) {
        let in_code = |dom: &Dom| {
            dom.ancestors(id)
                .any(|ancestor| matches!(dom.tag(ancestor), Tag::CODE | Tag::PRE))
        };
        if !dom.has_chars(dom.tail(id)) && !in_code(dom) {
            dom.set_tail(id, crate::dom::Span::NONE);
        }
    }
    Found { body, len }
}

/// Removes long elements that say the same as the one before.
fn remove_repeats(dom: &mut Dom, body: Id) {
    let mut previous = String::new();
    let children: Vec<Id> = dom.children(body).collect();
    for id in children {
        let text = clean_text(dom, id);
        if text == previous && code_points(&text) > MIN_DUPLICATE {
            dom.remove_with_tail(id);
        } else {
            previous = text;
        }
    }
}

/// Looks for the part with the main text in one way after the other, and takes what is in it.
fn main_part(dom: &mut Dom, top: Id, rules: &Rules, settings: &Settings) -> (Id, Tags) {
    let mut potential = TEXT_TAGS;
    if settings.tables {
        potential = potential.with(Tags::of(&[Tag::TABLE, Tag::TD, Tag::TH, Tag::TR]));
    }
    if settings.links {
        potential.add(Tag::REF);
    }
    let body = dom.element(Tag::BODY);
    for way in 0..Rules::WAYS {
        let Some(part) = rules.content(dom, top, way) else {
            continue;
        };
        remove_sections(dom, part, rules, settings, potential, false);
        if dom.is_leaf(part) {
            continue;
        }
        let factor = if settings.favor == Favor::Precision {
            1
        } else {
            3
        };
        // In the whole page, even if the part is no more in it.
        if !has_paragraphs(dom, top, MIN_EXTRACTED * factor) {
            potential.add(Tag::DIV);
        }
        take(dom, part, body, settings, potential);
        if dom.count_children(body, 2) > 1 {
            break;
        }
    }
    (body, potential)
}

/// Whether the paragraphs of a tree have so many characters.
fn has_paragraphs(dom: &Dom, root: Id, least: usize) -> bool {
    let mut chars = 0;
    let mut next = Some(root);
    while let Some(id) = next {
        if dom.tag(id) == Tag::P {
            chars += dom.text_len(id);
            if chars >= least {
                return true;
            }
            next = dom.following_outside(id, root);
        } else {
            next = dom.following(id, root);
        }
    }
    false
}

/// Moves or copies the text of `part` to the end of `body`.
fn take(dom: &mut Dom, part: Id, body: Id, settings: &Settings, potential: Tags) {
    let mut elements: Vec<Id> = dom.descendants(part).collect();
    let only = |allowed: Tags| elements.iter().all(|&id| allowed.has(dom.tag(id)));
    let one_run = only(Tags::of(&[Tag::LB]))
        || (dom.tag(part) == Tag::DIV
            && potential.has(Tag::DIV)
            && only(INLINE.with(Tags::of(&[Tag::LB]))));
    let start = dom.last(body);
    let mut lead = None;
    if one_run {
        elements = vec![part];
    } else if dom.has_chars(dom.text(part)) {
        let p = dom.element(Tag::P);
        dom.set_text(p, dom.text(part));
        lead = process(dom, p);
    }
    for id in elements {
        if dom.root(id) == body {
            continue;
        }
        let (tag, tail) = (dom.tag(id), dom.tail(id));
        let processed = blocks::text_element(dom, id, potential, settings);
        if let Some(processed) = processed {
            dom.append(body, processed);
            if dom.root(id) != body {
                dom.set_tag(id, Tag::DONE);
            }
        }
        if REBUILT.has(tag)
            && dom.has_chars(tail)
            && processed.is_none_or(|processed| dom.tail(processed).is_empty())
        {
            let p = dom.element(Tag::P);
            dom.set_text(p, tail);
            if process(dom, p).is_some() {
                dom.append(body, p);
            }
        }
    }
    while let Some(last) = dom.last(body)
        && matches!(dom.tag(last), Tag::HEAD | Tag::REF)
    {
        dom.remove_with_tail(last);
    }
    if dom.count_children(body, 2) > 1
        && let Some(lead) = lead
    {
        // Before what was taken here.
        match start.filter(|&start| dom.parent(start) == Some(body)) {
            None => dom.prepend(body, lead),
            Some(start) => match dom.next(start) {
                Some(next) => dom.insert_before(next, lead),
                None => dom.append(body, lead),
            },
        }
    }
}

/// Removes the sections of `top` that are no main text.
fn remove_sections(
    dom: &mut Dom,
    top: Id,
    rules: &Rules,
    settings: &Settings,
    potential: Tags,
    keep_teasers: bool,
) {
    remove_unless_most(dom, top, |dom, id| rules.is_discarded(dom, id));
    remove_matching(dom, top, |dom, id| {
        // Captions belong to images, which are not taken.
        crate::select::is_caption(dom, id)
    });
    let precise = settings.favor == Favor::Precision;
    if settings.favor != Favor::Recall {
        if !keep_teasers {
            remove_matching(dom, top, Rules::is_teaser);
        }
        if precise {
            remove_matching(dom, top, Rules::is_imprecise);
        }
    }
    for _ in 0..2 {
        remove_linked(dom, top, Tag::DIV, true, precise);
        remove_linked(dom, top, Tag::LIST, false, precise);
        remove_linked(dom, top, Tag::P, false, precise);
    }
    if potential.has(Tag::TABLE) || precise {
        remove_linked_tables(dom, top);
    }
    if precise {
        while let Some(last) = dom.last(top)
            && dom.tag(last) == Tag::HEAD
        {
            dom.remove_with_tail(last);
        }
        remove_linked(dom, top, Tag::HEAD, false, true);
        remove_linked(dom, top, Tag::QUOTE, false, true);
    }
    let mut unwrapped = Tags::of(&[Tag::SPAN]);
    if !potential.has(Tag::REF) {
        unwrapped.add(Tag::REF);
    }
    dom.unwrap_all(top, unwrapped);
}
