//! Names of elements as numbers.

/// The name of an element: one that the rules know, or a number that the document gives to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag(pub(crate) u16);

macro_rules! tags {
    ($($id:ident $name:literal)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u16)]
        enum Number { $($id),*, COUNT }

        /// The names that the rules know.
        #[allow(missing_docs)]
        impl Tag {
            $(pub(crate) const $id: Tag = Tag(Number::$id as u16);)*
            /// Numbers from this on are names that the document brings.
            pub(crate) const KNOWN: u16 = Number::COUNT as u16;
        }

        /// The names, by number.
        const NAMES: &[&str] = &[$($name),*];
    };
}

// In alphabetical order of the names, by which they are found.
tags! {
    A "a" ABBR "abbr" ACRONYM "acronym" ADDRESS "address" ANNOTATION "annotation" APPLET "applet" AREA "area"
    ARTICLE "article" ASIDE "aside" AUDIO "audio" AUTHOR "author" B "b" BASE "base" BASEFONT "basefont" BDI "bdi"
    BDO "bdo" BIG "big" BLINK "blink" BLOCKQUOTE "blockquote" BODY "body" BR "br" BUTTON "button" CANVAS "canvas"
    CAPTION "caption" CELL "cell" CENTER "center" CITE "cite" CODE "code" COL "col" COLGROUP "colgroup" DATA "data"
    DATALIST "datalist" DD "dd" DEL "del" DETAILS "details" DFN "dfn" DIALOG "dialog" DIR "dir" DIV "div" DL "dl"
    DONE "done" DT "dt" EM "em" EMBED "embed" FENCEDFRAME "fencedframe" FIELDSET "fieldset" FIGCAPTION "figcaption"
    FIGURE "figure" FONT "font" FOOTER "footer" FORM "form" FRAME "frame" FRAMESET "frameset" GRAPHIC "graphic" H1 "h1"
    H2 "h2" H3 "h3" H4 "h4" H5 "h5" H6 "h6" HEAD "head" HEADER "header" HGROUP "hgroup" HI "hi" HR "hr" HTML "html"
    I "i" IFRAME "iframe" IMG "img" INPUT "input" INS "ins" ISINDEX "isindex" ITEM "item" KBD "kbd" LABEL "label"
    LB "lb" LEGEND "legend" LI "li" LINK "link" LIST "list" LISTING "listing" MAIN "main" MAP "map" MARK "mark"
    MARQUEE "marquee" MATH "math" MENU "menu" MENUITEM "menuitem" META "meta" NAV "nav" NOBR "nobr" NOEMBED "noembed"
    NOFRAMES "noframes" NOINDEX "noindex" NOSCRIPT "noscript" OBJECT "object" OL "ol" OPTGROUP "optgroup"
    OPTION "option" OUTPUT "output" P "p" PARAM "param" PICTURE "picture" PLAINTEXT "plaintext" PRE "pre"
    PROGRESS "progress" Q "q" QUOTE "quote" REF "ref" ROW "row" RP "rp" RT "rt" RTC "rtc" RUBY "ruby" S "s" SAMP "samp"
    SCRIPT "script" SECTION "section" SELECT "select" SMALL "small" SOURCE "source" SPAN "span" STRIKE "strike"
    STRONG "strong" STYLE "style" SUB "sub" SUMMARY "summary" SUP "sup" SVG "svg" TABLE "table" TBODY "tbody" TD "td"
    TEMPLATE "template" TEXTAREA "textarea" TFOOT "tfoot" TH "th" THEAD "thead" TIME "time" TITLE "title" TR "tr"
    TRACK "track" TT "tt" U "u" UL "ul" USE "use" VAR "var" VIDEO "video" WBR "wbr" XMP "xmp"
}

impl Tag {
    /// The number of a name in lower case, if the rules know it.
    pub(crate) fn of(name: &str) -> Option<Tag> {
        NAMES.binary_search(&name).ok().map(|at| Tag(at as u16))
    }

    /// The name, if the rules know it.
    pub(crate) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("")
    }

    /// Whether it is `h1` to `h6`.
    pub(crate) fn is_heading(self) -> bool {
        (Tag::H1..=Tag::H6).contains(&self)
    }
}

/// A set of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tags([u64; 3]);

impl Tags {
    /// The set of these.
    pub(crate) const fn of(tags: &[Tag]) -> Self {
        let mut bits = [0; 3];
        let mut i = 0;
        while i < tags.len() {
            bits[(tags[i].0 / 64) as usize] |= 1 << (tags[i].0 % 64);
            i += 1;
        }
        Self(bits)
    }

    /// Whether `tag` is among them.
    pub(crate) fn has(self, tag: Tag) -> bool {
        usize::from(tag.0) < 192 && self.0[usize::from(tag.0) / 64] >> (tag.0 % 64) & 1 == 1
    }

    /// Both sets together.
    pub(crate) const fn with(self, other: Tags) -> Self {
        Self([
            self.0[0] | other.0[0],
            self.0[1] | other.0[1],
            self.0[2] | other.0[2],
        ])
    }

    /// Adds a name that the rules know.
    pub(crate) fn add(&mut self, tag: Tag) {
        *self = self.with(Self::of(&[tag]));
    }
}

const _: () = assert!(Tag::KNOWN <= 192);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        assert!(NAMES.is_sorted());
        assert_eq!(Tag::of("h3"), Some(Tag::H3));
        assert_eq!(Tag::of("x-y"), None);
        assert!(Tag::H6.is_heading() && !Tag::HEAD.is_heading());
        let set = Tags::of(&[Tag::A, Tag::XMP]);
        assert!(set.has(Tag::A) && set.has(Tag::XMP) && !set.has(Tag::B) && !set.has(Tag(500)));
    }
}
