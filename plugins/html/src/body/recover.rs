//! Text outside of the part that was found.

use super::blocks::text_element;
use super::{DUPLICATE_SCAN, MIN_DUPLICATE, clean_text, remove_sections};
use crate::dom::{Attr, Dom, Id, Tag, Tags};
use crate::extract::{Favor, Settings};
use crate::select::{Rules, value};
use djhost_sdk::text::{code_points, is_space};
use memchr::memmem;
use std::collections::HashSet;

const WILD: Tags = Tags::of(&[Tag::CODE, Tag::P, Tag::QUOTE, Tag::TABLE]);
const WILDER: Tags = Tags::of(&[Tag::DIV, Tag::LB, Tag::LIST]);

/// Adds paragraphs, quotes and tables of the whole page to `body`; where recall matters, all that has
/// text. `consumed` has been taken already.
pub(super) fn recover(
    dom: &mut Dom,
    top: Id,
    body: Id,
    rules: &Rules,
    settings: &Settings,
    mut potential: Tags,
    consumed: &HashSet<Id>,
) {
    let recall = settings.favor == Favor::Recall;
    let mut wild = WILD;
    if recall {
        potential = potential.with(Tags::of(&[Tag::DIV, Tag::LB]));
        wild = wild.with(WILDER);
    }
    remove_sections(dom, top, rules, settings, potential, false);
    let found: Vec<Id> = dom
        .descendants(top)
        .filter(|&id| {
            wild.has(dom.tag(id))
                || (dom.tag(id) == Tag::DIV && value(dom, id, Attr::Class).contains("w3-code"))
        })
        .collect();
    let texts: Vec<String> = dom.children(body).map(|id| clean_text(dom, id)).collect();
    let mut existing = String::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        existing.push_str(if existing.is_empty() { "" } else { "\n" });
        existing.push_str(text);
    }
    let mut existing_chars = code_points(&existing);
    let mut known: HashSet<String> = texts.into_iter().collect();
    // Taken whole: what is in them is taken.
    let mut handled: HashSet<Id> = HashSet::new();
    for id in found {
        if consumed.contains(&id)
            || dom
                .ancestors(id)
                .any(|ancestor| handled.contains(&ancestor))
        {
            continue;
        }
        let Some(processed) = text_element(dom, id, potential, settings) else {
            continue;
        };
        if processed == id {
            handled.insert(id);
        }
        let text = clean_text(dom, processed);
        let scanned = existing_chars <= DUPLICATE_SCAN;
        // A copy with the text behind it is a piece of a run of text.
        let mut piece = String::new();
        if dom.has_chars(dom.tail(processed)) {
            piece.push_str(&text);
            let tail = dom.str(dom.tail(processed));
            if tail.starts_with(is_space) && !piece.is_empty() {
                piece.push(' ');
            }
            let words: Vec<&str> = tail
                .split(is_space)
                .filter(|word| !word.is_empty())
                .collect();
            piece.push_str(&words.join(" "));
        }
        let within = |part: &str| memmem::find(existing.as_bytes(), part.as_bytes()).is_some();
        if !text.is_empty()
            && (known.contains(&text)
                || (scanned
                    && ((code_points(&text) > MIN_DUPLICATE && within(&text))
                        || (!piece.is_empty() && within(&piece)))))
        {
            continue;
        }
        dom.append(body, processed);
        if scanned {
            let added = if piece.is_empty() { &text } else { &piece };
            existing.push('\n');
            existing.push_str(added);
            existing_chars += code_points(added) + 1;
        }
        known.insert(text);
    }
}
