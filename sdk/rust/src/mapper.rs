//! Mappers over rows.

use crate::batch::{
    Batch, Computed, Cost, Field, Input, Kind, OpError, Output, Reject, Rejection, Row, Signature,
    Update,
};
use crate::column::{Column, ColumnType, Texts};
use crate::op::{Entry, Instance, Of, create, descriptor};
use crate::params::{Common, Params};
use crate::traits::Traits;

/// A mapper that rewrites the text.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Writes the text in capital letters.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct ShoutMapper {}
///
/// impl TextMapper for ShoutMapper {
///     const NAME: &'static str = "shout_mapper";
///
///     fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
///         out.extend(text.chars().flat_map(char::to_uppercase));
///         Ok(text.contains(char::is_lowercase))
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(ShoutMapper), "{}").unwrap();
/// assert_eq!(runner.map(&["hey", "YO"]), ["HEY", "YO"]);
/// ```
pub trait TextMapper: Params {
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

    /// Appends the new text to `out` and returns true, or returns false if the text does not change
    /// (what was appended is then removed). `out` may already contain texts of other rows: only
    /// append. An unchanged row is not copied anywhere.
    ///
    /// # Errors
    /// A text that cannot be mapped goes to quarantine with the reason.
    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject>;
}

/// A mapper that changes several fields of a row.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Moves the first line of the text into `title`.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct TitleMapper {}
///
/// impl Mapper for TitleMapper {
///     const NAME: &'static str = "title_mapper";
///
///     fn writes(&self, common: &Common) -> Vec<String> {
///         vec![common.text_key.clone(), "title".into()]
///     }
///
///     fn map(&mut self, row: Row<'_>, out: &mut Changes) -> Result<(), Reject> {
///         if let Some((title, rest)) = row.text(0).unwrap_or_default().split_once('\n') {
///             out.set(0, rest);
///             out.set(1, title);
///         }
///         Ok(())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(TitleMapper), "{}").unwrap();
/// let out = runner.map_json(&[r#"{"text": "Top\nBody"}"#, r#"{"text": "Body"}"#]);
/// assert_eq!(out, [r#"{"text":"Body","title":"Top"}"#, r#"{"text":"Body"}"#]);
/// ```
pub trait Mapper: Params {
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

    /// The fields it reads, by default the text; the row has them by their number in this list.
    fn inputs(&self, common: &Common) -> Vec<Input> {
        vec![Input::required(&common.text_key, ColumnType::Utf8)]
    }

    /// Paths of the fields it changes or adds; `out` takes them by their number in this list.
    fn writes(&self, common: &Common) -> Vec<String>;

    /// Sets the fields of one row that change.
    ///
    /// # Errors
    /// A row that cannot be mapped goes to quarantine with the reason.
    fn map(&mut self, row: Row<'_>, out: &mut Changes) -> Result<(), Reject>;
}

/// The changes that a [`Mapper`] makes.
#[derive(Debug)]
pub struct Changes {
    row: u32,
    fields: Vec<(Vec<u32>, Texts)>,
}

impl Changes {
    /// Sets field number `field` of the row; a second call for the same field replaces the first.
    pub fn set(&mut self, field: usize, value: &str) {
        self.set_with(field, |out| out.push_str(value));
    }

    /// Like [`Changes::set`], with the value that `write` appends to its buffer.
    pub fn set_with(&mut self, field: usize, write: impl FnOnce(&mut String)) {
        let (rows, texts) = &mut self.fields[field];
        if rows.last() == Some(&self.row) {
            rows.pop();
            texts.pop();
        }
        texts.push_with(write);
        rows.push(self.row);
    }

