//! From HTML to a tree, as libxml2 2.14 makes it: the tokens of HTML5, and its own rules on which
//! elements end which.

mod autoclose;
mod references;
mod tokens;
mod tree;

pub(crate) use references::unescape;

use crate::dom::{Attr, Dom, Id, Tag, Tags};
use djhost_sdk::text::is_space;
use std::borrow::Cow;

/// Elements nested deeper than this are left out; their texts and children go to the last one
/// above. libxml2 loses all that follows there.
pub(crate) const MAX_DEPTH: usize = 255;

/// The tree of a page: its `html` element. None if there is nothing in the page.
pub(crate) fn parse(dom: &mut Dom, html: &str) -> Option<Id> {
    let html = without_controls(html);
    let mut builder = tree::Builder::new(dom);
    tokens::read(&html, &mut builder);
    builder.finish()
}

/// The part of a page's tree that trafilatura looks at: of a text that does not begin like a page,
/// what is in its body. None if it is rather no HTML at all.
pub(crate) fn page(dom: &mut Dom, html: &str, root: Id) -> Option<Id> {
    let begins = |with: &[u8]| {
        let start = html.trim_start_matches(is_space).as_bytes();
        start
            .get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let root = if begins(b"<html") || begins(b"<!doctype") {
        root
    } else {
        inner(dom, root)
    };
    let start: String = html.chars().take(50).collect();
    let named = start.to_lowercase().contains("html");
    (named || dom.count_children(root, 2) == 2).then_some(root)
}

/// Builds the tree again that lies under `top`: its serialized form, read as a page.
pub(crate) fn reparse(dom: &mut Dom, top: Id) -> Option<Id> {
    enum Step {
        Open(Id),
        Close(Id),
    }
    let mut builder = tree::Builder::new(dom);
    let mut step = Step::Open(top);
    loop {
        step = match step {
            Step::Open(id) => {
                let dom = builder.dom();
                let (tag, text, child) = (dom.tag(id), dom.text(id), dom.first(id));
                let empty = text.is_empty() && child.is_none();
                builder.open_again(id, empty);
                if !empty && !tree::VOID.has(tag) {
                    builder.span(text);
                }
                match child {
                    Some(child) => Step::Open(child),
                    None => Step::Close(id),
                }
            }
            Step::Close(id) => {
                let dom = builder.dom();
                let (tag, tail) = (dom.tag(id), dom.tail(id));
                let (next, parent) = (dom.next(id), dom.parent(id));
                let empty = dom.text(id).is_empty() && dom.is_leaf(id);
                if !empty {
                    builder.end(tag);
                }
                if id == top {
                    break;
                }
                builder.span(tail);
                match (next, parent) {
                    (Some(next), _) => Step::Open(next),
                    (None, Some(parent)) => Step::Close(parent),
                    (None, None) => break,
                }
            }
        };
    }
    let root = builder.finish()?;
    Some(inner(dom, root))
}

/// What lxml returns for a page that does not begin like one: an only element, or its body.
fn inner(dom: &mut Dom, root: Id) -> Id {
    let find = |dom: &Dom, tag| dom.children(root).find(|&id| dom.tag(id) == tag);
    if find(dom, Tag::HEAD).is_some() {
        return root;
    }
    let Some(body) = find(dom, Tag::BODY) else {
        return root;
    };
    if let Some(only) = dom.first(body)
        && dom.next(only).is_none()
        && !dom.has_chars(dom.text(body))
        && !dom.has_chars(dom.tail(only))
    {
        dom.detach(only);
        return only;
    }
    let block = dom.descendants(body).any(|id| BLOCK.has(dom.tag(id)));
    dom.set_tag(body, if block { Tag::DIV } else { Tag::SPAN });
    dom.detach(body);
    body
}

/// Elements that make lxml call a fragment a `div`.
const BLOCK: Tags = Tags::of(&[
    Tag::ADDRESS,
    Tag::ARTICLE,
    Tag::ASIDE,
    Tag::BLOCKQUOTE,
    Tag::CENTER,
    Tag::DETAILS,
    Tag::DIALOG,
    Tag::DD,
    Tag::DIR,
    Tag::DIV,
    Tag::DL,
    Tag::DT,
    Tag::FIELDSET,
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
    Tag::HGROUP,
    Tag::HR,
    Tag::ISINDEX,
    Tag::LI,
    Tag::MAIN,
    Tag::MENU,
    Tag::NAV,
    Tag::NOSCRIPT,
    Tag::OL,
    Tag::P,
    Tag::PRE,
    Tag::SECTION,
    Tag::TABLE,
    Tag::UL,
    Tag::TBODY,
    Tag::TD,
    Tag::TFOOT,
    Tag::TH,
    Tag::THEAD,
    Tag::TR,
]);

/// The page without the characters that XML forbids.
fn without_controls(html: &str) -> Cow<'_, str> {
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    if html.contains(forbidden) {
        html.replace(forbidden, "").into()
    } else {
        html.into()
    }
}

