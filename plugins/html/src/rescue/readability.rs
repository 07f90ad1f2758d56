//! The main text by scores of containers, after arc90's readability.

use crate::body::Found;
use crate::dom::{Attr, Dom, Id, Span, Tag, Tags};
use crate::parse::reparse;
use crate::select::{Rules, value};
use djhost_sdk::text::code_points;
use std::collections::HashMap;

/// A paragraph of fewer characters says nothing about its container.
const MIN_TEXT: usize = 25;

const HEADINGS: Tags = Tags::of(&[Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5, Tag::H6]);
const PARAGRAPHS: Tags = Tags::of(&[Tag::P, Tag::PRE, Tag::TD]);
const CONTAINERS: Tags = Tags::of(&[
    Tag::TABLE,
    Tag::UL,
    Tag::DIV,
    Tag::ASIDE,
    Tag::HEADER,
    Tag::FOOTER,
    Tag::SECTION,
]);

/// Scores of containers, in the order in which they were found.
#[derive(Default)]
struct Scores {
    order: Vec<(Id, f64)>,
    places: HashMap<Id, usize>,
}

impl Scores {
    fn get(&self, id: Id) -> Option<f64> {
        self.places.get(&id).map(|&place| self.order[place].1)
    }

    fn add(&mut self, id: Id, score: f64) {
        self.order[self.places[&id]].1 += score;
    }
}

/// The main text of a page. The tree is used up.
pub(super) fn readable(dom: &mut Dom, top: Id, rules: &Rules) -> Option<Found> {
    for id in dom.find_all(top, Tags::of(&[Tag::SCRIPT, Tag::STYLE, Tag::FENCEDFRAME])) {
        dom.remove(id);
    }
    remove_unlikely(dom, top, rules);
    divs_to_paragraphs(dom, top);
    let scores = score(dom, top, rules);
    let mut best: Option<(Id, f64)> = None;
    for &(id, score) in &scores.order {
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((id, score));
        }
    }
    let article = match best {
        Some((id, score)) => article(dom, id, score, &scores),
        None => dom
            .children(top)
            .find(|&id| dom.tag(id) == Tag::BODY)
            .unwrap_or(top),
    };
    sanitize(dom, article, rules, &scores);
    let body = reparse(dom, article)?;
    let len = dom.words_len(body);
    Some(Found { body, len })
}

fn remove_unlikely(dom: &mut Dom, top: Id, rules: &Rules) {
    let unlikely: Vec<Id> = dom
        .descendants(top)
        .filter(|&id| {
            if dom.attrs(id).is_empty() || matches!(dom.tag(id), Tag::BODY | Tag::HTML) {
                return false;
            }
            let mut names = value(dom, id, Attr::Class).to_lowercase();
            let id_name = value(dom, id, Attr::Id);
            if !names.is_empty() && !id_name.is_empty() {
                names.push(' ');
            }
            names.push_str(&id_name.to_lowercase());
            names.len() >= 2 && rules.unlikely.match_in(&names) && !rules.maybe.match_in(&names)
        })
        .collect();
    for id in unlikely {
        dom.remove(id);
    }
}

/// Whether an element keeps a `div` from being a paragraph.
fn is_block(tag: Tag) -> bool {
    [
        "address",
        "article",
        "aside",
        "audio",
        "blockquote",
        "dl",
        "div",
        "img",
        "ol",
        "p",
        "table",
        "ul",
    ]
    .iter()
    .any(|start| tag.name().starts_with(start))
}

fn divs_to_paragraphs(dom: &mut Dom, top: Id) {
    let divs = Tags::of(&[Tag::DIV]);
    for id in dom.find_all(top, divs) {
        let block = dom.descendants(id).any(|id| is_block(dom.tag(id)));
        if !block
            && (!dom.contains(id, Tag::A)
                || dom.has_chars(dom.text(id))
                || dom.children(id).any(|child| dom.has_chars(dom.tail(child))))
        {
            dom.set_tag(id, Tag::P);
        }
    }
    for id in dom.find_all(top, divs) {
        let children: Vec<Id> = dom.children(id).collect();
        if dom.has_chars(dom.text(id)) {
            let p = dom.element(Tag::P);
            dom.set_text(p, dom.text(id));
            dom.set_text(id, Span::NONE);
            dom.prepend(id, p);
        }
        for child in children.into_iter().rev() {
            if dom.has_chars(dom.tail(child)) {
                let p = dom.element(Tag::P);
                dom.set_text(p, dom.tail(child));
                dom.set_tail(child, Span::NONE);
                match dom.next(child) {
                    Some(next) => dom.insert_before(next, p),
                    None => dom.append(id, p),
                }
            }
            if dom.tag(child) == Tag::BR {
                dom.remove(child);
            }
        }
    }
}

fn link_density(dom: &Dom, id: Id) -> f64 {
    let links: usize = dom
        .descendants(id)
        .filter(|&link| dom.tag(link) == Tag::A)
        .map(|link| dom.words_len(link))
        .sum();
    if links == 0 {
        return 0.0;
    }
    links as f64 / dom.words_len(id).max(1) as f64
}

fn class_weight(dom: &Dom, id: Id, rules: &Rules) -> f64 {
    [Attr::Class, Attr::Id]
        .into_iter()
        .map(|name| {
            let names = value(dom, id, name);
            25.0 * (f64::from(rules.positive.match_in(names))
                - f64::from(rules.negative.match_in(names)))
        })
        .sum()
}