    /// Discards the changes of the row.
    fn take_back(&mut self) {
        for (rows, texts) in &mut self.fields {
            if rows.last() == Some(&self.row) {
                rows.pop();
                texts.pop();
            }
        }
    }
}

/// A mapper that makes 0..n rows of each row. Fields that it does not write are copied from the
/// row.
///
/// ```
/// use djhost_sdk::prelude::*;
///
/// /// Makes a row of each line.
/// #[derive(Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default)]
/// struct LinesMapper {}
///
/// impl Expander for LinesMapper {
///     const NAME: &'static str = "lines_mapper";
///
///     fn expand(&mut self, text: &str, out: &mut NewRows) -> Result<(), Reject> {
///         text.lines().for_each(|line| out.push(line));
///         Ok(())
///     }
/// }
///
/// let mut runner = Runner::new(djhost_sdk::operator!(LinesMapper), "{}").unwrap();
/// assert_eq!(runner.map(&["a\nb", "", "c"]), ["a", "b", "c"]);
/// ```
pub trait Expander: Params {
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

    /// Pushes the texts of the rows to make from this one.
    ///
    /// # Errors
    /// A row that cannot be mapped goes to quarantine with the reason.
    fn expand(&mut self, text: &str, out: &mut NewRows) -> Result<(), Reject>;
}

/// The rows that an [`Expander`] makes.
#[derive(Debug, Default)]
pub struct NewRows {
    row: u32,
    origins: Vec<u32>,
    texts: Texts,
    /// Rows that were dropped with a reason.
    dropped: Vec<(u32, String)>,
}

impl NewRows {
    /// Adds a row with this text.
    pub fn push(&mut self, text: &str) {
        self.push_with(|out| out.push_str(text));
    }

    /// Adds a row with the text that `write` appends to its buffer.
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) {
        self.texts.push_with(write);
        self.origins.push(self.row);
    }

    /// Says why no row is made of this one, for the job's trace and reports: for an operator with
    /// [`Traits::gives_drop_reasons`]. In place of [`push`](Self::push), once. Other hosts are not
    /// told.
    pub fn drop_because(&mut self, reason: impl Into<String>) {
        self.dropped.push((self.row, reason.into()));
    }

    /// The rows with those that say why there is none, and the reasons.
    fn with_reasons(self) -> (Vec<u32>, Texts, Texts) {
        let (mut origins, mut texts) = (Vec::new(), Texts::default());
        let mut reasons: Vec<Option<String>> = Vec::new();
        let mut dropped = self.dropped.into_iter().peekable();
        let mut add = |row: u32, text: &str, reason: Option<String>| {
            origins.push(row);
            texts.push(text);
            reasons.push(reason);
        };
        for (i, row) in self.origins.into_iter().enumerate() {
            while let Some((gone, reason)) = dropped.next_if(|(gone, _)| *gone < row) {
                add(gone, "", Some(reason));
            }
            add(row, self.texts.value(i), None);
        }
        dropped.for_each(|(gone, reason)| add(gone, "", Some(reason)));
        let reasons = reasons.iter().map(Option::as_deref).collect();
        (origins, texts, reasons)
    }
}

struct OneText<T> {
    op: T,
    common: Common,
}

