//! A dictionary of phrases that finds the longest one at a place in a text.

/// No node.
const NONE: u32 = 0;
/// The node before the first character.
const ROOT: u32 = 1;
/// No phrase ends at the node.
const NO_VALUE: u32 = u32::MAX;

/// A trie over characters whose edges are in one hash table.
#[derive(Debug)]
pub(crate) struct Dictionary {
    /// The node after a first character below U+10000: most characters begin no phrase, so most
    /// searches end here.
    first: Vec<u32>,
    /// `node << 32 | character`, and the node that it leads to; 0 marks a free slot.
    edges: Vec<(u64, u32)>,
    mask: usize,
    /// Per node the replacement of the phrase that ends there: an index into `spans`.
    values: Vec<u32>,
    spans: Vec<(u32, u32)>,
    texts: String,
    used: usize,
}

impl Dictionary {
    /// Reads lines of a phrase, a tab and its replacement. A phrase alone is replaced character by
    /// character by means of `characters`.
    pub(crate) fn read(lines: &str, characters: Option<&Dictionary>) -> Self {
        let mut all = Self {
            first: vec![NONE; 0x10000],
            edges: vec![(0, NONE); 1 << 8],
            mask: (1 << 8) - 1,
            values: vec![NO_VALUE; 2],
            spans: Vec::new(),
            texts: String::new(),
            used: 0,
        };
        for line in lines.lines() {
            let start = all.texts.len() as u32;
            let phrase = match line.split_once('\t') {
                Some((phrase, value)) => {
                    all.texts.push_str(value);
                    phrase
                }
                None => {
                    for (at, c) in line.char_indices() {
                        let end = at + c.len_utf8();
                        let value = characters
                            .and_then(|d| d.longest(&line[at..end]))
                            .map_or(&line[at..end], |(_, value)| value);
                        all.texts.push_str(value);
                    }
                    line
                }
            };
            let node = phrase
                .chars()
                .fold(ROOT, |node, c| all.step_or_add(node, c));
            all.values[node as usize] = all.spans.len() as u32;
            all.spans.push((start, all.texts.len() as u32));
        }
        all
    }

    /// Whether a phrase begins with the character.
    #[inline]
    pub(crate) fn may_begin(&self, c: char) -> bool {
        self.first.get(c as usize).is_none_or(|node| *node != NONE)
    }

    /// The length in bytes of the longest phrase at the start of the text, and its replacement.
    #[inline]
    pub(crate) fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut chars = text.chars();
        let mut found = None;
        let mut node = ROOT;
        while let Some(c) = chars.next() {
            node = self.step(node, c);
            if node == NONE {
                break;
            }
            if self.values[node as usize] != NO_VALUE {
                found = Some((
                    text.len() - chars.as_str().len(),
                    self.values[node as usize],
                ));
            }
        }
        found.map(|(len, value)| {
            let (start, end) = self.spans[value as usize];
            (len, &self.texts[start as usize..end as usize])
        })
    }

    #[inline]
    fn step(&self, node: u32, c: char) -> u32 {
        if node == ROOT && (c as usize) < self.first.len() {
            return self.first[c as usize];
        }
        self.edges[self.place(node, c)].1
    }

    fn step_or_add(&mut self, node: u32, c: char) -> u32 {
        let next = self.step(node, c);
        if next != NONE {
            return next;
        }
        let next = self.values.len() as u32;
        self.values.push(NO_VALUE);
        if node == ROOT && (c as usize) < self.first.len() {
            self.first[c as usize] = next;
            return next;
        }
        self.used += 1;
        if self.used * 2 > self.edges.len() {
            let larger = vec![(0, NONE); self.edges.len() * 2];
            self.mask = larger.len() - 1;
            for (key, to) in std::mem::replace(&mut self.edges, larger) {
                if to != NONE {
                    let place = self.free_place(key);
                    self.edges[place] = (key, to);
                }
            }
        }
        let place = self.place(node, c);
        self.edges[place] = (key(node, c), next);
        next
    }

    /// The slot of the edge, or the free slot for it.
    #[inline]
    fn place(&self, node: u32, c: char) -> usize {
        self.free_place(key(node, c))
    }

    #[inline]
    fn free_place(&self, key: u64) -> usize {
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & self.mask;
        while self.edges[at].1 != NONE && self.edges[at].0 != key {
            at = (at + 1) & self.mask;
        }
        at
    }
}

fn key(node: u32, c: char) -> u64 {
    u64::from(node) << 32 | u64::from(u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_phrase_is_found() {
        let characters = Dictionary::read("后\t後\n𫍽\t譞\n", None);
        let all = Dictionary::read("a\tb\nabc\tx\n后后\n𫍽\ty\n", Some(&characters));
        assert_eq!(all.longest("abd"), Some((1, "b")));
        assert_eq!(all.longest("abcd"), Some((3, "x")));
        assert_eq!(all.longest("后后后"), Some((6, "後後")));
        assert_eq!(all.longest("后"), None);
        assert_eq!(all.longest("𫍽"), Some((4, "y")));
        assert_eq!(all.longest(""), None);
        assert!(all.may_begin('a') && all.may_begin('后') && !all.may_begin('b'));
    }
}
