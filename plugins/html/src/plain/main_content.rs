//! Which elements are no main content, by their names, places and links.

use super::BLOCKS;
use super::names::{Edge, Pattern};
use crate::dom::{Attr, Dom, Id, Tag};
use crate::select::value;

const HIDDEN: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &["is-", "is_", "visually-", "visually_"],
    needs_prefix: false,
    words: &[
        "display-none",
        "hidden",
        "invisible",
        "collapsed",
        "h-0",
        "nocontent",
        "expandable",
    ],
    suffixes: &["-xs", "-sm", "-lg", "-xl", "-2xl"],
    behind: Edge::Space,
};
const SKIP: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &["link~"],
    needs_prefix: false,
    words: &[
        "skip",
        "skip~to",
        "skip~link",
        "scroll~up",
        "scroll~down",
        "next",
        "prev",
        "previous",
        "permalink",
        "pagination",
        "skip-to-content",
        "skip-to-main-content",
    ],
    suffixes: &[],
    behind: Edge::Space,
};
/// The same before a post or an article.
const SKIP_POST: Pattern = Pattern {
    suffixes: &["~post", "~article"],
    behind: Edge::Any,
    ..SKIP
};
const SIGN_IN: Pattern = Pattern::words(
    Edge::Part,
    &[
        "log~in",
        "sign~in",
        "sign~up",
        "account",
        "user-info",
        "user_info",
        "user-profile",
        "user_profile",
        "user-settings",
        "user_settings",
        "user-actions",
        "user_actions",
    ],
    Edge::Part,
);
const SOCIAL: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &["mobile-", "desktop-", "l-", "m-", "c-"],
    needs_prefix: false,
    words: &[
        "social",
        "socialmedia",
        "socialsearch",
        "share",
        "sharedaddy",
        "syndication",
        "newsletter",
        "sharing",
        "follow",
        "email",
        "like",
        "likes",
        "feedback",
        "give~feedback",
        "engagement",
        "brandengagement",
        "brand-engagement",
        "brand_engagement",
        "facebook",
        "twitter",
        "subscribe",
        "wa",
        "jp",
        "aptf-follow",
    ],
    suffixes: &[
        "~post", "~link", "~links", "~section", "~icon", "~icons", "~btn", "~button", "~buttons",
        "~target",
    ],
    behind: Edge::Part,
};
/// The same behind `__` and `--`, wherever these are.
const SOCIAL_INSIDE: Pattern = Pattern {
    before: Edge::Any,
    prefixes: &["__", "--", "mobile-", "desktop-", "l-", "m-", "c-"],
    needs_prefix: true,
    ..SOCIAL
};
const LOGO: Pattern = Pattern::words(Edge::Any, &["logo"], Edge::Space);
const ADS: Pattern = Pattern::words(
    Edge::Space,
    &[
        "google~ad",
        "google~ads",
        "wide~ad",
        "wide~ads",
        "advert",
        "advertise",
        "advertisement",
        "advertiselink",
        "sponsor",
        "sponsored",
        "promoted",
        "paid",
        "banner",
        "widebanner",
        "donate",
    ],
    Edge::Part,
);
const ARTICLE: Pattern = Pattern::words(
    Edge::Part,
    &[
        "article",
        "entry",
        "post",
        "story",
        "single~post",
        "content",
        "main-content",
        "main_content",
        "body",
        "text",
        "page",
    ],
    Edge::Part,
);
const LANDMARK: Pattern = Pattern {
    before: Edge::End,
    prefixes: &["l*", "wp*", "global*", "page*", "site*", "full*", "sticky*"],
    needs_prefix: false,
    words: &["head", "foot", "header", "footer", "right"],
    suffixes: &[],
    behind: Edge::End,
};
const HEADER: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &[
        "l*", "m*", "wp*", "global*", "page*", "site*", "full*", "sticky*",
    ],
    needs_prefix: true,
    words: &["header"],
    suffixes: &["~wrap", "~wrapper", "bar"],
    behind: Edge::Space,
};
const FOOTER: Pattern = Pattern {
    before: Edge::Part,
    prefixes: &["global", "page", "site", "copyright"],
    needs_prefix: false,
    words: &[
        "footer",
        "copyright",
        "cookie",
        "consent",
        "legal",
        "fcontainer",
    ],
    suffixes: &[],
    behind: Edge::Part,
};
const NAVIGATION: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &[
        "l*", "m*", "wp*", "main*", "site*", "page*", "sub*", "article*", "global*", "sticky*",
    ],
    needs_prefix: false,
    words: &["nav", "menu", "drop~down", "bread~crumb"],
    suffixes: &[],
    behind: Edge::Any,
};
const LINKS: Pattern = Pattern::words(
    Edge::Any,
    &[
        "link~",
        "links~",
        "link~bar",
        "links~bar",
        "link~box",
        "links~box",
        "link~list",
        "links~list",
        "link~container",
        "links~container",
        "link~section",
        "links~section",
        "link~wrapp",
        "links~wrapp",
        "link~wrapper",
        "links~wrapper",
    ],
    Edge::Part,
);
const RECOMMENDED: Pattern = Pattern::words(
    Edge::Part,
    &[
        "trends",
        "trending",
        "recommended",
        "featured",
        "popular",
        "editor~picks",
        "editors~picks",
        "related",
        "read-next",
        "related~links",
        "related~articles",
        "related~posts",
        "related~guides",
        "related~stories",
        "more~links",
        "more~articles",
        "more~posts",
        "more~guides",
        "more~stories",
        "other~links",
        "other~articles",
        "other~posts",
        "other~guides",
        "other~stories",
    ],
    Edge::Part,
);
const COMMENTS: Pattern = Pattern {
    before: Edge::Part,
    prefixes: &["article*", "user*", "post*"],
    needs_prefix: false,
    words: &[
        "comment",
        "comments",
        "no~comment",
        "no~comments",
        "comment~list",
        "reply",
    ],
    suffixes: &[],
    behind: Edge::Part,
};
const SEARCH: Pattern = Pattern {
    before: Edge::Part,
    prefixes: &[],
    needs_prefix: false,
    words: &["search"],
    suffixes: &["~bar", "~facility", "~box"],
    behind: Edge::Space,
};
const SIDEBAR: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &["l*", "wp*", "right*", "left*", "global*", "sticky*"],
    needs_prefix: false,
    words: &[
        "side~bar",
        "side~bars",
        "side~box",
        "sticky~bar",
        "sticky~bars",
        "sticky~box",
        "one-third",
    ],
    suffixes: &[],
    behind: Edge::Part,
};
const MODAL: Pattern = Pattern {
    before: Edge::Space,
    prefixes: &["wp-", "p-", "-l"],
    needs_prefix: false,
    words: &["modal", "popup", "lightbox"],
    suffixes: &["*window", "*pane", "*box"],
    behind: Edge::Part,
};
const GALLERY: Pattern = Pattern::words(Edge::Part, &["gallery", "carousel"], Edge::Part);
const PRINT: Pattern = Pattern::words(Edge::Space, &["print-", "print_"], Edge::Any);
const SPINNER: Pattern = Pattern::words(Edge::Any, &["spinner"], Edge::Part);

