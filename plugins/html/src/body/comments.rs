//! Comments under the main text.

use super::nodes::{How, clear, text_node};
use super::{TEXT_TAGS, clean_text};
use crate::clean::remove_matching;
use crate::dom::{Dom, Id, Tag, Tags};
use crate::select::Rules;

/// Takes the comments out of a converted tree: a new tree of them.
pub(crate) fn comments(dom: &mut Dom, top: Id) -> Id {
    let body = dom.element(Tag::BODY);
    for way in 0..Rules::COMMENT_WAYS {
        let Some(part) = Rules::comments(dom, top, way) else {
            continue;
        };
        remove_matching(dom, part, Rules::is_no_comment);
        dom.unwrap_all(part, Tags::of(&[Tag::REF, Tag::SPAN]));
        let elements: Vec<Id> = dom.descendants(part).collect();
        for id in elements {
            if TEXT_TAGS.has(dom.tag(id)) && text_node(dom, id, How::Comment).is_some() {
                clear(dom, id);
                dom.append(body, id);
            }
        }
        if !dom.is_leaf(body) {
            dom.remove_with_tail(part);
            break;
        }
    }
    body
}

/// Adds the posts of a forum to `body` that are not in it. Whether there are any.
pub(crate) fn salvage(dom: &mut Dom, posts: Id, body: Id) -> bool {
    let existing: Vec<String> = dom.children(body).map(|id| clean_text(dom, id)).collect();
    let existing = existing.join("\n");
    let missing: Vec<Id> = dom
        .children(posts)
        .filter(|&id| {
            let text = clean_text(dom, id);
            !text.is_empty() && !existing.contains(&text)
        })
        .collect();
    for &id in &missing {
        dom.append(body, id);
    }
    !missing.is_empty()
}
