//! Which start tags end which open elements, and which end tags reach through them.

use crate::dom::{Tag, Tags};

const LISTS: Tags = Tags::of(&[Tag::DD, Tag::DL, Tag::DT, Tag::FORM, Tag::UL]);
const CELLS: Tags = Tags::of(&[Tag::TD, Tag::TH]);
const GROUPS: Tags = Tags::of(&[Tag::COLGROUP, Tag::TBODY, Tag::TFOOT, Tag::THEAD, Tag::TR]);
const IN_ROW: Tags = CELLS.with(Tags::of(&[Tag::TBODY, Tag::TFOOT, Tag::TR]));
const AFTER_HEADING: Tags = Tags::of(&[Tag::FIELDSET, Tag::FORM, Tag::LI, Tag::P, Tag::TABLE]);
const AFTER_PRE: Tags = LISTS.with(Tags::of(&[Tag::FIELDSET, Tag::LI, Tag::TABLE]));
const AFTER_P: Tags = Tags::of(&[
    Tag::ADDRESS, Tag::BLOCKQUOTE, Tag::BODY, Tag::CAPTION, Tag::CENTER, Tag::COL, Tag::COLGROUP, Tag::DD, Tag::DIR,
    Tag::DIV, Tag::DL, Tag::DT, Tag::FIELDSET, Tag::FORM, Tag::FRAMESET, Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5,
    Tag::H6, Tag::HEAD, Tag::HR, Tag::LI, Tag::LISTING, Tag::MENU, Tag::OL, Tag::P, Tag::PRE, Tag::TABLE, Tag::TBODY,
    Tag::TD, Tag::TFOOT, Tag::TH, Tag::TITLE, Tag::TR, Tag::UL, Tag::XMP,
]);
const AFTER_HEAD: Tags = Tags::of(&[
    Tag::A, Tag::ABBR, Tag::ACRONYM, Tag::ADDRESS, Tag::B, Tag::BDO, Tag::BIG, Tag::BLOCKQUOTE, Tag::BODY, Tag::BR,
    Tag::CENTER, Tag::CITE, Tag::CODE, Tag::DD, Tag::DFN, Tag::DIR, Tag::DIV, Tag::DL, Tag::DT, Tag::EM, Tag::FIELDSET,
    Tag::FONT, Tag::FORM, Tag::FRAMESET, Tag::H1, Tag::H2, Tag::H3, Tag::H4, Tag::H5, Tag::H6, Tag::HR, Tag::I,
    Tag::IFRAME, Tag::IMG, Tag::KBD, Tag::LI, Tag::LISTING, Tag::MAP, Tag::MENU, Tag::OL, Tag::P, Tag::PRE, Tag::Q,
    Tag::S, Tag::SAMP, Tag::SMALL, Tag::SPAN, Tag::STRIKE, Tag::STRONG, Tag::SUB, Tag::SUP, Tag::TABLE, Tag::TT,
    Tag::U, Tag::UL, Tag::VAR, Tag::XMP,
]);

/// The names whose start tag ends an open element of this name. Found by trying all pairs with
/// libxml2 2.14.6.
pub(super) fn ended_by(open: Tag) -> Tags {
    match open {
        Tag::A => Tags::of(&[Tag::A, Tag::FIELDSET, Tag::TABLE, Tag::TD, Tag::TH]),
        Tag::ADDRESS => LISTS.with(Tags::of(&[Tag::LI])),
        Tag::B => CELLS.with(Tags::of(&[Tag::CENTER, Tag::P])),
        Tag::BIG | Tag::S | Tag::SMALL | Tag::STRIKE | Tag::TT => Tags::of(&[Tag::P]),
        Tag::CAPTION => GROUPS.with(Tags::of(&[Tag::COL])),
        Tag::COLGROUP => GROUPS,
        Tag::DD => Tags::of(&[Tag::DT]),
        Tag::DIR | Tag::MENU => LISTS,
        Tag::DL => Tags::of(&[Tag::FORM, Tag::LI]),
        Tag::DT => Tags::of(&[Tag::DD, Tag::DL]),
        Tag::FONT => CELLS.with(Tags::of(&[Tag::CENTER])),
        Tag::FORM | Tag::OL => Tags::of(&[Tag::FORM]),
        Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => AFTER_HEADING,
        Tag::HEAD => AFTER_HEAD,
        Tag::I => CELLS.with(Tags::of(&[Tag::CENTER, Tag::P])),
        Tag::LEGEND => Tags::of(&[Tag::FIELDSET]),
        Tag::LI => Tags::of(&[Tag::LI]),
        Tag::LISTING | Tag::PRE | Tag::XMP => AFTER_PRE,
        Tag::OPTION => Tags::of(&[Tag::OPTGROUP, Tag::OPTION]),
        Tag::P => AFTER_P,
        Tag::SPAN => CELLS,
        Tag::TBODY | Tag::THEAD => Tags::of(&[Tag::TBODY, Tag::TFOOT]),
        Tag::TD | Tag::TH => IN_ROW,
        Tag::TFOOT => Tags::of(&[Tag::TBODY]),
        Tag::TR => Tags::of(&[Tag::TBODY, Tag::TFOOT, Tag::TR]),
        Tag::U => CELLS.with(Tags::of(&[Tag::P])),
        Tag::UL => Tags::of(&[Tag::ADDRESS, Tag::FORM, Tag::MENU, Tag::PRE]),
        Tag::TITLE | Tag::STYLE | Tag::LINK => Tags::of(&[Tag::BODY, Tag::FRAMESET]),
        _ => Tags::of(&[]),
    }
}

/// An end tag is ignored if an element of a higher rank is open in the one that it would end.
pub(super) fn rank(tag: Tag) -> u8 {
    match tag {
        Tag::DIV => 1,
        Tag::TD | Tag::TH => 2,
        Tag::TR => 3,
        Tag::THEAD | Tag::TBODY | Tag::TFOOT => 4,
        Tag::TABLE => 5,
        Tag::HEAD | Tag::BODY => 6,
        Tag::HTML => 7,
        _ => 0,
    }
}
