//! Removes sections that are mostly links.

use crate::dom::{Dom, Id, Tag, Tags};

/// What the links in a section amount to.
#[derive(Debug, Default)]
struct Links {
    /// Those with a text.
    texts: usize,
    /// Those with a text of fewer than ten characters.
    short: usize,
    /// Characters of all texts.
    chars: usize,
}

impl Links {
    fn of(dom: &Dom, links: &[Id]) -> Self {
        let mut all = Self::default();
        for &link in links {
            let len = dom.words_len(link);
            if len > 0 {
                all.texts += 1;
                all.chars += len;
                all.short += usize::from(len < 10);
            }
        }
        all
    }
}

const REFS: Tags = Tags::of(&[Tag::REF]);

/// Whether a section is mostly links, and whether it is a short one with links.
fn is_linked(dom: &Dom, id: Id, precise: bool) -> (bool, bool) {
    if dom.is_leaf(id) {
        return (false, false);
    }
    let links = dom.find_all(id, REFS);
    if links.is_empty() {
        return (false, false);
    }
    let len = dom.words_len(id);
    if let [link] = links[..] {
        let least = if precise { 10 } else { 100 };
        let link_len = dom.words_len(link);
        if link_len > least && link_len as f64 > len as f64 * 0.9 {
            return (true, false);
        }
    }
    let limit = match (dom.tag(id) == Tag::P, dom.next(id).is_none()) {
        (true, true) => 60,
        (true, false) => 30,
        (false, true) => 300,
        (false, false) => 100,
    };
    if len < limit {
        let links = Links::of(dom, &links);
        if links.texts == 0 {
            return (true, false);
        }
        let linked = links.chars as f64 > len as f64 * 0.8
            || (links.texts > 1 && links.short as f64 / links.texts as f64 > 0.8);
        return (linked, true);
    }
    if links.len() > 4 {
        let all = Links::of(dom, &links);
        if all.chars as f64 > len as f64 * 0.9
            && all.chars < 100 * all.texts
            && !is_listing(dom, &links)
        {
            return (true, false);
        }
    }
    (false, false)
}

/// Whether each link stands alone in its paragraph, as in a list of documents.
fn is_listing(dom: &Dom, links: &[Id]) -> bool {
    links.iter().all(|&link| {
        dom.parent(link).is_some_and(|parent| {
            dom.tag(parent) == Tag::P
                && dom
                    .descendants(parent)
                    .filter(|&id| dom.tag(id) == Tag::REF)
                    .nth(1)
                    .is_none()
        })
    })
}

/// Removes the elements of this name that are mostly links. `short`: also short ones with links and
/// several children.
pub(crate) fn remove_linked(dom: &mut Dom, top: Id, tag: Tag, short: bool, precise: bool) {
    let (chars, children) = if precise { (200, 1) } else { (100, 3) };
    let kept_in = Tags::of(&[Tag::ITEM, Tag::TD, Tag::TH]);
    let removed: Vec<Id> = dom
        .iter(top)
        .filter(|&id| dom.tag(id) == tag)
        .filter(|&id| {
            let (linked, short_linked) = is_linked(dom, id, precise);
            let removed = linked
                || (short
                    && short_linked
                    && dom.count_children(id, children) >= children
                    && !dom.has_words_len(id, chars));
            // The paragraph of a list's item stays with it.
            removed
                && !(tag == Tag::P
                    && dom
                        .parent(id)
                        .is_some_and(|parent| kept_in.has(dom.tag(parent))))
        })
        .collect();
    for id in removed {
        dom.remove(id);
    }
}

/// Removes tables that are mostly links.
pub(crate) fn remove_linked_tables(dom: &mut Dom, top: Id) {
    let removed: Vec<Id> = dom
        .iter(top)
        .filter(|&id| dom.tag(id) == Tag::TABLE)
        .filter(|&id| {
            let links = dom.find_all(id, REFS);
            if links.is_empty() {
                return false;
            }
            let len = dom.words_len(id);
            let links = Links::of(dom, &links);
            let share = if len < 1000 { 0.8 } else { 0.5 };
            len >= 200 && links.chars as f64 > share * len as f64
        })
        .collect();
    for id in removed {
        dom.remove_with_tail(id);
    }
}
