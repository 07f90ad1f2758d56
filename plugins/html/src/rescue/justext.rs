//! The main text by the density of common words and links in paragraphs, after jusText.

use super::spaced_len;
use crate::body::Found;
use crate::clean::remove_matching;
use crate::dom::{Dom, Id, Span, Tag, Tags};
use crate::select::Rules;
use djhost_sdk::text::{code_points, is_space};

const PARAGRAPHS: Tags = Tags::of(&[
    Tag::BODY,
    Tag::BLOCKQUOTE,
    Tag::CAPTION,
    Tag::CENTER,
    Tag::COL,
    Tag::COLGROUP,
    Tag::DD,
    Tag::DIV,
    Tag::DL,
    Tag::DT,
    Tag::FIELDSET,
    Tag::FORM,
    Tag::LEGEND,
    Tag::OPTGROUP,
    Tag::OPTION,
    Tag::P,
    Tag::PRE,
    Tag::TABLE,
    Tag::TD,
    Tag::TEXTAREA,
    Tag::TFOOT,
    Tag::TH,
    Tag::THEAD,
    Tag::TR,
    Tag::UL,
    Tag::LI,
    Tag::H1,
    Tag::H2,
    Tag::H3,
    Tag::H4,
    Tag::H5,
    Tag::H6,
]);

/// Below this many characters a paragraph is short, above the other it can be good by itself.
const SHORT: usize = 50;
const LONG: usize = 150;
/// The share of common words that makes a paragraph nearly good, and good.
const FEW_COMMON: f64 = 0.1;
const COMMON: f64 = 0.2;
const MAX_LINKS: f64 = 0.25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Good,
    Near,
    Short,
    Bad,
}

#[derive(Debug, Default)]
struct Paragraph {
    text: String,
    pieces: usize,
    linked: usize,
    in_select: bool,
}

/// The paragraphs of a tree, which is used up.
pub(crate) fn rescue(dom: &mut Dom, top: Id, rules: &Rules) -> Found {
    remove_matching(dom, top, |dom, id| rules.is_chrome(dom, id));
    let paragraphs = paragraphs(dom, top);
    let classes = classify(&paragraphs);
    let body = dom.element(Tag::BODY);
    for (paragraph, class) in paragraphs.iter().zip(classes) {
        if class == Class::Good {
            let p = dom.child(body, Tag::P);
            let text = dom.add(&paragraph.text);
            dom.set_text(p, text);
        }
    }
    let len = spaced_len(dom, body);
    Found { body, len }
}

/// Collects paragraphs in one pass.
#[derive(Default)]
struct Maker {
    done: Vec<Paragraph>,
    current: Paragraph,
    selects: usize,
    link: bool,
    br: bool,
}

impl Maker {
    fn start_new(&mut self) {
        let in_select = self.selects > 0;
        let fresh = Paragraph {
            in_select,
            ..Paragraph::default()
        };
        let mut old = std::mem::replace(&mut self.current, fresh);
        if old.pieces > 0 {
            old.text = collapse(old.text.trim_matches(is_space));
            self.done.push(old);
        }
    }

    fn open(&mut self, tag: Tag) {
        self.selects += usize::from(tag == Tag::SELECT);
        if PARAGRAPHS.has(tag) || (tag == Tag::BR && self.br) {
            self.start_new();
        } else {
            self.br = tag == Tag::BR;
            if self.br {
                self.current.text.push(' ');
                self.current.pieces += 1;
            } else if tag == Tag::A {
                self.link = true;
            }
        }
    }

    fn close(&mut self, tag: Tag) {
        self.selects -= usize::from(tag == Tag::SELECT);
        if PARAGRAPHS.has(tag) {
            self.start_new();
        }
        if tag == Tag::A {
            self.link = false;
        }
    }

    fn text(&mut self, text: &str) {
        if text.chars().all(is_space) {
            return;
        }
        let text = collapse(text);
        self.current.text.push_str(&text);
        self.current.pieces += 1;
        if self.link {
            self.current.linked += code_points(&text);
        }
        self.br = false;
    }
}

/// The text with one space, or one line end if there is one, for each run of white space.
fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = None;
    for c in text.chars() {
        if is_space(c) {
            let line = matches!(c, '\n' | '\r') || gap == Some('\n');
            gap = Some(if line { '\n' } else { ' ' });
        } else {
            out.extend(gap.take());
            out.push(c);
        }
    }
    out.extend(gap);
    out
}