/// Roles of elements that are no content.
const ROLES: [&str; 20] = [
    "alert",
    "banner",
    "checkbox",
    "comment",
    "complementary",
    "contentinfo",
    "dialog",
    "img",
    "menu",
    "menubar",
    "menuitem",
    "navigation",
    "presentation",
    "radio",
    "search",
    "searchbox",
    "separator",
    "tab",
    "toolbar",
    "tooltip",
];

/// What counts as main content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MainContent {
    /// Without it, all does.
    pub(crate) only: bool,
    pub(crate) comments: bool,
}

impl MainContent {
    /// Whether a text is one, and not just a symbol.
    pub(super) fn is_text(self, text: &str) -> bool {
        !(text.is_empty() || (self.only && is_symbol(text)))
    }

    /// Whether an element is main content, `depth` elements under the body.
    pub(super) fn is_main(self, dom: &Dom, id: Id, depth: usize) -> bool {
        if !self.only {
            return true;
        }
        let tag = dom.tag(id);
        match tag {
            Tag::BODY | Tag::MAIN | Tag::H1 => return true,
            Tag::FOOTER => return depth >= 3 && !is_cluster(dom, id, 0.2, 0) && !is_last(dom, id),
            Tag::UL if depth < 4 || is_cluster(dom, id, 0.2, 0) => return false,
            Tag::ARTICLE if depth > 2 && is_cluster(dom, id, 0.2, 500) => return false,
            Tag::NAV | Tag::ASIDE | Tag::AUDIO | Tag::VIDEO | Tag::TIME => return false,
            _ => {}
        }
        if dom.attrs(id).is_empty() {
            return tag != Tag::DIV || depth <= 5 || !is_cluster(dom, id, 0.6, 800);
        }
        if dom.attr(id, Attr::Hidden).is_some()
            || matches!(
                value(dom, id, Attr::Rel).trim(),
                "author" | "icon" | "search" | "prev" | "next" | "tag"
            )
            || matches!(
                value(dom, id, Attr::Itemprop).trim(),
                "datePublished" | "author" | "url"
            )
            || value(dom, id, Attr::AriaHidden).trim() == "true"
            || value(dom, id, Attr::AriaExpanded).trim() == "false"
        {
            return false;
        }
        let class = value(dom, id, Attr::Class).to_ascii_lowercase();
        let name = value(dom, id, Attr::Id).to_ascii_lowercase();
        if class.is_empty() && name.is_empty() {
            return tag != Tag::DIV || depth <= 5 || !is_cluster(dom, id, 0.6, 800);
        }
        let mut both = class.clone();
        if !both.is_empty() {
            both.push(' ');
        }
        both.push_str(&name);
        if HIDDEN.is_in(&class)
            || hides(value(dom, id, Attr::Style))
            || (matches!(tag, Tag::A | Tag::DIV | Tag::LI)
                && (SKIP.is_in(&both) || SKIP_POST.is_in(&both)))
            || (depth > 2
                && (SIGN_IN.is_in(&class) || SOCIAL.is_in(&class) || SOCIAL_INSIDE.is_in(&class)))
            || LOGO.is_in(&both)
            || ADS.is_in(&both)
            || is_ad(&both)
            || dom.attr(id, Attr::DataAd).is_some()
            || class.contains("short-view-count")
            || SPINNER.is_in(&class)
        {
            return false;
        }
        if !BLOCKS.has(tag) && tag != Tag::TD {
            return true;
        }
        if ROLES.contains(&value(dom, id, Attr::Role).trim()) {
            return false;
        }
        // An empty name between two separators counts as one of an article, too.
        if ARTICLE.is_in(&both) || has_empty_part(&both) {
            return true;
        }
        let junk = [
            HEADER,
            FOOTER,
            NAVIGATION,
            LINKS,
            RECOMMENDED,
            SEARCH,
            SIDEBAR,
            MODAL,
            GALLERY,
            PRINT,
        ];
        !(LANDMARK.is_in(&name)
            || junk.iter().any(|pattern| pattern.is_in(&both))
            || (!self.comments && COMMENTS.is_in(&both))
            || (depth > 2 && tag == Tag::DIV && is_cluster(dom, id, 0.6, 1500)))
    }
}

