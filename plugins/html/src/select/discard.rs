//! What is not main text: navigation, notices, comments, advertisements.

use super::{CONTAINERS, Rules, contains_folded, first_of, value};
use crate::dom::{Attr, Dom, Id, Tag, Tags};

/// Parts of ids and of classes.
pub(super) const BOTH: &[&str] = &[
    "^shar",
    "social",
    "viral",
    "newsletter",
    "syndication",
    "tags",
    "sidebar",
    "banner",
    "breadcrumb",
    "bread-crumb",
    "button",
    "author",
];
pub(super) const ID: &[&str] = &[
    "^jp-",
    "^dpsp-content",
    "bmdh",
    "footer",
    "Footer",
    "share",
    "Share",
    "nav",
    "Nav",
    "menu",
    "related",
    "message-container",
    "premium",
    "^ad-",
];
pub(super) const CLASS: &[&str] = &[
    "^nav",
    "^post-nav",
    "^ZendeskForm",
    "subnav",
    "avigation",
    "navbar",
    "navbox",
    "menu",
    "bar",
    " ad ",
    "-ad-",
    "^ad-",
    " ad-",
    "dfpAd",
    "dfpad",
    "outbrain",
    "taboola",
    "criteo",
    "paidcontent",
    "paid-content",
    "widget",
    "footer",
    "Footer",
    "byline",
    "Byline",
    "share-",
    "sociable",
    "embedded",
    "embed",
    "tag-list",
    "consent",
    "modal-content",
    "permission",
    "elated",
    "next-",
    "-stories",
    "most-popular",
    "more-on",
    "meta",
    "rating",
    "attachment",
    "timestamp",
    "user-info",
    "user-profile",
    "-icon",
    "article-infos",
    "message-container",
    "slide",
    "viewport",
    "overlay",
    "options",
    "expand",
    "obfuscated",
    "blurred",
    "mol-factbox",
    "yin",
    "zlylin",
    "nfoline",
];
pub(super) const NOTICE_CLASS: &[&str] = &[
    "^hide-",
    "comments-title",
    "nocomments",
    "-reply-",
    "message",
    "akismet",
    "suggest-links",
    "-hide-",
    "hide-print",
    " hidden",
    " hide",
    "noprint",
    "notloaded",
];

/// Banners that ask for consent to cookies.
pub(super) fn consent() -> Vec<&'static str> {
    const PARTS: &[&str] = &[
        "cookiebanner",
        "cookie-banner",
        "cookie_banner",
        "cookiebar",
        "cookie-bar",
        "cookie_bar",
        "cookieconsent",
        "cookie-consent",
        "cookie_consent",
        "cookielaw",
        "cookie-law",
        "cookie_law",
        "cookienotice",
        "cookie-notice",
        "cookie_notice",
        "cookiepolicy",
        "cookie-policy",
        "cookie_policy",
        "cookiedescription",
        "cookie-description",
        "cookie_description",
        "noticecookie",
        "notice-cookie",
        "notice_cookie",
        "notice--cookie",
        "notice__cookie",
        "notice-_cookie",
        "notice_-cookie",
        "consentbanner",
        "consent-banner",
        "consent_banner",
        "consentmanager",
        "consent-manager",
        "consent_manager",
        "consentsdk",
        "consent-sdk",
        "consent_sdk",
        "borlabs",
        "cookiebot",
        "cmplz",
        "onetrust",
        "moovegdpr",
        "moove-gdpr",
        "moove_gdpr",
    ];
    PARTS.to_vec()
}

/// Whether a name begins with `comment` and is no commentary.
fn begins_with_comment(name: &str) -> bool {
    name.strip_prefix(['c', 'C'])
        .and_then(|rest| rest.strip_prefix("omment"))
        .is_some_and(|rest| !rest.starts_with("ary"))
}

fn is_comment_id(name: &str) -> bool {
    begins_with_comment(name) || name.starts_with("comol")
}

fn is_comment_class(class: &str) -> bool {
    begins_with_comment(class)
        || class.contains("article-comments")
        || class.contains("post-comments")
}

fn is_disqus(name: &str) -> bool {
    name.starts_with("disqus_thread") || name.starts_with("dsq-comments")
}

const COMMENT_PARTS: Tags = Tags::of(&[Tag::DIV, Tag::LIST, Tag::SECTION]);
const COMMENT_BLOCKS: Tags = COMMENT_PARTS.with(Tags::of(&[Tag::DETAILS]));
const ASIDES: Tags = Tags::of(&[Tag::DIV, Tag::SECTION, Tag::ASIDE]);
const LISTS: Tags = Tags::of(&[Tag::OL, Tag::UL]);

impl Rules {
    /// Boilerplate, in every mode.
    pub(crate) fn is_discarded(&self, dom: &Dom, id: Id) -> bool {
        if dom.attrs(id).is_empty() {
            return false;
        }
        let name = value(dom, id, Attr::Id);
        let class = value(dom, id, Attr::Class);
        let style = value(dom, id, Attr::Style);
        let first = first_of(dom, id, Attr::Id, Attr::Class);
        (CONTAINERS.has(dom.tag(id))
            && (dom.attr(id, Attr::DataLpReplacementContent).is_some()
                || contains_folded(value(dom, id, Attr::Role), "nav", b"N")
                || value(dom, id, Attr::DataComponent).contains("MostPopularStories")
                || first.contains("cookie")
                || self.discard_id.match_in(name)
                || self.discard_class.match_in(class)))
            || class == "comments-title"
            || first.starts_with("reply-")
            || first_of(dom, id, Attr::Id, Attr::Style).contains("hidden")
            || style.contains("display:none")
            || style.contains("display: none")
            || name.contains("reader-comments")
            || name.contains("akismet")
            || self.notice_class.match_in(class)
            || dom.attr(id, Attr::AriaHidden) == Some("true")
    }