fn paragraphs(dom: &Dom, top: Id) -> Vec<Paragraph> {
    let mut maker = Maker::default();
    let text = |maker: &mut Maker, span: Span| {
        if !span.is_empty() {
            maker.text(dom.str(span));
        }
    };
    let mut at = top;
    'open: loop {
        maker.open(dom.tag(at));
        text(&mut maker, dom.text(at));
        if let Some(child) = dom.first(at) {
            at = child;
            continue;
        }
        loop {
            maker.close(dom.tag(at));
            if at == top {
                break 'open;
            }
            text(&mut maker, dom.tail(at));
            if let Some(next) = dom.next(at) {
                at = next;
                continue 'open;
            }
            let Some(parent) = dom.parent(at) else {
                break 'open;
            };
            at = parent;
        }
    }
    maker.start_new();
    maker.done
}

/// Whether a word is a common one.
///
/// jusText has lists of the most frequent words of a hundred languages, 2.4 MB of text. Common words
/// are short, and which words they are hardly matters where all languages count at once: this agrees
/// with the lists on 97 % of the paragraphs of documentation in many languages.
fn is_common(word: &str) -> bool {
    let is_ideograph = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}');
    word.len() <= 32
        && word.chars().all(|c| c.is_alphabetic() && !is_ideograph(c))
        && code_points(word) <= 5
}

fn classify(paragraphs: &[Paragraph]) -> Vec<Class> {
    let mut classes: Vec<Class> = paragraphs.iter().map(free_class).collect();
    let first = classes.clone();
    // What is next to a run of short ones, with nearly good ones skipped or not.
    let before = neighbours(first.iter().copied());
    let mut after = neighbours(first.iter().rev().copied());
    after.reverse();
    for (i, class) in classes.iter_mut().enumerate() {
        if *class != Class::Short {
            continue;
        }
        let (before, after) = (before[i], after[i]);
        *class = match (before.0, after.0) {
            (Class::Good, Class::Good) => Class::Good,
            (Class::Bad, Class::Bad) => Class::Bad,
            _ if (before.0 == Class::Bad && before.1 == Class::Near)
                || (after.0 == Class::Bad && after.1 == Class::Near) =>
            {
                Class::Good
            }
            _ => Class::Bad,
        };
    }
    // Nearly good ones are good next to a good one; each decision counts for the next.
    let next = neighbours(classes.iter().rev().copied());
    let mut previous = Class::Bad;
    for i in 0..classes.len() {
        if classes[i] == Class::Near {
            let following = next[classes.len() - 1 - i].0;
            classes[i] = match (previous, following) {
                (Class::Bad, Class::Bad) => Class::Bad,
                _ => Class::Good,
            };
        }
        previous = classes[i];
    }
    classes
}

/// For each paragraph the class of the nearest good or bad one before it, and of the nearest good,
/// bad or nearly good one. At the start bad.
fn neighbours(classes: impl Iterator<Item = Class>) -> Vec<(Class, Class)> {
    let mut last = (Class::Bad, Class::Bad);
    classes
        .map(|class| {
            let found = last;
            match class {
                Class::Good | Class::Bad => last = (class, class),
                Class::Near => last.1 = class,
                Class::Short => {}
            }
            found
        })
        .collect()
}

/// The class of a paragraph by itself.
fn free_class(paragraph: &Paragraph) -> Class {
    let text = &paragraph.text;
    let len = code_points(text);
    if len > 0 && paragraph.linked as f64 / len as f64 > MAX_LINKS {
        return Class::Bad;
    }
    if text.contains('\u{a9}') || text.contains("&copy") || paragraph.in_select {
        return Class::Bad;
    }
    if len < SHORT {
        return if paragraph.linked > 0 {
            Class::Bad
        } else {
            Class::Short
        };
    }
    let (mut words, mut common) = (0usize, 0usize);
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        words += 1;
        common += usize::from(is_common(word));
    }
    let share = common as f64 / words.max(1) as f64;
    if share >= COMMON {
        if len > LONG { Class::Good } else { Class::Near }
    } else if share >= FEW_COMMON {
        Class::Near
    } else {
        Class::Bad
    }
}
