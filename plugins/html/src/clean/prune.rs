//! Removes sections by their names.

use crate::dom::{Dom, Id};

/// Removes all in `top` that match. The texts behind them stay.
pub(crate) fn remove_matching(dom: &mut Dom, top: Id, matches: impl Fn(&Dom, Id) -> bool) {
    let found: Vec<Id> = dom
        .descendants(top)
        .filter(|&id| matches(dom, id))
        .collect();
    for id in found {
        dom.remove(id);
    }
}

/// Like [`remove_matching`], unless less than a seventh of the text would be left.
pub(crate) fn remove_unless_most(dom: &mut Dom, top: Id, matches: impl Fn(&Dom, Id) -> bool) {
    let mut outer = Vec::new();
    let mut next = dom.following(top, top);
    while let Some(id) = next {
        next = if matches(dom, id) {
            outer.push(id);
            dom.following_outside(id, top)
        } else {
            dom.following(id, top)
        };
    }
    if outer.is_empty() {
        return;
    }
    let all = dom.text_len(top);
    let removed: usize = outer.iter().map(|&id| dom.text_len(id)).sum();
    if (all - removed) * 7 > all {
        for id in outer {
            dom.remove(id);
        }
    }
}
