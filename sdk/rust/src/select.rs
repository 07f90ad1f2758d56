//! Selectors over one field.

use crate::batch::{Batch, Cost, Input, Kind, OpError, Output, Reject, Rejection, Row, Signature};
use crate::column::Column;
use crate::op::{Entry, Instance, Of, create, descriptor};
use crate::params::{Common, Params};
use crate::traits::Traits;

/// A selector: a key per row, then a choice among the keys of the whole dataset.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Keeps the rows with the highest score.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct BestSelector {}
///
/// impl Selector for BestSelector {
///     const NAME: &'static str = "best_selector";
///     type Key = f64;
///
///     fn input(&self, _common: &Common) -> Option<Input> {
///         Some(Input::required("score", ColumnType::F64))
///     }
///
///     fn key(&mut self, row: Row<'_>) -> Result<f64, Reject> {
///         Ok(row.number(0).unwrap_or_default())
///     }
///
///     fn select(&mut self, _common: &Common, keys: &[f64]) -> Result<Vec<bool>, String> {
///         let best = keys.iter().copied().fold(f64::MIN, f64::max);
///         Ok(keys.iter().map(|&key| key == best).collect())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(BestSelector), "{}").unwrap();
/// assert_eq!(runner.select_json(&[r#"{"score": 1}"#, r#"{"score": 3}"#, r#"{"score": 3}"#]).unwrap(), [false, true, true]);
/// ```
pub trait Selector: Params {
    /// The name that recipes use.
    const NAME: &'static str;
    /// The work per row.
    const COST: Cost = Cost::Light;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;
    /// The type of a key: `f64`, `i64` or `String`.
    type Key: SelectorKey;

    /// Checks the parameters and builds what does not change from row to row.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// The field that the key is made from; None if the row's id is enough.
    fn input(&self, common: &Common) -> Option<Input>;

    /// The key of one row.
    ///
    /// # Errors
    /// A row without a sensible key goes to quarantine with the reason.
    fn key(&mut self, row: Row<'_>) -> Result<Self::Key, Reject>;

    /// Decides which rows stay, given the keys of all rows in input order.
    ///
    /// # Errors
    /// A sentence that says why these keys cannot be chosen among.
    fn select(&mut self, common: &Common, keys: &[Self::Key]) -> Result<Vec<bool>, String>;
}

/// A type that keys can have.
pub trait SelectorKey: Default + Sized + 'static {
    /// The column that carries them.
    fn column(keys: Vec<Self>) -> Column;

    /// The keys in a column; None if it contains something else.
    fn keys(column: &Column) -> Option<Vec<Self>>;
}

impl SelectorKey for f64 {
    fn column(keys: Vec<Self>) -> Column {
        Column::F64(keys.into())
    }

    fn keys(column: &Column) -> Option<Vec<Self>> {
        match column {
            Column::F64(keys) => Some(keys.iter().map(Option::unwrap_or_default).collect()),
            _ => None,
        }
    }
}

impl SelectorKey for i64 {
    fn column(keys: Vec<Self>) -> Column {
        Column::S64(keys.into())
    }

    fn keys(column: &Column) -> Option<Vec<Self>> {
        match column {
            Column::S64(keys) => Some(keys.iter().map(Option::unwrap_or_default).collect()),
            _ => None,
        }
    }
}

impl SelectorKey for String {
    fn column(keys: Vec<Self>) -> Column {
        Column::Utf8(keys.iter().map(String::as_str).collect())
    }

    fn keys(column: &Column) -> Option<Vec<Self>> {
        match column {
            Column::Utf8(keys) => Some(
                keys.iter()
                    .map(|key| key.unwrap_or_default().to_owned())
                    .collect(),
            ),
            _ => None,
        }
    }
}

struct ByKey<T> {
    op: T,
    common: Common,
}

impl<T: Selector> Instance for ByKey<T> {
    fn signature(&self) -> Signature {
        Signature {
            reads: self.op.input(&self.common).into_iter().collect(),
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let mut rejected = Vec::new();
        let mut key = |row: usize| {
            self.op
                .key(batch.row(row))
                .unwrap_or_else(|Reject(reason)| {
                    rejected.push(Rejection {
                        row: row as u32,
                        reason,
                    });
                    T::Key::default()
                })
        };
        let keys = T::Key::column((0..batch.rows()).map(&mut key).collect());
        Ok(Output::Keys { keys, rejected })
    }

    fn select(&mut self, keys: &Column) -> Result<Vec<u8>, OpError> {
        let keys = T::Key::keys(keys).ok_or_else(|| {
            OpError::Failed(format!("`{}` was given keys that it did not make", T::NAME))
        })?;
        let keep = self
            .op
            .select(&self.common, &keys)
            .map_err(OpError::Failed)?;
        Ok(keep.into_iter().map(u8::from).collect())
    }
}

/// Makes the [`Entry`] of a [`Selector`].
#[doc(hidden)]
pub trait SelectorEntry {
    fn entry(&self) -> Entry;
}

impl<T: Selector> SelectorEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Selector, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| ByKey { op, common }),
        }
    }
}
