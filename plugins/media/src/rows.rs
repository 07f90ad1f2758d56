//! What the media filters share: the files of a row, one or two numbers per file, and the rule over
//! all of them.

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
    /// The field with the list. Read as JSON, because a value that is not a list must not pass for
    /// an absent one.
    pub(crate) fn input(self, common: &Common) -> Input {
        let key = match self {
            Self::Images => &common.image_key,
            Self::Audios => &common.audio_key,
            Self::Videos => &common.video_key,
        };
        Input::optional(key, ColumnType::Json)
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

/// The files that a row names in field number `field`.
///
/// # Errors
/// When the value is not a list of strings.
pub(crate) fn paths(row: Row<'_>, field: usize) -> Result<Vec<String>, Reject> {
    let Some(text) = row.text(field) else {
        return Ok(Vec::new());
    };
    let value = serde_json::from_str::<Option<Vec<String>>>(text);
    Ok(value
        .map_err(|_| format!("not a list of paths: {text:.200}"))?
        .unwrap_or_default())
}

/// A filter over files.
pub(crate) trait PerFile {
    const MODALITY: Modality;
    /// Keys of the stats, each with a list per row; one or two.
    const KEYS: &'static [&'static str];

    /// The numbers of one file, one per key.
    fn measure(&self, file: Media<'_>) -> Result<[f64; 2], String>;

    /// Whether a file with these numbers fits.
    fn fits(&self, common: &Common, numbers: [f64; 2]) -> bool;

    /// Whether one file must fit or all.
    fn rule(&self) -> AnyOrAll;
}

pub(crate) fn signature<T: PerFile>(common: &Common) -> Signature {
    let stats = T::KEYS
        .iter()
        .map(|key| Computed::new(*key, ColumnType::F64List))
        .collect();
    Signature {
        reads: vec![T::MODALITY.input(common)],
        writes: Vec::new(),
        writes_stats: stats,
    }
}

/// Measures the files of each row, or uses the stats that it already has, and judges it by them. A
/// row without files stays.
pub(crate) fn process<T: PerFile>(op: &T, common: &Common, batch: &Batch) -> Output {
    let known: Vec<Option<&Lists<Vec<f64>>>> =
        T::KEYS.iter().map(|key| present(batch, key)).collect();
    let mut offsets: Vec<u32> = vec![0];
    let mut values: Vec<Vec<f64>> = T::KEYS.iter().map(|_| Vec::new()).collect();
    let (mut keep, mut rejected) = (Vec::with_capacity(batch.rows()), Vec::new());
    let mut numbers: Vec<[f64; 2]> = Vec::new();
    for row in 0..batch.rows() {
        numbers.clear();
        let judged = match given(&known, row, &mut numbers) {
            true => Ok(()),
            false => paths(batch.row(row), 0).and_then(|paths| {
                for path in &paths {
                    let file = Media(path);
                    numbers.push(op.measure(file).map_err(|reason| file.blamed(reason))?);
                }
                Ok(())
            }),
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
    let column = |values| {
        Column::F64List(
            Lists::<Vec<f64>>::new(offsets.clone(), values, None).expect("an offset per row"),
        )
    };
    let stats = T::KEYS
        .iter()
        .zip(values)
        .map(|(key, values)| Field {
            path: (*key).into(),
            values: column(values),
        })
        .collect();
    Output::Filtered {
        keep,
        stats,
        rejected,
    }
}

/// Takes the numbers that the row already has, if it has all of them.
fn given(known: &[Option<&Lists<Vec<f64>>>], row: usize, numbers: &mut Vec<[f64; 2]>) -> bool {
    let list = |k: usize| {
        known
            .get(k)
            .copied()
            .flatten()
            .and_then(|lists| lists.range(row).map(|_| lists.numbers(row)))
    };
    let Some(first) = list(0) else { return false };
    let second = if known.len() == 2 {
        list(1)
    } else {
        Some(first)
    };
    let Some(second) = second.filter(|second| second.len() == first.len()) else {
        return false;
    };
    numbers.extend(first.iter().zip(second).map(|(a, b)| [*a, *b]));
    true
}

/// The lists under `key` that the rows already have. They follow the list of files.
fn present<'a>(batch: &'a Batch, key: &str) -> Option<&'a Lists<Vec<f64>>> {
    let named = |field: &&Field| {
        field
            .path
            .strip_prefix(STATS)
            .and_then(|rest| rest.strip_prefix('.'))
            == Some(key)
    };
    batch
        .fields
        .iter()
        .skip(1)
        .find(named)
        .and_then(|field| match &field.values {
            Column::F64List(lists) => Some(lists),
            _ => None,
        })
}

/// Makes a [`PerFile`] an [`Operator`].
macro_rules! filter_per_file {
    ($op:ty, $name:literal, $cost:expr $(, $prepare:ident)?) => {
        impl Operator for $op {
            const NAME: &'static str = $name;
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
pub(crate) use filter_per_file;
