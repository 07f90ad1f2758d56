//! Maps byte strings to numbers and finds all keys that a text starts with: a trie in a double
//! array.

/// Follows bytes from `Trie::ROOT`; every step is one access to the array.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    units: Vec<Unit>,
    root: usize,
}

/// A node: where its children are (`base ^ byte`), the byte that leads to it, and the number of the
/// key that ends here.
#[derive(Debug, Clone, Copy)]
struct Unit {
    /// `base << 9 | byte`, or `FREE`.
    link: u32,
    value: u32,
}

/// The value of a node where no key ends.
pub(crate) const NONE: u32 = u32::MAX;
/// In `Unit::link`: no byte leads here.
const FREE: u32 = 0x100;
const MASK: u32 = 0x1ff;
/// Most units that `Unit::link` can address.
const MOST: usize = 1 << 23;
impl Trie {
    /// A trie of keys that are sorted, different and not empty.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn new(keys: &[(&[u8], u32)]) -> Result<Self, String> {
        // The first block stays empty: nodes without children lead there.
        let mut builder = Builder {
            units: vec![
                Unit {
                    link: FREE,
                    value: NONE
                };
                256
            ],
            taken: vec![0; 4],
            first: [256; 9],
        };
        let root = builder.build(keys)?;
        Ok(Self {
            units: builder.units,
            root,
        })
    }

    /// The start of walks.
    #[inline(always)]
    pub(crate) fn root(&self) -> usize {
        self.root
    }

    /// The node after `byte`, and the number of the key that ends there or `NONE`.
    #[inline(always)]
    pub(crate) fn step(&self, node: usize, byte: u8) -> Option<(usize, u32)> {
        let unit = self.units.get(node ^ usize::from(byte))?;
        (unit.link & MASK == u32::from(byte)).then_some(((unit.link >> 9) as usize, unit.value))
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Unit>() * self.units.len()
    }

    /// The number of a key.
    #[inline]
    pub(crate) fn get(&self, key: &[u8]) -> Option<u32> {
        let (mut node, mut value) = (self.root, NONE);
        for &byte in key {
            (node, value) = self.step(node, byte)?;
        }
        (value != NONE).then_some(value)
    }
}

/// A node whose children have no places yet, its keys, and the length of their common prefix.
type Open<'a> = (usize, &'a [(&'a [u8], u32)], usize);

struct Builder {
    units: Vec<Unit>,
    /// Which bases are taken, one bit each.
    taken: Vec<u64>,
    /// Where searches for places start, by the logarithm of how many are needed: places that did
    /// not suit are not tried again, so the time to build is proportional to the number of nodes.
    first: [usize; 9],
}

impl Builder {
    fn build(&mut self, keys: &[(&[u8], u32)]) -> Result<usize, String> {
        let mut labels = Vec::with_capacity(256);
        let root = self.children(keys, 0, &mut labels)?;
        let mut open: Vec<Open<'_>> = Vec::new();
        self.open(root, keys, 0, &mut open);
        while let Some((node, mut keys, depth)) = open.pop() {
            if let Some(((key, value), rest)) = keys.split_first()
                && key.len() == depth
            {
                self.units[node].value = *value;
                keys = rest;
            }
            let base = self.children(keys, depth, &mut labels)?;
            self.units[node].link |= (base as u32) << 9;
            self.open(base, keys, depth, &mut open);
        }
        Ok(root)
    }

    fn open<'a>(
        &self,
        base: usize,
        keys: &'a [(&'a [u8], u32)],
        depth: usize,
        open: &mut Vec<Open<'a>>,
    ) {
        for child in keys.chunk_by(|(a, _), (b, _)| a[depth] == b[depth]) {
            open.push((base ^ usize::from(child[0].0[depth]), child, depth + 1));
        }
    }

    /// Finds places for the children of a node; returns their base, 0 without children.
    fn children(
        &mut self,
        keys: &[(&[u8], u32)],
        depth: usize,
        labels: &mut Vec<u8>,
    ) -> Result<usize, String> {
        labels.clear();
        labels.extend(
            keys.chunk_by(|(a, _), (b, _)| a[depth] == b[depth])
                .map(|child| child[0].0[depth]),
        );
        let Some(&label) = labels.first() else {
            return Ok(0);
        };
        let class = labels.len().ilog2() as usize;
        let base = loop {
            let fits = |base: &usize| {
                self.taken[base / 64] >> (base % 64) & 1 == 0
                    && labels
                        .iter()
                        .all(|&l| self.units[base ^ usize::from(l)].link == FREE)
            };
            let found = (self.first[class]..self.units.len())
                .map(|place| place ^ usize::from(label))
                .find(fits);
            self.first[class] = found.map_or(self.units.len(), |base| base ^ usize::from(label));
            match found {
                Some(base) => break base,
                None => self.grow()?,
            }
        };
        self.taken[base / 64] |= 1 << (base % 64);
        for &label in labels.iter() {
            self.units[base ^ usize::from(label)].link = u32::from(label);
        }
        Ok(base)
    }

    fn grow(&mut self) -> Result<(), String> {
        let size = self.units.len() + 256;
        if size > MOST {
            return Err("the model has too many pieces".into());
        }
        self.units.resize(
            size,
            Unit {
                link: FREE,
                value: NONE,
            },
        );
        self.taken.resize(size / 64, 0);
        Ok(())
    }
}