fn has_empty_part(names: &str) -> bool {
    let separator = |b: u8| b.is_ascii_whitespace() || matches!(b, b'-' | b'_');
    let bytes = names.as_bytes();
    bytes.first().is_some_and(|&b| separator(b))
        || bytes.last().is_some_and(|&b| separator(b))
        || bytes
            .windows(2)
            .any(|pair| separator(pair[0]) && separator(pair[1]))
}

/// Whether a name is `ad` at the end, or `ad_` and a number.
fn is_ad(names: &str) -> bool {
    names.split_ascii_whitespace().any(|name| {
        name.strip_prefix("ad_").is_some_and(|number| {
            let digits = number.bytes().take_while(u8::is_ascii_hexdigit).count();
            digits > 0 && matches!(number.as_bytes().get(digits), None | Some(b'-' | b'_'))
        })
    }) || names.split_ascii_whitespace().next_back() == Some("ad")
}

/// Whether a style makes an element invisible.
fn hides(style: &str) -> bool {
    style.to_ascii_lowercase().split(';').any(|rule| {
        rule.split_once(':').is_some_and(|(name, value)| {
            matches!(
                (name.trim(), value.trim()),
                ("display", "none") | ("visibility", "hidden")
            )
        })
    })
}

/// Whether a text is just a paragraph sign or a character for private use.
fn is_symbol(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    let mut chars = text.chars();
    matches!(
        (chars.next(), chars.next()),
        (Some('¶' | '\u{e000}'..='\u{f8ff}'), None)
    )
}

/// Whether the links in an element have more than this share of its text; with `most`, only if it has
/// no more bytes.
fn is_cluster(dom: &Dom, id: Id, share: f64, most: usize) -> bool {
    let len = |id: Id| {
        let (mut len, mut space) = (0, false);
        for text in dom.texts(id) {
            for b in text.bytes() {
                let blank = matches!(b, b' ' | b'\t'..=b'\r');
                len += usize::from(!blank || !space);
                space = blank;
            }
        }
        len
    };
    if dom.is_leaf(id) {
        return false;
    }
    let all = len(id);
    if most > 0 && all > most {
        return false;
    }
    let links: usize = dom
        .descendants(id)
        .filter(|&link| dom.tag(link) == Tag::A)
        .map(len)
        .sum();
    links > 0 && links as f64 / all as f64 > share
}

/// Whether nothing comes after an element in the child of the body that it is in.
fn is_last(dom: &Dom, id: Id) -> bool {
    let mut at = id;
    while let Some(parent) = dom.parent(at)
        && dom.tag(parent) != Tag::BODY
    {
        if dom.next(at).is_some() {
            return false;
        }
        at = parent;
    }
    true
}
