//! Filters that judge a row by one or two numbers per file or per part of the text, and the rule over all
//! of them.

use crate::media::Media;
use crate::rows::{Modality, files};
use djhost_sdk::prelude::*;
use djhost_sdk::{Lists, STATS};

/// Which of the files of a row must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnyOrAll {
    /// One of them.
    #[default]
    Any,
    /// Each of them.
    All,
}

/// A filter that judges a row by lists of numbers.
pub trait Judged {
    /// The stats, each with a list per row; one or two.
    const STATS: &'static [Stat];

    /// The fields that it reads.
    fn reads(common: &Common) -> Vec<Input>;

    /// The numbers of a row, one per stat in each; `inputs` is how many fields it reads.
    ///
    /// # Errors
    /// When the row goes to quarantine.
    fn numbers(&self, row: Row<'_>, inputs: usize) -> Result<Vec<[f64; 2]>, Reject>;

    /// Whether such numbers fit.
    fn fits(&self, common: &Common, numbers: [f64; 2]) -> bool;

    /// Whether one of them must fit or all.
    fn rule(&self) -> AnyOrAll;
}

impl<T: PerFile> Judged for T {
    const STATS: &'static [Stat] = T::STATS;

    fn reads(common: &Common) -> Vec<Input> {
        T::MODALITY.inputs(common)
    }

    fn numbers(&self, row: Row<'_>, inputs: usize) -> Result<Vec<[f64; 2]>, Reject> {
        let files = files(row, inputs)?;
        let numbers = files.iter().map(|file| {
            let numbers = self.measure(file);
            numbers.map_err(|reason| Reject(file.blamed(reason)))
        });
        numbers.collect()
    }

    fn fits(&self, common: &Common, numbers: [f64; 2]) -> bool {
        PerFile::fits(self, common, numbers)
    }

    fn rule(&self) -> AnyOrAll {
        PerFile::rule(self)
    }
}

/// A filter over files, each by itself.
pub trait PerFile {
    /// Which files.
    const MODALITY: Modality;
    /// The stats, each with a list per row; one or two.
    const STATS: &'static [Stat];

    /// The numbers of one file, one per stat.
    ///
    /// # Errors
    /// When the file cannot be measured; the message need not name it.
    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String>;

    /// Whether a file with these numbers fits.
    fn fits(&self, common: &Common, numbers: [f64; 2]) -> bool;