fn tag_score(tag: Tag) -> f64 {
    match tag {
        Tag::DIV | Tag::ARTICLE => 5.0,
        Tag::PRE | Tag::TD | Tag::BLOCKQUOTE => 3.0,
        Tag::ADDRESS
        | Tag::OL
        | Tag::UL
        | Tag::DL
        | Tag::DD
        | Tag::DT
        | Tag::LI
        | Tag::FORM
        | Tag::ASIDE => -3.0,
        Tag::TH | Tag::HEADER | Tag::FOOTER | Tag::NAV => -5.0,
        tag if tag.is_heading() => -5.0,
        _ => 0.0,
    }
}

fn commas(dom: &Dom, id: Id) -> usize {
    dom.texts(id)
        .map(|text| memchr::memchr_iter(b',', text.as_bytes()).count())
        .sum()
}

fn score(dom: &Dom, top: Id, rules: &Rules) -> Scores {
    let mut scores = Scores::default();
    for id in dom.iter(top).filter(|&id| PARAGRAPHS.has(dom.tag(id))) {
        let Some(parent) = dom.parent(id) else {
            continue;
        };
        let len = dom.words_len(id);
        if len < MIN_TEXT {
            continue;
        }
        let above = [Some(parent), dom.parent(parent)];
        for node in above.into_iter().flatten() {
            if !scores.places.contains_key(&node) {
                scores.places.insert(node, scores.order.len());
                let first = class_weight(dom, node, rules) + tag_score(dom.tag(node));
                scores.order.push((node, first));
            }
        }
        let score = 2.0 + commas(dom, id) as f64 + (len as f64 / 100.0).min(3.0);
        scores.add(parent, score);
        if let Some(above) = above[1] {
            scores.add(above, score / 2.0);
        }
    }
    for (id, score) in &mut scores.order {
        *score *= 1.0 - link_density(dom, *id);
    }
    scores
}

/// The best container with those next to it that belong to it.
fn article(dom: &mut Dom, best: Id, score: f64, scores: &Scores) -> Id {
    let threshold = (score * 0.2).max(10.0);
    let output = dom.element(Tag::DIV);
    let siblings: Vec<Id> = match dom.parent(best) {
        Some(parent) => dom.children(parent).collect(),
        None => vec![best],
    };
    for id in siblings {
        let belongs = if id == best || scores.get(id).is_some_and(|score| score >= threshold) {
            true
        } else if dom.tag(id) == Tag::P {
            let text = dom.str(dom.text(id));
            let len = code_points(text);
            let density = link_density(dom, id);
            if len > 80 {
                density < 0.25
            } else {
                density == 0.0
                    && (text.contains(". ") || text.ends_with('.') || text.ends_with(".\n"))
            }
        } else {
            false
        };
        if belongs {
            dom.append(output, id);
        }
    }
    output
}

/// Removes headings, forms and containers that are no part of a text.
fn sanitize(dom: &mut Dom, top: Id, rules: &Rules, scores: &Scores) {
    for id in dom.find_all(top, HEADINGS) {
        if class_weight(dom, id, rules) < 0.0 || link_density(dom, id) > 0.33 {
            dom.remove(id);
        }
    }
    for id in dom.find_all(top, Tags::of(&[Tag::FORM, Tag::TEXTAREA])) {
        dom.remove(id);
    }
    for id in dom.find_all(top, Tags::of(&[Tag::IFRAME])) {
        let source = value(dom, id, Attr::Src).to_ascii_lowercase();
        let host = source
            .split_once("://")
            .filter(|(scheme, _)| scheme.ends_with("http") || scheme.ends_with("https"))
            .map_or("", |(_, rest)| rest.strip_prefix("www.").unwrap_or(rest));
        if host.starts_with("youtube.com") || host.starts_with("vimeo.com") {
            let text = dom.add("VIDEO");
            dom.set_text(id, text);
        } else {
            dom.remove(id);
        }
    }
    for id in dom.find_all(top, CONTAINERS).into_iter().rev() {
        let weight = class_weight(dom, id, rules);
        if weight + scores.get(id).unwrap_or(0.0) < 0.0
            || (commas(dom, id) < 10 && is_unfit(dom, id, weight))
        {
            dom.remove(id);
        }
    }
}

/// Whether a container with few commas is no part of a text.
fn is_unfit(dom: &Dom, id: Id, weight: f64) -> bool {
    let (mut p, mut img, mut li, mut embed, mut input) = (0i64, 0i64, -100i64, 0, 0i64);
    for inner in dom.descendants(id) {
        match dom.tag(inner) {
            Tag::P => p += 1,
            Tag::IMG => img += 1,
            Tag::LI => li += 1,
            Tag::EMBED => embed += 1,
            Tag::INPUT => input += i64::from(dom.attr(inner, Attr::Type) != Some("hidden")),
            _ => {}
        }
    }
    let len = dom.words_len(id);
    let most_links = if weight >= 25.0 { 0.5 } else { 0.2 };
    if (p > 0 && img as f64 > 1.0 + p as f64 * 1.3)
        || (li > p && !matches!(dom.tag(id), Tag::OL | Tag::UL))
        || input as f64 > p as f64 / 3.0
        || (len < MIN_TEXT && (img == 0 || img > 2))
        || link_density(dom, id) > most_links
        || (embed == 1 && len < 75)
        || embed > 1
    {
        return true;
    }
    len == 0 && {
        // Kept between long neighbours.
        let mut neighbours = 0;
        for step in [Dom::next, Dom::prev] {
            let mut at = step(dom, id);
            while let Some(sibling) = at {
                let len = dom.words_len(sibling);
                if len > 0 {
                    neighbours += len;
                    break;
                }
                at = step(dom, sibling);
            }
        }
        neighbours <= 1000
    }
}
