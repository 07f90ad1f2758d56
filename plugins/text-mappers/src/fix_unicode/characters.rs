//! The tables' data on characters.

use std::collections::HashMap;
use std::ops::Range;

pub(super) const C1: u32 = 1;
pub(super) const BAD: u32 = 1 << 1;
pub(super) const LAW: u32 = 1 << 2;
pub(super) const CURRENCY: u32 = 1 << 3;
pub(super) const START: u32 = 1 << 4;
pub(super) const END: u32 = 1 << 5;
pub(super) const NUMERIC: u32 = 1 << 6;
pub(super) const KAOMOJI: u32 = 1 << 7;
pub(super) const UPPER: u32 = 1 << 8;
pub(super) const LOWER: u32 = 1 << 9;
pub(super) const UPPER_COMMON: u32 = 1 << 10;
pub(super) const LOWER_COMMON: u32 = 1 << 11;
pub(super) const BOX: u32 = 1 << 12;
pub(super) const COMMON: u32 = 1 << 13;
pub(super) const FIRST_OF_2: u32 = 1 << 14;
pub(super) const FIRST_OF_3: u32 = 1 << 15;
pub(super) const FIRST_OF_4: u32 = 1 << 16;
pub(super) const CONTINUATION: u32 = 1 << 17;
pub(super) const CONTINUATION_STRICT: u32 = 1 << 18;
/// The character is replaced or removed.
pub(super) const FORM: u32 = 1 << 19;
/// May compose with neighbours: not known to be in NFC whatever is beside it.
pub(super) const COMPOSES: u32 = 1 << 20;

const NAMES: [(&str, u32); 19] = [
    ("c1", C1),
    ("bad", BAD),
    ("law", LAW),
    ("currency", CURRENCY),
    ("start_punctuation", START),
    ("end_punctuation", END),
    ("numeric", NUMERIC),
    ("kaomoji", KAOMOJI),
    ("upper_accented", UPPER),
    ("lower_accented", LOWER),
    ("upper_common", UPPER_COMMON),
    ("lower_common", LOWER_COMMON),
    ("box", BOX),
    ("common", COMMON),
    ("utf8_first_of_2", FIRST_OF_2),
    ("utf8_first_of_3", FIRST_OF_3),
    ("utf8_first_of_4", FIRST_OF_4),
    ("utf8_continuation", CONTINUATION),
    ("utf8_continuation_strict", CONTINUATION_STRICT),
];

/// Blocks below the tables' end whose characters are all in NFC and never compose with what
/// precedes them.
const NFC: [Range<u32>; 8] = [
    0..0x300,
    0x391..0x3d0,
    0x400..0x483,
    0x48a..0x530,
    0x2010..0x2028,
    0x2030..0x205f,
    0x20a0..0x20c0,
    0x2500..0x2700,
];

/// Blocks of the basic plane where only U+3000 has a class: Chinese and Japanese, and Korean
/// syllables.
const PLAIN: [Range<u32>; 5] = [
    0x3000..0x302a,
    0x3041..0x3097,
    0x309b..0x3100,
    0x3105..0xa000,
    0xac00..0xd7a4,
];

/// Number of code points that differ only in the last byte.
const PAGE: usize = 256;

/// The classes and forms of all characters.
pub(super) struct Characters {
    /// For each page of the basic plane the start of its classes; few pages differ.
    pages: Box<[u16]>,
    classes: Vec<u32>,
    forms: Vec<(char, String)>,
    unassigned: Vec<(u32, u32)>,
}

impl Characters {
    pub(super) fn load() -> Self {
        let mut all = Self {
            pages: Box::default(),
            classes: Vec::new(),
            forms: Vec::new(),
            unassigned: Vec::new(),
        };
        let known = |c: &u32| NFC.iter().chain(&PLAIN).any(|block| block.contains(c));
        let mut classes: Vec<u32> = (0..0x10000)
            .map(|c| if known(&c) { 0 } else { COMPOSES })
            .collect();
        let mut class = 0;
        for word in words(include_str!("classes.txt")) {
            if let Some(name) = word.strip_prefix('@') {
                class = NAMES.iter().find(|n| n.0 == name).expect("a known class").1;
                continue;
            }
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            for c in point(first)..=point(last) {
                classes[c as usize] |= class;
            }
        }
        for word in words(include_str!("forms.txt")) {
            let (c, form) = word.split_once('=').expect("a character and its form");
            classes[point(c) as usize] |= FORM;
            all.forms.push((
                char::from_u32(point(c)).expect("a character"),
                characters(form),
            ));
        }
        for word in words(include_str!("unassigned.txt")) {
            let (first, last) = word.split_once('-').unwrap_or((word, word));
            all.unassigned.push((point(first), point(last)));
        }
        let mut starts: HashMap<&[u32], u16> = HashMap::new();
        let start = |page| {
            *starts.entry(page).or_insert_with(|| {
                all.classes.extend_from_slice(page);
                (all.classes.len() - PAGE) as u16
            })
        };
        all.pages = classes.chunks(PAGE).map(start).collect();
        all
    }

    /// The classes of `c`, as bits.
    #[inline(always)]
    pub(super) fn of(&self, c: char) -> u32 {
        self.of_code_point(c.into())
    }

    /// The classes of the character `c`, as bits.
    #[inline(always)]
    pub(super) fn of_code_point(&self, c: u32) -> u32 {
        match self.pages.get(c as usize / PAGE) {
            Some(start) => self.classes[usize::from(*start) + c as usize % PAGE],
            // Emoji.
            None if (0x1f300..0x1fb00).contains(&c) => 0,
            None => COMPOSES,
        }
    }

    /// Whether Unicode 14 does not know `c`.
    pub(super) fn is_unassigned(&self, c: char) -> bool {
        let c = u32::from(c);
        let after = self.unassigned.partition_point(|range| range.0 <= c);
        after > 0 && c <= self.unassigned[after - 1].1
    }

    /// The replacement of a character with a form.
    pub(super) fn form(&self, c: char) -> &str {
        let at = self
            .forms
            .binary_search_by_key(&c, |f| f.0)
            .expect("has a form");
        &self.forms[at].1
    }
}

/// The words of a table.
pub(super) fn words(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
}

/// A code point in hexadecimal digits.
pub(super) fn point(hex: &str) -> u32 {
    u32::from_str_radix(hex, 16).expect("a code point")
}

/// Code points with `+` between them.
pub(super) fn characters(hex: &str) -> String {
    hex.split('+')
        .filter(|h| !h.is_empty())
        .map(|h| char::from_u32(point(h)).expect("a character"))
        .collect()
}
