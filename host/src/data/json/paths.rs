//! The paths that a reader asks for, as a tree of keys for walking along with the row.

/// Requested paths. Slot `i` is path number `i`; a path with dots has a second slot for a top-level
/// key with the dots in its name. That key takes precedence, as in Data-Juicer's nested queries.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    pub(crate) nodes: Vec<Node>,
    /// Per path: its slot, and the slot of the literal key.
    fields: Vec<(usize, Option<usize>)>,
    /// Per slot: whether its strings are unescaped during the scan.
    pub(crate) decode: Vec<bool>,
}

/// One object level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) keys: Vec<Key>,
}

#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: Box<[u8]>,
    /// The value under this key is wanted.
    pub(crate) slot: Option<usize>,
    /// Something below it is wanted.
    pub(crate) node: Option<usize>,
}

impl Paths {
    /// `paths`: each with whether its strings are to be unescaped.
    pub(crate) fn new<'a>(paths: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let mut this = Self {
            nodes: vec![Node::default()],
            fields: Vec::new(),
            decode: Vec::new(),
        };
        for (path, decode) in paths {
            let parts: Vec<&str> = path.split('.').collect();
            let slot = this.add(&parts, decode);
            let literal = (parts.len() > 1).then(|| this.add(&[path], decode));
            this.fields.push((slot, literal));
        }
        this
    }

    fn add(&mut self, parts: &[&str], decode: bool) -> usize {
        let mut node = 0;
        for (i, part) in parts.iter().enumerate() {
            let known = self.nodes[node]
                .keys
                .iter()
                .position(|k| *k.name == *part.as_bytes());
            let key = known.unwrap_or_else(|| {
                self.nodes[node].keys.push(Key {
                    name: part.as_bytes().into(),
                    slot: None,
                    node: None,
                });
                self.nodes[node].keys.len() - 1
            });
            if i + 1 == parts.len() {
                let slots = self.decode.len();
                let slot = *self.nodes[node].keys[key].slot.get_or_insert(slots);
                if slot == slots {
                    self.decode.push(decode);
                } else {
                    self.decode[slot] |= decode;
                }
                return slot;
            }
            node = match self.nodes[node].keys[key].node {
                Some(next) => next,
                None => {
                    self.nodes.push(Node::default());
                    let next = self.nodes.len() - 1;
                    self.nodes[node].keys[key].node = Some(next);
                    next
                }
            };
        }
        unreachable!("a path has at least one part")
    }

    /// Number of slots.
    pub(crate) fn slots(&self) -> usize {
        self.decode.len()
    }

    /// What was found for path number `field`.
    pub(crate) fn effective<'a, T>(&self, field: usize, slots: &'a [Option<T>]) -> Option<&'a T> {
        let (slot, literal) = self.fields[field];
        literal
            .and_then(|l| slots[l].as_ref())
            .or(slots[slot].as_ref())
    }

    /// Clears all slots at and below `key`: a repeated key replaces everything found under the
    /// earlier one.
    pub(crate) fn forget<T>(&self, key: &Key, slots: &mut [Option<T>]) {
        if let Some(slot) = key.slot {
            slots[slot] = None;
        }
        if let Some(node) = key.node {
            for key in &self.nodes[node].keys {
                self.forget(key, slots);
            }
        }
    }
}
