//! Removes what is never text.

use crate::dom::{Attr, Dom, Id, Tag, Tags};
use crate::extract::{Favor, Settings};

/// Removed with all in them, in this order.
const REMOVED: [Tag; 48] = [
    Tag::ASIDE,
    Tag::EMBED,
    Tag::FENCEDFRAME,
    Tag::FOOTER,
    Tag::HEAD,
    Tag::IFRAME,
    Tag::MENU,
    Tag::OBJECT,
    Tag::SCRIPT,
    Tag::APPLET,
    Tag::AUDIO,
    Tag::CANVAS,
    Tag::FIGURE,
    Tag::MAP,
    Tag::PICTURE,
    Tag::SVG,
    Tag::VIDEO,
    Tag::AREA,
    Tag::BLINK,
    Tag::BUTTON,
    Tag::DATALIST,
    Tag::DIALOG,
    Tag::FRAME,
    Tag::FRAMESET,
    Tag::FIELDSET,
    Tag::LINK,
    Tag::INPUT,
    Tag::LABEL,
    Tag::LEGEND,
    Tag::MARQUEE,
    Tag::MATH,
    Tag::MENUITEM,
    Tag::NAV,
    Tag::NOINDEX,
    Tag::NOSCRIPT,
    Tag::OPTGROUP,
    Tag::OPTION,
    Tag::OUTPUT,
    Tag::PARAM,
    Tag::PROGRESS,
    Tag::RP,
    Tag::RT,
    Tag::RTC,
    Tag::SELECT,
    Tag::SOURCE,
    Tag::STYLE,
    Tag::TRACK,
    Tag::TEXTAREA,
];
const REMOVED_LAST: [Tag; 2] = [Tag::TIME, Tag::USE];
const TABLES: [Tag; 4] = [Tag::TABLE, Tag::TD, Tag::TH, Tag::TR];

/// What is in them stays.
const UNWRAPPED: Tags = Tags::of(&[
    Tag::ABBR,
    Tag::ACRONYM,
    Tag::ADDRESS,
    Tag::BDI,
    Tag::BDO,
    Tag::BIG,
    Tag::CITE,
    Tag::DATA,
    Tag::DFN,
    Tag::FONT,
    Tag::HGROUP,
    Tag::IMG,
    Tag::INS,
    Tag::MARK,
    Tag::META,
    Tag::NOBR,
    Tag::RUBY,
    Tag::SMALL,
    Tag::TBODY,
    Tag::TEMPLATE,
    Tag::TFOOT,
    Tag::THEAD,
    Tag::WBR,
]);

/// Removed if they are empty.
const NOT_EMPTY: Tags = Tags::of(&[
    Tag::ARTICLE,
    Tag::B,
    Tag::BLOCKQUOTE,
    Tag::DD,
    Tag::DIV,
    Tag::DT,
    Tag::EM,
    Tag::H1,
    Tag::H2,
    Tag::H3,
    Tag::H4,
    Tag::H5,
    Tag::H6,
    Tag::I,
    Tag::LI,
    Tag::MAIN,
    Tag::P,
    Tag::PRE,
    Tag::Q,
    Tag::SECTION,
    Tag::SPAN,
    Tag::STRONG,
]);

/// Removes what is never text from the tree under `top`. Returns the root of what is left.
pub(crate) fn strip(dom: &mut Dom, top: Id, settings: &Settings) -> Id {
    formulas(dom, top);
    if settings.tables {
        layouts(dom, top);
    }
    dom.unwrap_all(top, UNWRAPPED);

    let removed = REMOVED
        .into_iter()
        .chain(REMOVED_LAST)
        .chain(TABLES.into_iter().filter(|_| !settings.tables));
    let mut present = Tags::default();
    for id in dom.iter(top) {
        if dom.tag(id).0 < Tag::KNOWN {
            present.add(dom.tag(id));
        }
    }
    let removed: Vec<Tag> = removed.filter(|&tag| present.has(tag)).collect();
    let all_removed = Tags::of(&removed);
    // If no paragraph would be left, none is removed.
    let survives = |dom: &Dom, id: Id| {
        dom.tag(id) == Tag::P
            && !dom
                .ancestors(id)
                .any(|ancestor| all_removed.has(dom.tag(ancestor)) && ancestor != top)
    };
    let spared = settings.favor == Favor::Recall
        && present.has(Tag::P)
        && !dom.descendants(top).any(|id| survives(dom, id));
    let spare = spared.then(|| dom.copy(top));
    for tag in removed {
        dom.visit(top, Tags::of(&[tag]), Dom::remove);
    }
    let top = match spare {
        Some(spare) if !dom.contains(top, Tag::P) => spare,
        _ => top,
    };
    forms(dom, top);
    empty(dom, top, settings.favor);
    top
}

/// Puts the LaTeX source of formulas behind them, where it stays.
fn formulas(dom: &mut Dom, top: Id) {
    for id in dom.find_all(top, Tags::of(&[Tag::MATH])) {
        let annotation = dom.descendants(id).find(|&id| {
            dom.tag(id) == Tag::ANNOTATION
                && dom.attr(id, Attr::Encoding) == Some("application/x-tex")
        });
        let source = match annotation {
            Some(annotation) => dom.text(annotation),
            None => dom.attr_span(id, Attr::Alttext).unwrap_or_default(),
        };
        let source = dom.trimmed(source);
        if source.is_empty() {
            continue;
        }
        let source = dom.str(source);
        let formula = match dom.attr(id, Attr::Display) {
            Some("block") => format!("\\[{source}\\]"),
            _ => format!("\\({source}\\)"),
        };
        let formula = dom.add(&formula);
        let tail = dom.join(formula, dom.tail(id));
        dom.set_tail(id, tail);
    }
}

/// Figures with tables and tables for layout are no figures and tables.
fn layouts(dom: &mut Dom, top: Id) {
    dom.visit(top, Tags::of(&[Tag::FIGURE, Tag::TABLE]), |dom, id| {
        let layout = match dom.tag(id) {
            Tag::FIGURE => dom.contains(id, Tag::TABLE),
            _ => matches!(dom.attr(id, Attr::Role), Some("presentation" | "none")),
        };
        if layout {
            dom.set_tag(id, Tag::DIV);
        }
    });
}

/// Removes forms, but for those around most of the page.
fn forms(dom: &mut Dom, top: Id) {
    let forms: Vec<Id> = dom
        .iter(top)
        .filter(|&id| dom.tag(id) == Tag::FORM)
        .collect();
    if forms.is_empty() {
        return;
    }
    let total = dom.text_len(top);
    for form in forms {
        if total > 0 && dom.text_len(form) * 2 > total {
            dom.set_tag(form, Tag::DIV);
        } else {
            dom.remove(form);
        }
    }
}

/// Removes empty elements; where precision matters, with the texts behind them.
fn empty(dom: &mut Dom, top: Id, favor: Favor) {
    let empty: Vec<Id> = dom
        .descendants(top)
        .filter(|&id| NOT_EMPTY.has(dom.tag(id)) && dom.is_leaf(id) && dom.text(id).is_empty())
        .collect();
    for id in empty {
        if favor == Favor::Precision {
            dom.remove_with_tail(id);
        } else {
            dom.remove(id);
        }
    }
}
