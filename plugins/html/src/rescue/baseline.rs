//! The text of a page without rules: of articles, of paragraphs, or of all.

use super::embedded;
use crate::body::{DUPLICATE_SCAN, Found, MIN_DUPLICATE};
use crate::clean::remove_matching;
use crate::dom::{Dom, Id, Tag, Tags};
use crate::output::without_controls;
use crate::select::Rules;
use djhost_sdk::text::{code_points, is_space};

/// Fewer characters are no content.
const MIN_CONTENT: usize = 100;

const BLOCKS: Tags = Tags::of(&[
    Tag::ADDRESS,
    Tag::ARTICLE,
    Tag::ASIDE,
    Tag::BLOCKQUOTE,
    Tag::BR,
    Tag::DD,
    Tag::DIV,
    Tag::DL,
    Tag::DT,
    Tag::FIGCAPTION,
    Tag::FIGURE,
    Tag::FOOTER,
    Tag::FORM,
    Tag::H1,
    Tag::H2,
    Tag::H3,
    Tag::H4,
    Tag::H5,
    Tag::H6,
    Tag::HEADER,
    Tag::HR,
    Tag::LI,
    Tag::MAIN,
    Tag::NAV,
    Tag::OL,
    Tag::P,
    Tag::PRE,
    Tag::SECTION,
    Tag::SUMMARY,
    Tag::TABLE,
    Tag::TD,
    Tag::TH,
    Tag::TR,
    Tag::UL,
]);
const SCRAPED: Tags = Tags::of(&[
    Tag::BLOCKQUOTE,
    Tag::CODE,
    Tag::P,
    Tag::PRE,
    Tag::Q,
    Tag::QUOTE,
]);

/// The text in `top` with single spaces, also between blocks.
pub(crate) fn block_text(dom: &Dom, top: Id) -> String {
    let mut out = String::new();
    let mut space = false;
    let mut add = |text: &str, apart: bool| {
        space |= apart;
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
    };
    let mut at = top;
    'open: loop {
        add(dom.str(dom.text(at)), BLOCKS.has(dom.tag(at)));
        if let Some(child) = dom.first(at) {
            at = child;
            continue;
        }
        while at != top {
            add(dom.str(dom.tail(at)), BLOCKS.has(dom.tag(at)));
            if let Some(next) = dom.next(at) {
                at = next;
                continue 'open;
            }
            let Some(parent) = dom.parent(at) else {
                break;
            };
            at = parent;
        }
        return out;
    }
}

/// The characters of a page's text, without asides, footers and banners. The tree is used up.
pub(crate) fn page_len(dom: &mut Dom, top: Id, rules: &Rules) -> usize {
    let body = dom.find(top, Tag::BODY).unwrap_or(top);
    remove_matching(dom, body, |dom, id| rules.is_chrome(dom, id));
    code_points(&block_text(dom, body))
}

/// Paragraphs of texts. `unique`: without long ones that are in those before.
struct Texts {
    kept: Vec<String>,
    joined: String,
    chars: usize,
    unique: bool,
}

impl Texts {
    fn of(texts: impl IntoIterator<Item = String>, unique: bool) -> Self {
        let mut all = Self {
            kept: Vec::new(),
            joined: String::new(),
            chars: 0,
            unique,
        };
        texts.into_iter().for_each(|text| all.add(text));
        all
    }

    fn add(&mut self, text: String) {
        let text = without_controls(&text).into_owned();
        let repeated = || {
            self.unique
                && code_points(&text) > MIN_DUPLICATE
                && self.chars <= DUPLICATE_SCAN
                && memchr::memmem::find(self.joined.as_bytes(), text.as_bytes()).is_some()
        };
        if text.is_empty() || repeated() {
            return;
        }
        if !self.joined.is_empty() {
            self.joined.push('\n');
            self.chars += 1;
        }
        self.joined.push_str(&text);
        self.chars += code_points(&text);
        self.kept.push(text);
    }

    /// A body of them, if they are enough.
    fn found(self, dom: &mut Dom) -> Option<Found> {
        if self.chars <= MIN_CONTENT {
            return None;
        }
        let body = dom.element(Tag::BODY);
        for text in &self.kept {
            let p = dom.child(body, Tag::P);
            let text = dom.add(text);
            dom.set_text(p, text);
        }
        Some(Found {
            body,
            len: self.chars,
        })
    }
}

/// The text of a page by the first of several ways that finds enough. The tree is used up.
pub(crate) fn baseline(dom: &mut Dom, top: Id, rules: &Rules) -> Found {
    let (bodies, teasers) = embedded::texts(dom, top);
    let bodies: Vec<String> = bodies.iter().map(|text| embedded::render(text)).collect();
    if let Some(found) = Texts::of(bodies, true).found(dom) {
        return found;
    }
    remove_matching(dom, top, |dom, id| rules.is_chrome(dom, id));

    let outermost = |dom: &Dom, id: Id, tags: Tags| {
        tags.has(dom.tag(id))
            && !dom
                .ancestors(id)
                .any(|ancestor| tags.has(dom.tag(ancestor)))
    };
    let articles: Vec<String> = dom
        .descendants(top)
        .filter(|&id| outermost(dom, id, Tags::of(&[Tag::ARTICLE])))
        .map(|id| block_text(dom, id))
        .filter(|text| code_points(text) > MIN_CONTENT)
        .collect();
    let longest = articles
        .iter()
        .map(|text| code_points(text))
        .max()
        .unwrap_or(0);
    let articles: Vec<String> = articles
        .into_iter()
        .filter(|text| code_points(text) * 5 >= longest)
        .collect();
    if let Some(found) = Texts::of(articles, false).found(dom) {
        return found;
    }
    let paragraphs: Vec<String> = dom
        .iter(top)
        .filter(|&id| outermost(dom, id, SCRAPED))
        .map(|id| block_text(dom, id))
        .collect();
    if let Some(found) = Texts::of(paragraphs, true).found(dom) {
        return found;
    }
    let teasers: Vec<String> = teasers.iter().map(|text| embedded::render(text)).collect();
    let teaser = Texts::of(teasers, true).found(dom);
    let body = dom.element(Tag::BODY);
    let mut all = String::new();
    if let Some(page) = dom.find(top, Tag::BODY) {
        for text in dom.texts(page) {
            let words: Vec<&str> = text
                .split(is_space)
                .filter(|word| !word.is_empty())
                .collect();
            if !words.is_empty() {
                if !all.is_empty() {
                    all.push('\n');
                }
                all.push_str(&words.join(" "));
            }
        }
        let all = without_controls(&all);
        let len = code_points(&all);
        if teaser.as_ref().is_none_or(|teaser| len >= teaser.len) {
            let p = dom.child(body, Tag::P);
            let text = dom.add(&all);
            dom.set_text(p, text);
            return Found { body, len };
        }
    }
    teaser.unwrap_or(Found { body, len: 0 })
}