    /// Whole articles appended to a page, and buttons for sharing.
    pub(crate) fn is_appended(dom: &Dom, id: Id) -> bool {
        if !ASIDES.has(dom.tag(id)) || dom.attrs(id).is_empty() {
            return false;
        }
        let names = [value(dom, id, Attr::Id), value(dom, id, Attr::Class)];
        let added =
            |name: &&str| name.contains("mvp-post-add-box") || name.contains("mvp-post-add-wrap");
        let endless =
            |name: &&str| name.contains("infinitescroll") || name.contains("infinite-scroll");
        names.iter().any(added)
            || (names.iter().any(endless) && !dom.contains(id, Tag::H1))
            || names[1].contains("elementor-share-buttons")
    }

    /// Sections of comments. `lists`: also lists in the page as it was.
    pub(crate) fn is_comments(dom: &Dom, id: Id, lists: bool) -> bool {
        let tag = dom.tag(id);
        if dom.attrs(id).is_empty() {
            return false;
        }
        let (name, class) = (value(dom, id, Attr::Id), value(dom, id, Attr::Class));
        if COMMENT_BLOCKS.has(tag) {
            is_comment_id(name) || is_disqus(name) || is_comment_class(class)
        } else {
            lists && LISTS.has(tag) && (is_comment_id(name) || is_comment_class(class))
        }
    }

    /// How many ways there are to look for comments.
    pub(crate) const COMMENT_WAYS: usize = 4;

    /// The first element in `top` that has comments, looked for in one way.
    pub(crate) fn comments(dom: &Dom, top: Id, way: usize) -> Option<Id> {
        dom.descendants(top).find(|&id| {
            let tag = dom.tag(id);
            if !COMMENT_PARTS.has(tag) || dom.attrs(id).is_empty() {
                return false;
            }
            let (name, class) = (value(dom, id, Attr::Id), value(dom, id, Attr::Class));
            let first = first_of(dom, id, Attr::Id, Attr::Class);
            match way {
                0 => {
                    first.contains("commentlist")
                        || first.contains("comment-list")
                        || ["comment-page", "comments-content", "post-comments"]
                            .iter()
                            .any(|part| class.contains(part))
                }
                1 => {
                    first.starts_with("comments")
                        || first.starts_with("comment-")
                        || class.starts_with("Comments")
                        || class.contains("article-comments")
                }
                2 => name.starts_with("comol") || is_disqus(name),
                _ => tag != Tag::LIST && (name.starts_with("social") || class.contains("comment")),
            }
        })
    }

    /// What is in a section of comments and is none.
    pub(crate) fn is_no_comment(dom: &Dom, id: Id) -> bool {
        let tag = dom.tag(id);
        if matches!(tag, Tag::CITE | Tag::QUOTE) {
            return true;
        }
        if dom.attrs(id).is_empty() {
            return false;
        }
        let class = value(dom, id, Attr::Class);
        let first = first_of(dom, id, Attr::Id, Attr::Class);
        (matches!(tag, Tag::DIV | Tag::SECTION) && value(dom, id, Attr::Id).starts_with("respond"))
            || value(dom, id, Attr::Style).contains("display:none")
            || [
                "comments-title",
                "nocomments",
                "-reply-",
                "message",
                "signin",
            ]
            .iter()
            .any(|part| class.contains(part))
            || first.starts_with("reply-")
            || first.contains("akismet")
    }

    /// Teasers of other pages.
    pub(crate) fn is_teaser(dom: &Dom, id: Id) -> bool {
        CONTAINERS.has(dom.tag(id))
            && (contains_folded(value(dom, id, Attr::Id), "teaser", b"T")
                || contains_folded(value(dom, id, Attr::Class), "teaser", b"T"))
    }

    /// What goes where precision matters most.
    pub(crate) fn is_imprecise(dom: &Dom, id: Id) -> bool {
        if dom.tag(id) == Tag::HEADER {
            return true;
        }
        if !CONTAINERS.has(dom.tag(id)) || dom.attrs(id).is_empty() {
            return false;
        }
        let first = first_of(dom, id, Attr::Id, Attr::Class);
        value(dom, id, Attr::Style).contains("border")
            || first.split_ascii_whitespace().any(|name| {
                name.starts_with("bottom") || name.ends_with("bottom") || name == "link"
            })
    }

    /// Asides, footers and banners, which are no text of a page at all.
    pub(crate) fn is_chrome(&self, dom: &Dom, id: Id) -> bool {
        let tag = dom.tag(id);
        if CHROME.has(tag) {
            return true;
        }
        if dom.attrs(id).is_empty() {
            return false;
        }
        (tag == Tag::DIV && first_of(dom, id, Attr::Class, Attr::Id).contains("footer"))
            || self.consent.match_in(value(dom, id, Attr::Class))
            || self.consent.match_in(value(dom, id, Attr::Id))
    }
}

const CHROME: Tags = Tags::of(&[
    Tag::ASIDE,
    Tag::FENCEDFRAME,
    Tag::FOOTER,
    Tag::SCRIPT,
    Tag::STYLE,
    Tag::SVG,
    Tag::TEMPLATE,
]);