/// Takes what the tokenizer finds.
trait Sink {
    /// A start tag. `closed`: it ends with `/>`. Returns how what follows is to be read.
    fn start(&mut self, name: &str, attrs: &mut Vec<(Attr, String)>, closed: bool) -> Content;
    /// An end tag.
    fn end_name(&mut self, name: &str);
    /// A text with its references resolved.
    fn text(&mut self, text: &str);
}

/// How the content of an element is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Markup,
    /// Up to the end tag, with references.
    Text,
    /// Up to the end tag, as it stands.
    Raw,
    /// Everything.
    Rest,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as tags.
    fn dump(dom: &Dom, id: Id, out: &mut String) {
        let name = dom.tag(id).name();
        out.push_str(&format!("<{name}>{}", dom.str(dom.text(id))));
        for child in dom.children(id) {
            dump(dom, child, out);
            out.push_str(dom.str(dom.tail(child)));
        }
        out.push_str(&format!("</{name}>"));
    }

    fn tree(html: &str) -> String {
        let mut dom = Dom::default();
        let Some(root) = parse(&mut dom, html) else {
            return String::new();
        };
        let mut out = String::new();
        let root = if html.starts_with("<html") {
            root
        } else {
            inner(&mut dom, root)
        };
        dump(&dom, root, &mut out);
        out
    }

    #[test]
    fn trees_are_those_of_libxml2() {
        for (html, expected) in [
            (
                "<html><body><p>a</p></body></html><p>b</p>tail",
                "<html><body><p>a</p></body></html>",
            ),
            (
                "<html><head><title>T</title></head><p>x",
                "<html><head><title>T</title></head><body><p>x</p></body></html>",
            ),
            (
                "<html>text<head><title>t</title></head><body>b",
                "<html><body>text<title>t</title>b</body></html>",
            ),
            (
                "<html><body>a</p>b</br>c</body>d<div>e",
                "<html><body>abc</body>d<div>e</div></html>",
            ),
            (
                "<html><body><table>x<tr><td>a<table><tr><td>b</table>c</table>",
                "<html><body><table>x<tr><td>a<table><tr><td>b</td></tr></table>c</td></tr></table></body></html>",
            ),
            (
                "<html><body>c<p/>d<div/>e<br/>f",
                "<html><body>c<p></p>d<div></div>e<br></br>f</body></html>",
            ),
            (
                "<html><body><a href=x>1<a href=y>2</a></a><b><p>x</b>y</p><i><div>q</i>r</div>",
                "<html><body><a>1</a><a>2</a><b></b><p>xy</p><i><div>qr</div></i></body></html>",
            ),
            (
                "<html><body id=1><div><body class=x>q<html lang=de>z",
                "<html><body><div>qz</div></body></html>",
            ),
            (
                "<html><body><table><td>a<th>b<tr><td>c<tbody><tr><td>d<caption>e</caption></table>",
                "<html><body><table><td>a</td><th>b</th><tr><td>c</td></tr><tbody><tr><td>d<caption>e</caption></td></tr></tbody></table></body></html>",
            ),
            (
                "<html><body><h1>a<h2>b</h1>c",
                "<html><body><h1>a<h2>b</h2></h1>c</body></html>",
            ),
            (
                "<html><body><form>a<form>b</form>c</form>",
                "<html><body><form>a</form><form>b</form>c</body></html>",
            ),
            (
                "<html><body><p>a</div><div>b</span></p>c</div>",
                "<html><body><p>a</p><div>bc</div></body></html>",
            ),
            (
                "<html><body><li>a<ul><li>b<li>c</ul><li>d<dl><dt>x<dd>y<dt>z</dl>",
                "<html><body><li>a<ul><li>b</li><li>c</li></ul></li><li>d<dl><dt>x</dt><dd>y</dd><dt>z</dt></dl></li></body></html>",
            ),
            (
                "<html><body><script>a<b>c</script>d<style>x<y></style>",
                "<html><body><script>a<b>c</script>d<style>x<y></style></body></html>",
            ),
            (
                "<html><body>a\r\nb\rc<pre>\n\nx</pre>",
                "<html><body>a\nb\nc<pre>\n\nx</pre></body></html>",
            ),
            (
                "<html><body><!-- a --><p>b<!-- c -->d<?pi x?>e<![CDATA[f]]>g<!foo>h</p>",
                "<html><body><p>bdegh</p></body></html>",
            ),
            (
                "<html><body>1 < 2 <3 a<b",
                "<html><body>1 < 2 <3 a</body></html>",
            ),
            (
                "<html><body><textarea>&amp;<p>z</textarea><xmp>&amp;</xmp>",
                "<html><body><textarea>&<p>z</textarea><xmp>&amp;</xmp></body></html>",
            ),
            (
                "<html><head><script>x</script><title>t</title></head><body>y",
                "<html><head><script>x</script><title>t</title></head><body>y</body></html>",
            ),
            ("just text", "<span>just text</span>"),
            ("<p>one</p>", "<p>one</p>"),
            ("<p>one</p><p>two</p>", "<div><p>one</p><p>two</p></div>"),
            (
                "<p>x<head><title>t</title></head>y",
                "<div><p>x</p><title>t</title>y</div>",
            ),
            (
                "<base href=x><p>y",
                "<html><head><base></base></head><body><p>y</p></body></html>",
            ),
            ("", ""),
            (" \n ", ""),
        ] {
            assert_eq!(tree(html), expected, "{html:?}");
        }
    }

    #[test]
    fn a_tree_that_is_read_again_is_like_its_text() {
        let mut dom = Dom::default();
        let root = parse(&mut dom, "<html><body><div>a<p>b</p>c<br>d<i></i></div>").unwrap();
        let div = dom.find(root, Tag::DIV).unwrap();
        let p = dom.find(div, Tag::P).unwrap();
        // A heading may not stand in a paragraph.
        dom.child(p, Tag::H2);
        let again = reparse(&mut dom, div).unwrap();
        let mut out = String::new();
        dump(&dom, again, &mut out);
        assert_eq!(out, "<div>a<p>b</p><h2></h2>c<br></br>d<i></i></div>");
    }

    #[test]
    fn attributes_are_kept_once_and_resolved() {
        let mut dom = Dom::default();
        let root = parse(
            &mut dom,
            "<html><body><DIV CLASS=A class=b Id = 'q' hidden title=\"1&amp;2\"other=3/>",
        )
        .unwrap();
        let div = dom.find(root, Tag::DIV).unwrap();
        let attrs: Vec<(Attr, &str)> = dom
            .attrs(div)
            .iter()
            .map(|(name, value)| (*name, dom.str(*value)))
            .collect();
        assert_eq!(
            attrs,
            [
                (Attr::Class, "A"),
                (Attr::Id, "q"),
                (Attr::Hidden, ""),
                (Attr::Title, "1&2")
            ]
        );
    }
}
