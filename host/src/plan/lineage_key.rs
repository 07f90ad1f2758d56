//! Lineage keys: the key of a file of rows says exactly what was done to which input. Equal keys
//! mean equal rows.
//!
//! ```text
//! key(p, -1) = H(identity of the partition's input, reader options)
//! key(p, i)  = H(key(p, i-1), op i)                                  filter or mapper
//! key(p, g)  = H(key(p, g-1), op g, key(0, g-1), key(1, g-1), …)     global op: what it keeps of p depends on all partitions
//! ```
//! where op is its name, its parameters with defaults in canonical order, the digest of its
//! component and the contract version.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A lineage key: 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(String);

impl Key {
    /// Returns the hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Computes a key from fields in order.
pub(crate) struct KeyBuilder(Sha256);

impl KeyBuilder {
    /// Starts a key. `domain` tells keys of different purposes apart.
    pub(crate) fn new(domain: &str) -> Self {
        Self(Sha256::new()).with(domain)
    }

    /// Adds a field. Its length is hashed, too, so that `ab` + `c` differs from `a` + `bc`.
    #[must_use]
    pub(crate) fn with(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        self.0.update((field.len() as u64).to_le_bytes());
        self.0.update(field);
        self
    }

    /// Adds a number.
    #[must_use]
    pub(crate) fn number(self, n: u64) -> Self {
        self.with(n.to_le_bytes())
    }

    /// Returns the key of all fields.
    pub(crate) fn key(self) -> Key {
        Key(hex::encode(&self.0.finalize()[..16]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_borders_count() {
        let key = |fields: &[&str]| {
            fields
                .iter()
                .fold(KeyBuilder::new("t"), |k, f| k.with(f))
                .key()
        };
        assert_ne!(key(&["ab", "c"]), key(&["a", "bc"]));
        assert_eq!(key(&["ab", "c"]), key(&["ab", "c"]));
        assert_eq!(key(&[]).as_str().len(), 32);
    }
}
