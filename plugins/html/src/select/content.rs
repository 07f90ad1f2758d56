//! Where the main text of a page is.

use super::{Rules, SECTIONS, contains_folded, value};
use crate::dom::{Attr, Dom, Id, Tag, Tags};

pub(super) const ARTICLE_ID: &[&str] = &[
    "entry-content",
    "article-content",
    "art-content",
    "article__content",
    "articlebody",
    "article-body",
    "article__body",
    "articleBody",
    "body-text",
];
pub(super) const ARTICLE_CLASS: &[&str] = &[
    "post-text",
    "post_text",
    "post-body",
    "postentry",
    "post-entry",
    "postcontent",
    "post-content",
    "post_content",
    "postContent",
    "post_inner_wrapper",
    "articletext",
    "article-text",
    "articleText",
    "entry-content",
    "page-content",
    "text-content",
    "article-content",
    "art-content",
    "article__content",
    "articlebody",
    "article-body",
    "article__body",
    "articleBody",
    "ArticleContent",
    "body-text",
    "article__container",
];
pub(super) const STORY_ID: &[&str] = &["^primary", "story-body"];
pub(super) const STORY_CLASS: &[&str] = &[
    "^article ",
    "post-bodycopy",
    "storycontent",
    "story-content",
    "theme-content",
    "blog-content",
    "section-content",
    "single-content",
    "single-post",
    "main-column",
    "wpb_text_column",
    "story-body",
    "field-body",
];
pub(super) const MAIN_ID: &[&str] = &["content-main", "content-body", "contentBody"];
pub(super) const MAIN_CLASS: &[&str] = &[
    "content-main",
    "content_main",
    "content-body",
    "content__body",
];

/// readability: what is unlikely to be content, unless a part of `MAYBE` is there too.
pub(super) const UNLIKELY: &[&str] = &[
    "combx",
    "comment",
    "community",
    "disqus",
    "extra",
    "foot",
    "header",
    "menu",
    "remark",
    "rss",
    "shoutbox",
    "sidebar",
    "sponsor",
    "ad-break",
    "agegate",
    "pagination",
    "pager",
    "popup",
    "tweet",
    "twitter",
];
pub(super) const MAYBE: &[&str] = &[
    "and", "article", "body", "column", "content", "main", "shadow",
];
/// readability: what speaks for and against a container.
pub(super) const POSITIVE: &[&str] = &[
    "article",
    "body",
    "content",
    "entry",
    "hentry",
    "main",
    "page",
    "pagination",
    "post",
    "text",
    "blog",
    "story",
];
pub(super) const NEGATIVE: &[&str] = &[
    "button", "combx", "comment", "com-", "contact", "figure", "foot", "footer", "footnote",
    "form", "input", "masthead", "media", "meta", "outbrain", "promo", "related", "scroll",
    "shoutbox", "sidebar", "sponsor", "shopping", "tags", "tool", "widget",
];

const PARTS: Tags = Tags::of(&[Tag::ARTICLE, Tag::DIV, Tag::SECTION]);

impl Rules {
    /// How many ways there are to look for the main text, from the surest to the vaguest.
    pub(crate) const WAYS: usize = 5;

    /// The first element in `top` that has the main text, looked for in one way.
    pub(crate) fn content(&self, dom: &Dom, top: Id, way: usize) -> Option<Id> {
        dom.descendants(top)
            .find(|&id| self.is_content(dom, id, way))
    }

    fn is_content(&self, dom: &Dom, id: Id, way: usize) -> bool {
        let tag = dom.tag(id);
        if way == 1 {
            return tag == Tag::ARTICLE;
        }
        if !SECTIONS.has(tag) {
            return false;
        }
        if way == 4 && tag == Tag::MAIN {
            return true;
        }
        if dom.attrs(id).is_empty() {
            return false;
        }
        let name = value(dom, id, Attr::Id);
        let class = value(dom, id, Attr::Class);
        match way {
            0 => {
                matches!(class, "post" | "entry")
                    || value(dom, id, Attr::Itemprop) == "articleBody"
                    || name == "articleContent"
                    || self.article_id.match_in(name)
                    || self.article_class.match_in(class)
            }
            2 => {
                value(dom, id, Attr::Role) == "article"
                    || matches!(name, "article" | "story")
                    || matches!(
                        class,
                        "postarea" | "art-postcontent" | "text" | "cell" | "story"
                    )
                    || self.story_id.match_in(name)
                    || self.full_text.match_in(class)
                    || self.story_class.match_in(class)
            }
            3 => {
                name == "content"
                    || class == "content"
                    || self.main_id.match_in(name)
                    || self.main_class.match_in(class)
                    || contains_folded(name, "main-content", b"CM")
                    || contains_folded(class, "main-content", b"CM")
                    || contains_folded(class, "page-content", b"CP")
            }
            _ => {
                PARTS.has(tag)
                    && (class.starts_with("main")
                        || name.starts_with("main")
                        || value(dom, id, Attr::Role).starts_with("main"))
            }
        }
    }
}
