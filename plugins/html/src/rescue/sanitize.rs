//! Makes of readability's text a tree as the rules make it.

use super::spaced_len;
use crate::body::Found;
use crate::clean::{convert, strip};
use crate::dom::{Dom, Id, Rend, Tag, Tags};
use crate::extract::Settings;
use std::collections::HashSet;

const KNOWN: Tags = Tags::of(&[
    Tag::BODY,
    Tag::CELL,
    Tag::CODE,
    Tag::DEL,
    Tag::DIV,
    Tag::GRAPHIC,
    Tag::HEAD,
    Tag::HI,
    Tag::ITEM,
    Tag::LB,
    Tag::LIST,
    Tag::P,
    Tag::QUOTE,
    Tag::REF,
    Tag::ROW,
    Tag::TABLE,
]);

pub(super) fn sanitize(dom: &mut Dom, top: Id, settings: &Settings) -> Found {
    let body = strip(dom, top, settings);
    let mut unwrapped = Tags::of(&[Tag::SPAN]);
    if !settings.links {
        unwrapped.add(Tag::A);
    }
    dom.unwrap_all(body, unwrapped);
    convert(dom, body, settings);
    let mut had_head = HashSet::new();
    for row in dom.find_all(body, Tags::of(&[Tag::TR])) {
        let heads: Vec<Id> = dom
            .children(row)
            .filter(|&id| dom.tag(id) == Tag::TH)
            .collect();
        if !heads.is_empty() && had_head.insert(dom.parent(row)) {
            for head in heads {
                dom.set_rend(head, Rend::Head);
            }
        }
    }
    dom.visit(body, Tags::of(&[Tag::TD, Tag::TH, Tag::TR]), |dom, id| {
        let tag = if dom.tag(id) == Tag::TR {
            Tag::ROW
        } else {
            Tag::CELL
        };
        dom.set_tag(id, tag);
    });
    dom.unwrap_others(body, KNOWN);
    let len = spaced_len(dom, body);
    Found { body, len }
}