impl<T: TextMapper> Instance for OneText<T> {
    fn signature(&self) -> Signature {
        let text = &self.common.text_key;
        Signature {
            reads: vec![Input::required(text, ColumnType::Utf8)],
            writes: vec![Computed::new(text, ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let (mut rows, mut values, mut rejected) = (Vec::new(), Texts::default(), Vec::new());
        for row in 0..batch.rows() {
            match values.push_with(|out| self.op.map(texts.value(row), out)) {
                Ok(true) => rows.push(row as u32),
                Ok(false) => values.pop(),
                Err(Reject(reason)) => {
                    values.pop();
                    rejected.push(Rejection {
                        row: row as u32,
                        reason,
                    });
                }
            }
        }
        let update = Update {
            path: self.common.text_key.clone(),
            rows: Some(rows),
            values: Column::Utf8(values),
        };
        Ok(Output::Updated {
            updates: if update.values.is_empty() {
                Vec::new()
            } else {
                vec![update]
            },
            rejected,
        })
    }
}

struct Fields<T> {
    op: T,
    common: Common,
}

impl<T: Mapper> Instance for Fields<T> {
    fn signature(&self) -> Signature {
        let writes = self
            .op
            .writes(&self.common)
            .into_iter()
            .map(|path| Computed::new(path, ColumnType::Utf8))
            .collect();
        Signature {
            reads: self.op.inputs(&self.common),
            writes,
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let writes = self.op.writes(&self.common);
        let mut changes = Changes {
            row: 0,
            fields: writes.iter().map(|_| Default::default()).collect(),
        };
        let mut rejected = Vec::new();
        for row in 0..batch.rows() {
            changes.row = row as u32;
            if let Err(Reject(reason)) = self.op.map(batch.row(row), &mut changes) {
                changes.take_back();
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
            }
        }
        let updates = writes
            .into_iter()
            .zip(changes.fields)
            .filter(|(_, (rows, _))| !rows.is_empty());
        let updates = updates.map(|(path, (rows, texts))| Update {
            path,
            rows: Some(rows),
            values: Column::Utf8(texts),
        });
        Ok(Output::Updated {
            updates: updates.collect(),
            rejected,
        })
    }
}

struct Expanding<T> {
    op: T,
    common: Common,
}

impl<T: Expander> Instance for Expanding<T> {
    fn signature(&self) -> Signature {
        let text = &self.common.text_key;
        Signature {
            reads: vec![Input::required(text, ColumnType::Utf8)],
            writes: vec![Computed::new(text, ColumnType::Utf8)],
            ..Signature::default()
        }
    }

    fn process(&mut self, batch: &Batch) -> Result<Output, OpError> {
        let texts = batch.texts(0)?;
        let (mut out, mut rejected) = (NewRows::default(), Vec::new());
        for row in 0..batch.rows() {
            out.row = row as u32;
            let before = out.origins.len();
            if let Err(Reject(reason)) = self.op.expand(texts.value(row), &mut out) {
                out.dropped.pop_if(|(dropped, _)| *dropped == row as u32);
                while out.origins.len() > before {
                    out.origins.pop();
                    out.texts.pop();
                }
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
            }
        }
        let field = |path: &str, texts| Field {
            path: path.to_owned(),
            values: Column::Utf8(texts),
        };
        let text_key = &self.common.text_key;
        let (origins, fields) = match self.common.drop_reasons && !out.dropped.is_empty() {
            true => {
                let (origins, texts, reasons) = out.with_reasons();
                let reasons = field(crate::DROPPED, reasons);
                (origins, vec![field(text_key, texts), reasons])
            }
            false => (out.origins, vec![field(text_key, out.texts)]),
        };
        Ok(Output::Rows {
            origins,
            fields,
            rejected,
        })
    }
}

/// Makes the [`Entry`] of a [`TextMapper`].
#[doc(hidden)]
pub trait TextMapperEntry {
    fn entry(&self) -> Entry;
}

impl<T: TextMapper> TextMapperEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Mapper, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| OneText { op, common }),
        }
    }
}

/// Makes the [`Entry`] of a [`Mapper`].
#[doc(hidden)]
pub trait MapperEntry {
    fn entry(&self) -> Entry;
}

impl<T: Mapper> MapperEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Mapper, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| Fields { op, common }),
        }
    }
}

/// Makes the [`Entry`] of an [`Expander`].
#[doc(hidden)]
pub trait ExpanderEntry {
    fn entry(&self) -> Entry;
}

impl<T: Expander> ExpanderEntry for Of<T> {
    fn entry(&self) -> Entry {
        Entry {
            describe: || descriptor::<T>(T::NAME, Kind::Mapper, T::COST, T::TRAITS),
            create: |params| create(params, T::prepare, |op, common| Expanding { op, common }),
        }
    }
}
