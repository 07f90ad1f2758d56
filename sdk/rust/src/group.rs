//! Groupers over rows.

use crate::batch::{Batch, Cost, Input, Kind, OpError, Output, Reject, Rejection, Row, Signature};
use crate::column::{Column, Texts};
use crate::op::{Entry, Instance, Of, create, descriptor};
use crate::params::{Common, Params};
use crate::traits::Traits;

/// A grouper: a key per row. The host makes one row of all rows of the dataset with equal keys:
/// each field becomes the list of their values, in input order, and the row takes the place of the
/// first of them.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Takes pages of one site together.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct SiteGrouper {}
///
/// impl Grouper for SiteGrouper {
///     const NAME: &'static str = "site_grouper";
///
///     fn inputs(&self, _common: &Common) -> Vec<Input> {
///         vec![Input::required("url", ColumnType::Utf8)]
///     }
///
///     fn key(&mut self, row: Row<'_>, out: &mut String) -> Result<(), Reject> {
///         let url = row.text(0).unwrap_or_default();
///         let site = url.split('/').nth(2).ok_or("the URL has no host")?;
///         out.push_str(site);
///         Ok(())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(SiteGrouper), "{}").unwrap();
/// let rows = [r#"{"url": "https://a.org/1"}"#, r#"{"url": "https://b.org/"}"#, r#"{"url": "https://a.org/2"}"#];
/// assert_eq!(runner.group_json(&rows).unwrap(), [vec![0, 2], vec![1]]);
/// ```
pub trait Grouper: Params {
    /// The name that recipes use.
    const NAME: &'static str;
    /// The work per row.
    const COST: Cost = Cost::Light;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;

    /// Checks the parameters and builds what does not change from row to row.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// The fields that the key is made from; the row has them by their number in this list.
    fn inputs(&self, common: &Common) -> Vec<Input>;

    /// Appends the key of one row to `out`, which may already contain keys of other rows. A key may
    /// have any length: it is not kept.
    ///
    /// # Errors
    /// A row without a sensible key goes to quarantine with the reason.
    fn key(&mut self, row: Row<'_>, out: &mut String) -> Result<(), Reject>;
}

struct ByKey<T> {
    op: T,
    common: Common,
}

impl<T: Grouper> Instance for ByKey<T> {
    fn signature(&self) -> Signature {
        Signature {
            reads: self.op.inputs(&self.common),
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let (mut keys, mut rejected) = (Texts::default(), Vec::new());
        for row in 0..batch.rows() {
            if let Err(Reject(reason)) = keys.push_with(|out| self.op.key(batch.row(row), out)) {
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
            }
        }
        Ok(Output::Keys {
            keys: Column::Utf8(keys),
            rejected,
        })
    }
}

/// Makes the [`Entry`] of a [`Grouper`].
#[doc(hidden)]
pub trait GrouperEntry {
    fn entry(&self) -> Entry;
}

impl<T: Grouper> GrouperEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Grouper, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| ByKey { op, common }),
        }
    }
}
