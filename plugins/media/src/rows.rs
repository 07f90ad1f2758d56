//! What the media filters share: the files of a row, one or two numbers per file or per part of the text,
//! and the rule over all of them.

use crate::source::Media;
use djhost_sdk::prelude::*;
use djhost_sdk::{Lists, STATS};

/// The kind of files in a row's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Modality {
    Images,
    Audios,
    Videos,
}

impl Modality {
    /// The fields with the list, and with the bytes of images inside of rows. The list is read as
    /// JSON, because a value that is not a list must not pass for an absent one.
    pub(crate) fn inputs(self, common: &Common) -> Vec<Input> {
        let key = match self {
            Self::Images => &common.image_key,
            Self::Audios => &common.audio_key,
            Self::Videos => &common.video_key,
        };
        let list = Input::optional(key, ColumnType::Json);
        match self {
            // A field cannot be read in two types.
            Self::Images if common.image_bytes_key == *key => {
                vec![Input::required(key, ColumnType::BytesList)]
            }
            Self::Images => vec![
                list,
                Input::optional(&common.image_bytes_key, ColumnType::BytesList),
            ],
            Self::Audios | Self::Videos => vec![list],
        }
    }
}

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

/// The files of a row, of which the first `inputs` fields are those of [`Modality::inputs`]. Where
/// a row has the bytes of a file, its path is not opened.
///
/// # Errors
/// When the list is not one of strings.
pub(crate) fn files(row: Row<'_>, inputs: usize) -> Result<Vec<Media<'_>>, Reject> {
    let mut paths = Vec::new();
    if let Some(text) = row.text(0) {
        let value = serde_json::from_str::<Option<Vec<String>>>(text);
        paths = value
            .map_err(|_| format!("not a list of paths: {text:.200}"))?
            .unwrap_or_default();
    }
    let last = inputs - 1;
    let mut inside = row.bytes_list(last).enumerate().map(|(i, bytes)| {
        let name = format!("file {i} in `{}`", row.path(last));
        Media::inside(name, bytes)
    });
    if paths.is_empty() {
        return Ok(inside.collect());
    }
    let file = |path: String| inside.next().unwrap_or_else(|| Media::file(path));
    Ok(paths.into_iter().map(file).collect())
}

/// A filter that judges a row by lists of numbers.
pub(crate) trait Judged {
    /// The stats, each with a list per row; one or two.
    const STATS: &'static [Stat];

    /// The fields that it reads.
    fn reads(common: &Common) -> Vec<Input>;

    /// The numbers of a row, one per stat in each; `inputs` is how many fields it reads.
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
pub(crate) trait PerFile {
    const MODALITY: Modality;
    /// The stats, each with a list per row; one or two.
    const STATS: &'static [Stat];

    /// The numbers of one file, one per key.
    fn measure(&self, file: &Media<'_>) -> Result<[f64; 2], String>;

    /// Whether a file with these numbers fits.
    fn fits(&self, common: &Common, numbers: [f64; 2]) -> bool;

    /// Whether one file must fit or all.
    fn rule(&self) -> AnyOrAll;
}

pub(crate) fn signature<T: Judged>(common: &Common) -> Signature {
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
pub(crate) fn process<T: Judged>(op: &T, common: &Common, batch: &Batch) -> Output {
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

/// Makes a [`Judged`] an [`Operator`].
macro_rules! judging_filter {
    ($op:ty, $name:literal, $cost:expr $(, $prepare:ident)?) => {
        impl Operator for $op {
            const NAME: &'static str = $name;
            const TRAITS: Traits = Traits::NONE.reads_media();
            const KIND: Kind = Kind::Filter;
            const COST: Cost = $cost;

            $(fn prepare(&mut self) -> Result<(), String> {
                self.$prepare()
            })?

            fn signature(&self, common: &Common) -> Signature {
                crate::rows::signature::<Self>(common)
            }

            fn process(&mut self, common: &Common, batch: &Batch) -> Result<Output, OpError> {
                Ok(crate::rows::process(self, common, batch))
            }
        }
    };
}
pub(crate) use judging_filter;
