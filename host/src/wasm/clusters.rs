//! What a deduplicator that takes clusters wants done with each cluster of duplicates.

use serde_json::{Map, Value};

use super::contract::{Computed, Descriptor, Input};
use crate::data::FieldType;

/// The parameters that are the host's, by name.
const KEEP: &str = "keep";
const ID_FIELD: &str = "cluster_id_field";
const SIZE_FIELD: &str = "cluster_size_field";

/// Which row of a cluster stays. Among equally good ones the first in input order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first in input order.
    #[default]
    First,
    /// The last.
    Last,
    /// Every row.
    All,
    /// The one whose text has the most characters.
    Longest,
    /// The one with the greatest number or the latest date in a field. One without either there
    /// comes after all others.
    Max(String),
    /// The one with the least number or the earliest date.
    Min(String),
}

impl Keep {
    /// Parses `first`, `last`, `all`, `longest`, `max FIELD` or `min FIELD`.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "first" => Self::First,
            "last" => Self::Last,
            "all" => Self::All,
            "longest" => Self::Longest,
            _ => {
                let (word, field) = text.split_once(' ')?;
                let field = field.trim();
                match word {
                    _ if field.is_empty() => return None,
                    "max" => Self::Max(field.to_owned()),
                    "min" => Self::Min(field.to_owned()),
                    _ => return None,
                }
            }
        })
    }

    /// Whether rows must be compared by a value of theirs.
    pub fn ranks(&self) -> bool {
        matches!(self, Self::Longest | Self::Max(_) | Self::Min(_))
    }
}

/// What becomes of each cluster of duplicates, a row without duplicates being one, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clusters {
    /// Which row stays.
    pub keep: Keep,
    /// The field of the rows that stay for the number of their cluster: that of its first row among
    /// the rows that came to the op, from 0.
    pub id_field: Option<String>,
    /// The field for the number of rows in their cluster.
    pub size_field: Option<String>,
}

impl Clusters {
    /// As the parameters of the operator say.
    ///
    /// # Errors
    /// What is wrong with them, and what is valid.
    pub(crate) fn of(descriptor: &Descriptor, params: &Map<String, Value>) -> Result<Self, String> {
        if !descriptor.traits.takes_clusters {
            return Ok(Self::default());
        }
        let text = |name: &str| match params.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(format!("`{name}` is {other}: it must be a string")),
        };
        let field = |name: &str| {
            let path = text(name)?;
            match path.filter(|path| path.starts_with("__dj__")) {
                Some(path) => Err(format!(
                    "`{name}` is `{path}`: names that begin with `__dj__` are taken; choose another, such as `cluster_size`"
                )),
                None => text(name),
            }
        };
        let keep = match text(KEEP)? {
            None => Keep::First,
            Some(text) => Keep::parse(&text).ok_or_else(|| {
                format!(
                    "`{KEEP}` is `{text}`; valid are `first`, `last`, `all`, `longest`, `max FIELD` and `min FIELD`, as in `max quality`"
                )
            })?,
        };
        let (id_field, size_field) = (field(ID_FIELD)?, field(SIZE_FIELD)?);
        match (&id_field, &size_field) {
            (Some(id), Some(size)) if id == size => Err(format!(
                "`{ID_FIELD}` and `{SIZE_FIELD}` are both `{id}`: they must be different fields"
            )),
            _ => Ok(Self {
                keep,
                id_field,
                size_field,
            }),
        }
    }

    /// Whether the first row of each cluster stays as it is.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether rows that stay get fields.
    pub fn has_fields(&self) -> bool {
        self.id_field.is_some() || self.size_field.is_some()
    }

    /// The fields that the host reads of the rows.
    pub(crate) fn reads(&self) -> Option<Input> {
        match &self.keep {
            Keep::Max(field) | Keep::Min(field) => Some(Input {
                path: field.clone(),
                ty: FieldType::Json,
                required: false,
            }),
            _ => None,
        }
    }

    /// The fields that the host writes.
    pub(crate) fn writes(&self) -> impl Iterator<Item = Computed> {
        let fields = self.id_field.iter().chain(&self.size_field);
        fields.map(|path| Computed {
            path: path.clone(),
            ty: FieldType::S64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::contract::{Cost, Kind, Matching, Needs, Traits};

    fn of(params: serde_json::Value) -> Result<Clusters, String> {
        let descriptor = Descriptor {
            name: "a_deduplicator".into(),
            kind: Kind::Deduplicator,
            summary: String::new(),
            params_schema: serde_json::json!({}),
            cost: Cost::Light,
            matching: Some(Matching::Equal),
            traits: Traits {
                takes_clusters: true,
                ..Traits::default()
            },
            needs: Needs::default(),
        };
        Clusters::of(&descriptor, params.as_object().unwrap())
    }

    #[test]
    fn parameters_become_a_choice() {
        assert!(of(serde_json::json!({})).unwrap().is_default());
        let keep = |text: &str| of(serde_json::json!({"keep": text})).unwrap().keep;
        assert_eq!(keep("max a b.c"), Keep::Max("a b.c".into()));
        assert_eq!(keep("min  x"), Keep::Min("x".into()));
        assert_eq!(keep("last"), Keep::Last);
        let named = of(serde_json::json!({"cluster_size_field": "n", "cluster_id_field": ""}));
        assert_eq!(named.unwrap().size_field, Some("n".into()));
    }

    #[test]
    fn wrong_ones_are_named_with_what_is_valid() {
        for (params, part) in [
            (serde_json::json!({"keep": "max"}), "`max FIELD`"),
            (serde_json::json!({"keep": "max "}), "`keep` is `max `"),
            (serde_json::json!({"keep": "newest"}), "`keep` is `newest`"),
            (serde_json::json!({"keep": 3}), "must be a string"),
            (
                serde_json::json!({"cluster_id_field": "__dj__stats__"}),
                "are taken",
            ),
            (
                serde_json::json!({"cluster_id_field": "n", "cluster_size_field": "n"}),
                "both `n`",
            ),
        ] {
            let error = of(params).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
