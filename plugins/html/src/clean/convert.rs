//! Gives elements the names by which the main text is found.

use crate::dom::{Attr, Dom, Id, Rend, Tag, Tags};
use crate::extract::Settings;
use crate::select::value;

const FORMATTED: Tags = Tags::of(&[
    Tag::EM,
    Tag::I,
    Tag::B,
    Tag::STRONG,
    Tag::U,
    Tag::KBD,
    Tag::SAMP,
    Tag::TT,
    Tag::VAR,
    Tag::SUB,
    Tag::SUP,
]);
const CONVERTED: Tags = Tags::of(&[
    Tag::DL,
    Tag::OL,
    Tag::UL,
    Tag::H1,
    Tag::H2,
    Tag::H3,
    Tag::H4,
    Tag::H5,
    Tag::H6,
    Tag::BR,
    Tag::HR,
    Tag::BLOCKQUOTE,
    Tag::PRE,
    Tag::Q,
    Tag::DEL,
    Tag::S,
    Tag::STRIKE,
    Tag::DETAILS,
]);
const ITEMS: Tags = Tags::of(&[Tag::DD, Tag::DT, Tag::LI]);

/// Renames the elements under `top`, and drops links and formatting that are not wanted.
pub(crate) fn convert(dom: &mut Dom, top: Id, settings: &Settings) {
    links(dom, top, settings);
    for id in dom.find_all(top, Tags::of(&[Tag::STRONG])) {
        if value(dom, id, Attr::Class).contains("schema-faq-question") {
            dom.clear_attrs(id);
            dom.set_rend(id, Rend::Heading(3));
            dom.set_tag(id, Tag::HEAD);
        }
    }
    for id in dom.find_all(top, Tags::of(&[Tag::SUB, Tag::SUP])) {
        if dom.text(id).is_empty() && dom.is_leaf(id) {
            dom.remove(id);
        }
    }
    if settings.formatting {
        dom.visit(top, FORMATTED, |dom, id| {
            let rend = match dom.tag(id) {
                Tag::EM | Tag::I => Rend::Italic,
                Tag::B | Tag::STRONG => Rend::Bold,
                Tag::U => Rend::Underline,
                Tag::SUB => Rend::Sub,
                Tag::SUP => Rend::Sup,
                _ => Rend::Typewriter,
            };
            dom.clear_attrs(id);
            dom.set_rend(id, rend);
            dom.set_tag(id, Tag::HI);
        });
    } else {
        dom.unwrap_all(top, FORMATTED);
    }
    dom.visit(top, CONVERTED, |dom, id| match dom.tag(id) {
        list @ (Tag::DL | Tag::OL | Tag::UL) => {
            if list == Tag::OL {
                dom.set_rend(id, Rend::Ordered);
            }
            dom.set_tag(id, Tag::LIST);
            dom.visit(id, ITEMS, |dom, item| dom.set_tag(item, Tag::ITEM));
        }
        heading if heading.is_heading() => {
            dom.clear_attrs(id);
            dom.set_rend(id, Rend::Heading((heading.0 - Tag::H1.0) as u8 + 1));
            dom.set_tag(id, Tag::HEAD);
        }
        Tag::BR | Tag::HR => dom.set_tag(id, Tag::LB),
        Tag::DEL | Tag::S | Tag::STRIKE => dom.set_tag(id, Tag::DEL),
        Tag::DETAILS => {
            dom.set_tag(id, Tag::DIV);
            dom.visit(id, Tags::of(&[Tag::SUMMARY]), |dom, id| {
                dom.set_tag(id, Tag::HEAD)
            });
        }
        _ => {
            let code = dom.tag(id) == Tag::PRE && is_code(dom, id);
            dom.set_tag(id, if code { Tag::CODE } else { Tag::QUOTE });
        }
    });
}

fn links(dom: &mut Dom, top: Id, settings: &Settings) {
    if settings.links {
        dom.visit(top, Tags::of(&[Tag::A, Tag::REF]), |dom, id| {
            let target = dom.attr_span(id, Attr::Href).unwrap_or_default();
            dom.set_tag(id, Tag::REF);
            dom.clear_attrs(id);
            dom.set_target(id, target);
        });
        return;
    }
    let containers = Tags::of(&[Tag::DIV, Tag::LI, Tag::P]).with(match settings.tables {
        true => Tags::of(&[Tag::TABLE]),
        false => Tags::default(),
    });
    for id in dom.find_all(top, Tags::of(&[Tag::A])) {
        let container = dom
            .ancestors(id)
            .find(|&ancestor| containers.has(dom.tag(ancestor)));
        if container.is_some_and(|container| container != top) {
            dom.set_tag(id, Tag::REF);
        }
    }
    dom.unwrap_all(top, Tags::of(&[Tag::A]));
}

/// Whether preformatted text looks like a program.
fn is_code(dom: &mut Dom, id: Id) -> bool {
    let highlighted: Vec<Id> = dom
        .descendants(id)
        .filter(|&id| dom.tag(id) == Tag::SPAN && value(dom, id, Attr::Class).starts_with("hljs"))
        .collect();
    for &id in &highlighted {
        dom.clear_attrs(id);
    }
    let text = dom.str(dom.text(id));
    (dom.count_children(id, 2) == 1 && dom.first(id).is_some_and(|only| dom.tag(only) == Tag::SPAN))
        || !highlighted.is_empty()
        || ["{", "(\"", "('", "\n    "]
            .iter()
            .any(|mark| text.contains(mark))
}