    /// Whether one file must fit or all.
    fn rule(&self) -> AnyOrAll;
}

/// What a [`Judged`] reads and writes.
pub fn signature<T: Judged>(common: &Common) -> Signature {
    let computed = |stat: &Stat| {
        let ty = match stat.integer {
            true => ColumnType::S64List,
            false => ColumnType::F64List,
        };
        Computed::new(stat.key, ty)
    };
    Signature {
        reads: T::reads(common),
        writes_stats: T::STATS.iter().map(computed).collect(),
        ..Signature::default()
    }
}

/// Computes the numbers of each row, or uses the stats that it already has, and judges it by them. A
/// row without numbers stays.
pub fn process<T: Judged>(op: &T, common: &Common, batch: &Batch) -> Output {
    let inputs = T::reads(common).len();
    let known: Vec<Option<&Column>> = T::STATS
        .iter()
        .map(|stat| present(batch, inputs, stat.key))
        .collect();
    let mut offsets: Vec<u32> = vec![0];
    let mut values: Vec<Vec<f64>> = T::STATS.iter().map(|_| Vec::new()).collect();
    let (mut keep, mut rejected) = (Vec::with_capacity(batch.rows()), Vec::new());
    let mut numbers: Vec<[f64; 2]> = Vec::new();
    for row in 0..batch.rows() {
        numbers.clear();
        let judged = match given(&known, row, &mut numbers) {
            true => Ok(()),
            false => op
                .numbers(batch.row(row), inputs)
                .map(|found| numbers.extend(found)),
        };
        let keeps = match judged {
            Ok(()) => {
                let mut fit = numbers.iter().map(|n| op.fits(common, *n));
                numbers.is_empty()
                    || if op.rule() == AnyOrAll::Any {
                        fit.any(|f| f)
                    } else {
                        fit.all(|f| f)
                    }
            }
            Err(Reject(reason)) => {
                rejected.push(Rejection {
                    row: row as u32,
                    reason,
                });
                numbers.clear();
                false
            }
        };
        keep.push(u8::from(keeps));
        for (k, values) in values.iter_mut().enumerate() {
            values.extend(numbers.iter().map(|n| n[k]));
        }
        offsets.push(values[0].len() as u32);
    }
    let stats = T::STATS.iter().zip(values).map(|(stat, values)| Field {
        path: stat.key.into(),
        values: lists(stat, offsets.clone(), values),
    });
    let stats = stats.collect();
    Output::Filtered {
        keep,
        stats,
        rejected,
    }
}

/// A list of numbers per row.
fn lists(stat: &Stat, offsets: Vec<u32>, values: Vec<f64>) -> Column {
    const FIT: &str = "an offset per row";
    match stat.integer {
        true => {
            let values = values.into_iter().map(|v| v as i64).collect();
            Column::S64List(Lists::<Vec<i64>>::new(offsets, values, None).expect(FIT))
        }
        false => Column::F64List(Lists::<Vec<f64>>::new(offsets, values, None).expect(FIT)),
    }
}

/// Takes the numbers that the row already has, if it has all of them.
fn given(known: &[Option<&Column>], row: usize, numbers: &mut Vec<[f64; 2]>) -> bool {
    let list = |k: usize| -> Option<Vec<f64>> {
        match known.get(k).copied().flatten()? {
            Column::F64List(lists) => lists.range(row).map(|_| lists.numbers(row).to_vec()),
            Column::S64List(lists) => lists
                .range(row)
                .map(|_| lists.numbers(row).iter().map(|v| *v as f64).collect()),
            _ => None,
        }
    };
    let Some(first) = list(0) else { return false };
    let second = if known.len() == 2 {
        list(1)
    } else {
        Some(first.clone())
    };
    let Some(second) = second.filter(|second| second.len() == first.len()) else {
        return false;
    };
    numbers.extend(first.iter().zip(second).map(|(a, b)| [*a, b]));
    true
}

/// The lists under `key` that the rows already have. They follow the inputs.
fn present<'a>(batch: &'a Batch, inputs: usize, key: &str) -> Option<&'a Column> {
    let named = |field: &&Field| {
        field
            .path
            .strip_prefix(STATS)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(key)
    };
    let found = batch.fields.iter().skip(inputs).find(named);
    found.map(|field| &field.values)
}

/// Makes a [`Judged`] an [`Operator`] with a name and a cost; the name of a method after these is that of
/// its [`Operator::prepare`]. The crate that uses it depends on `djhost-sdk`.
#[macro_export]
macro_rules! judging_filter {
    ($op:ty, $name:literal, $cost:expr $(, $prepare:ident)?) => {
        impl ::djhost_sdk::Operator for $op {
            const NAME: &'static str = $name;
            const TRAITS: ::djhost_sdk::Traits = ::djhost_sdk::Traits::NONE.reads_media();
            const KIND: ::djhost_sdk::Kind = ::djhost_sdk::Kind::Filter;
            const COST: ::djhost_sdk::Cost = $cost;

            $(fn prepare(&mut self) -> Result<(), String> {
                self.$prepare()
            })?

            fn signature(&self, common: &::djhost_sdk::Common) -> ::djhost_sdk::Signature {
                $crate::signature::<Self>(common)
            }

            fn process(
                &mut self,
                common: &::djhost_sdk::Common,
                batch: &::djhost_sdk::Batch,
            ) -> Result<::djhost_sdk::Output, ::djhost_sdk::OpError> {
                Ok($crate::process(self, common, batch))
            }
        }
    };
}
