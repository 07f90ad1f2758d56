//! The operator over columns, and the common form of all operators of a pack.

use crate::batch::{Batch, Cost, Descriptor, Kind, OpError, Output, Signature};
use crate::column::Column;
use crate::params::{self, Common, Params};
use crate::traits::{Needs, Traits};
use std::marker::PhantomData;

/// An operator over columns, of any kind. The traits over rows ([`TextFilter`](crate::TextFilter),
/// [`TextMapper`](crate::TextMapper), …) are shorter; this one sees the whole batch and answers
/// with whole columns.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Keeps the rows whose image is wider than high, and notes the ratio.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct Landscape {}
///
/// impl Operator for Landscape {
///     const NAME: &'static str = "landscape_filter";
///     const KIND: Kind = Kind::Filter;
///
///     fn signature(&self, _common: &Common) -> Signature {
///         let number = |path: &str| Input::required(path, ColumnType::F64);
///         Signature { reads: vec![number("width"), number("height")], writes_stats: vec![Computed::new("ratio", ColumnType::F64)], ..Signature::default() }
///     }
///
///     fn process(&mut self, _common: &Common, batch: &Batch) -> Result<Output, OpError> {
///         let side = |field: usize, row| batch.fields[field].values.number(row).unwrap_or_default();
///         let ratios: Vec<f64> = (0..batch.rows()).map(|row| side(0, row) / side(1, row)).collect();
///         let keep = ratios.iter().map(|&r| u8::from(r > 1.0)).collect();
///         let stats = vec![Field { path: "ratio".into(), values: Column::F64(ratios.into()) }];
///         Ok(Output::Filtered { keep, stats, rejected: Vec::new() })
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(Landscape), "{}").unwrap();
/// let out = runner.filter_json(&[r#"{"width": 4, "height": 2}"#, r#"{"width": 1, "height": 2}"#]);
/// assert_eq!(out.keep, [true, false]);
/// assert_eq!(out.stat("ratio"), [Some(2.0), Some(0.5)]);
/// ```
pub trait Operator: Params {
    /// The name that recipes use: lower-case letters, digits and `_`, at most 64, starting with a
    /// letter.
    const NAME: &'static str;
    /// Its kind, which decides the case of [`Output`] that it answers with.
    const KIND: Kind;
    /// The work per row.
    const COST: Cost = Cost::Light;
    /// What it can do beyond its kind.
    const TRAITS: Traits = Traits::NONE;

    /// Checks the parameters and builds what does not change from row to row. Called once, before
    /// everything else.
    ///
    /// # Errors
    /// A sentence that names the parameter and says what is valid.
    fn prepare(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// What it reads and writes with these parameters.
    fn signature(&self, common: &Common) -> Signature;

    /// Processes a batch. The answer for a row may depend on that row alone.
    ///
    /// # Errors
    /// [`OpError::Failed`] when it cannot process this batch.
    fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError>;

    /// Selectors only: one byte per key, 1 keeps the row and 0 drops it. The keys are those of the
    /// whole dataset in input order.
    ///
    /// # Errors
    /// [`OpError::Failed`] when these keys cannot be chosen among.
    fn select(&mut self, common: &Common, keys: &Column) -> Result<Vec<u8>, OpError> {
        let _ = (common, keys);
        Err(OpError::Failed(format!(
            "`{}` is not a selector",
            Self::NAME
        )))
    }
}

/// An operator with its parameters, ready to work.
pub trait Instance {
    /// What it reads and writes.
    fn signature(&self) -> Signature;

    /// See [`Operator::process`].
    fn process(&mut self, batch: &Batch) -> Result<Output, OpError>;

    /// See [`Operator::select`].
    fn select(&mut self, keys: &Column) -> Result<Vec<u8>, OpError> {
        let _ = keys;
        Err(OpError::Failed("only selectors select".into()))
    }
}

/// One operator of a pack: what its component says and does, callable natively too.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Describes the operator.
    pub describe: fn() -> Descriptor,
    /// Makes one with the parameters, a JSON object.
    pub create: fn(params: &str) -> Result<Box<dyn Instance>, OpError>,
}

impl std::fmt::Debug for dyn Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Instance({:?})", self.signature())
    }
}

/// Carries a type, so that a method call finds the trait that it implements. Used by
/// [`operator!`](crate::operator).
#[derive(Debug)]
pub struct Of<T>(PhantomData<T>);

impl<T> Of<T> {
    #[doc(hidden)]
    #[allow(clippy::new_without_default, reason = "only macros make one")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// The descriptor of `T`.
pub(crate) fn descriptor<T: Params>(
    name: &'static str,
    kind: Kind,
    cost: Cost,
    traits: Traits,
) -> Descriptor {
    let (summary, schema) = params::describe::<T>();
    Descriptor {
        name,
        kind,
        summary,
        params_schema: schema.to_string(),
        cost,
        traits,
        needs: Needs::of(traits, &schema),
    }
}

/// Reads the parameters, lets the operator check them, and makes the instance.
pub(crate) fn create<T: Params, I: Instance + 'static>(
    params: &str,
    prepare: fn(&mut T) -> Result<(), String>,
    make: fn(T, Common) -> I,
) -> Result<Box<dyn Instance>, OpError> {
    let (mut op, common) = params::parse::<T>(params)?;
    prepare(&mut op).map_err(OpError::InvalidParams)?;
    Ok(Box::new(make(op, common)))
}

struct Columns<T> {
    op: T,
    common: Common,
}

impl<T: Operator> Instance for Columns<T> {
    fn signature(&self) -> Signature {
        self.op.signature(&self.common)
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        self.op.process(&self.common, batch)
    }

    fn select(&mut self, keys: &Column) -> Result<Vec<u8>, OpError> {
        self.op.select(&self.common, keys)
    }
}

/// Makes the [`Entry`] of an [`Operator`].
#[doc(hidden)]
pub trait OperatorEntry {
    fn entry(&self) -> Entry;
}

impl<T: Operator> OperatorEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, T::KIND, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| Columns { op, common }),
        }
    }
}
