//! Answers that break the contract.

use std::hint::black_box;

use crate::Instance;
use crate::bindings::djhost::op::types::{
    Batch, Column, F64Column, Field, FilterOutput, Fingerprints, KeysOutput, OpError, Output,
    Rejection, RowsOutput, S64Column, Update, UpdateOutput, Utf8Column,
};
use crate::{disasters, files, peek};

/// The word that makes a row guilty.
const MARK: &[u8] = b"GUILTY";

/// The texts of a batch.
struct Texts<'a>(&'a Utf8Column);

impl Texts<'_> {
    fn get(&self, row: usize) -> &[u8] {
        &self.0.data[self.0.offsets[row] as usize..self.0.offsets[row + 1] as usize]
    }
}

pub(crate) fn answer(op: &Instance, input: &Batch) -> Result<Output, OpError> {
    let rows = input.row_ids.len();
    let Some(Field {
        values: Column::Utf8(column) | Column::Json(column),
        ..
    }) = input.fields.first()
    else {
        panic!("`text` is missing")
    };
    let texts = Texts(column);
    let is_guilty = |row: usize| texts.get(row).windows(MARK.len()).any(|w| w == MARK);
    let guilty = (0..rows).any(is_guilty);
    // Another build, without the mistake.
    let how = if guilty && crate::mode() != "cured" {
        op.how.as_str()
    } else {
        "behave"
    };
    disasters::cause(how);
    match how {
        "error" => return Err(OpError::Failed("the operator \u{1b}[31mgives up".into())),
        "giant_error" => return Err(OpError::Failed("no ".repeat(40 << 20))),
        "hoard" => files::hoard("lists/a.txt"),
        "wrong_kind" => {
            return Ok(Output::Keys(KeysOutput {
                keys: text_column(rows, "k"),
                rejected: Vec::new(),
            }));
        }
        _ => {}
    }
    Ok(match op.name.as_str() {
        "rogue_mapper" => match how
            .split_once('_')
            .and_then(|(what, n)| Some((what, n.parse().ok()?)))
        {
            Some(("bloat", size)) => bloat(&texts, rows, size),
            Some(("double", times)) => double(&texts, rows, times),
            _ => mapper(op, how, rows),
        },
        "rogue_deduplicator" => deduplicator(how, &texts, rows),
        "rogue_selector" => {
            let wanted = if how == "keys_short" { rows + 1 } else { rows };
            Output::Keys(KeysOutput {
                keys: text_column(wanted, "key"),
                rejected: Vec::new(),
            })
        }
        _ => filter(op, how, &texts, rows),
    })
}

fn filter(op: &Instance, how: &str, texts: &Texts<'_>, rows: usize) -> Output {
    let mut keep = vec![1u8; rows];
    let mut rejected = Vec::new();
    let reject = |row: u32, reason: &str| Rejection {
        row,
        reason: reason.into(),
    };
    let mut stats = match op.how.as_str() {
        "state" => vec![stat(
            "rogue",
            text_column(rows, &format!("call {}", op.calls.get())),
        )],
        "peek" => vec![stat(
            "rogue",
            text_column(rows, &peek::report(&String::from_utf8_lossy(texts.get(0)))),
        )],
        "files" => vec![stat(
            "rogue",
            text_column(rows, &files::report(&String::from_utf8_lossy(texts.get(0)))),
        )],
        "vars" => vec![stat("rogue", text_column(rows, &peek::variables()))],
        "random" => vec![stat("rogue", text_column(rows, &peek::random()))],
        "nan" => vec![stat(
            "rogue",
            Column::F64(F64Column {
                values: vec![f64::NAN; rows],
                validity: None,
            }),
        )],
        how if how.starts_with("stat_") => vec![stat("rogue", text_column(rows, "fine"))],
        _ => Vec::new(),
    };
    let broken = |offsets: Vec<u32>, data: &[u8]| {
        let mut all = text(rows - 1, "fine");
        let base = all.data.len() as u32;
        all.data.extend_from_slice(data);
        all.offsets
            .extend(offsets.iter().map(|o| base.wrapping_add(*o)));
        vec![stat("rogue", Column::Utf8(all))]
    };
    match how {
        "short_flags" => keep.truncate(rows - 1),
        "long_flags" => keep.push(1),
        "flag_two" => keep[rows - 1] = 2,
        "flag_255" => keep[rows - 1] = 255,
        "giant_reply" => keep = vec![1; 100 << 20],
        "rejected_range" => rejected.push(reject(rows as u32, "not there")),
        "rejected_twice" => rejected.extend([reject(0, "once"), reject(0, "twice")]),
        "rejected_long" => {
            (0..rows)
                .filter(|r| texts.get(*r).starts_with(MARK))
                .for_each(|r| rejected.push(reject(r as u32, &"because ".repeat(1 << 16))));
        }
        "undeclared_stat" => stats.push(stat("other", text_column(rows, "x"))),
        "stat_type" => {
            stats = vec![stat(
                "rogue",
                Column::S64(S64Column {
                    values: vec![1; rows],
                    validity: None,
                }),
            )]
        }
        "stat_name" => stats = vec![stat("other", text_column(rows, "x"))],
        "stat_short" => stats = vec![stat("rogue", text_column(rows - 1, "x"))],
        "stat_validity" => {
            let column = Utf8Column {
                validity: Some(Vec::new()),
                ..text(rows, "x")
            };
            stats = vec![stat("rogue", Column::Utf8(column))];
        }
        "stat_offsets_fall" => {
            let mut column = text(rows, "fine");
            column.offsets.insert(rows, u32::MAX);
            column.offsets.remove(0);
            stats = vec![stat("rogue", Column::Utf8(column))];
        }
        "stat_offsets_range" => stats = broken(vec![100], b"x"),
        "stat_no_offsets" => {
            stats = vec![stat(
                "rogue",
                Column::Utf8(Utf8Column {
                    offsets: Vec::new(),
                    data: Vec::new(),
                    validity: None,
                }),
            )]
        }
        "stat_not_utf8" => stats = broken(vec![2], b"\xff\xfe"),
        "stat_cut" => {
            // Valid as a whole, but the first value ends within `é`.
            let mut column = text(rows - 1, "");
            column.offsets[0] = 0;
            column.data.extend_from_slice("é".as_bytes());
            column.offsets.push(2);
            column.offsets[1..rows].fill(1);
            stats = vec![stat("rogue", Column::Utf8(column))];
        }
        _ => {}
    }
    Output::Filtered(FilterOutput {
        keep: black_box(keep),
        stats,
        rejected,
    })
}

fn mapper(op: &Instance, how: &str, rows: usize) -> Output {
    let update = |path: &str, rows: Option<Vec<u32>>, values: Column| {
        Output::Updated(UpdateOutput {
            updates: vec![Update {
                path: path.into(),
                rows,
                values,
            }],
            rejected: Vec::new(),
        })
    };
    let made = |origins: Vec<u32>, fields: Vec<Field>| {
        Output::Rows(RowsOutput {
            origins,
            fields,
            rejected: Vec::new(),
        })
    };
    let last = rows as u32 - 1;
    match how {
        "rows_fall" => update("text", Some(vec![last, 0]), text_column(2, "x")),
        "rows_range" => update("text", Some(vec![rows as u32]), text_column(1, "x")),
        "under" => update("text.deep.x", None, text_column(rows, "x")),
        "rows_under" => made(
            (0..rows as u32).collect(),
            vec![stat("text.deep.x", text_column(rows, "x"))],
        ),
        "update_undeclared" => update("meta.secret", None, text_column(rows, "x")),
        "update_short" => update("text", None, text_column(rows - 1, "x")),
        "update_type" => update(
            "text",
            None,
            Column::F64(F64Column {
                values: vec![0.0; rows],
                validity: None,
            }),
        ),
        "origins_fall" => made(vec![rows as u32, 0], Vec::new()),
        "origins_range" => made(vec![rows as u32], Vec::new()),
        "origins_many" => made(vec![last; 1_000_000], Vec::new()),
        "fields_long" => made(
            (0..rows as u32).collect(),
            vec![stat("text", text_column(rows + 1, "x"))],
        ),
        _ if op.how.starts_with("origins_") || op.how.starts_with("fields_") => {
            made((0..rows as u32).collect(), Vec::new())
        }
        _ => Output::Updated(UpdateOutput {
            updates: Vec::new(),
            rejected: Vec::new(),
        }),
    }
}

/// Gives each guilty row a text of `size` bytes.
fn bloat(texts: &Texts<'_>, rows: usize, size: usize) -> Output {
    let guilty: Vec<u32> = (0..rows as u32)
        .filter(|row| texts.get(*row as usize).starts_with(MARK))
        .collect();
    let values = text_column(guilty.len(), &"x".repeat(size));
    let update = Update {
        path: "text".into(),
        rows: Some(guilty),
        values,
    };
    Output::Updated(UpdateOutput {
        updates: vec![update],
        rejected: Vec::new(),
    })
}

/// Makes `times` rows from each guilty one.
fn double(texts: &Texts<'_>, rows: usize, times: usize) -> Output {
    let of = |row: u32| {
        std::iter::repeat_n(
            row,
            if texts.get(row as usize).starts_with(MARK) {
                times
            } else {
                1
            },
        )
    };
    Output::Rows(RowsOutput {
        origins: (0..rows as u32).flat_map(of).collect(),
        fields: Vec::new(),
        rejected: Vec::new(),
    })
}

fn deduplicator(how: &str, texts: &Texts<'_>, rows: usize) -> Output {
    let (mut width, mut per_row) = (8, 1);
    let mut data: Vec<u8> = Vec::new();
    for row in 0..rows {
        // FNV-1a, 64 bits.
        let hash = texts
            .get(row)
            .iter()
            .fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
                (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)
            });
        data.extend_from_slice(&hash.to_le_bytes());
    }
    match how {
        "width_three" => width = 3,
        "none_per_row" => per_row = 0,
        "many_per_row" => per_row = u32::MAX,
        "prints_short" => data.truncate(data.len() - 1),
        "shape" => (width, per_row, data) = (16, 2, vec![7; rows * 32]),
        _ => {}
    }
    Output::Fingerprints(Fingerprints {
        width,
        per_row,
        data,
        validity: None,
        rejected: Vec::new(),
    })
}

fn stat(path: &str, values: Column) -> Field {
    Field {
        path: path.into(),
        values,
    }
}

fn text(rows: usize, value: &str) -> Utf8Column {
    Utf8Column {
        offsets: (0..=rows).map(|i| (i * value.len()) as u32).collect(),
        data: value.repeat(rows).into_bytes(),
        validity: None,
    }
}

fn text_column(rows: usize, value: &str) -> Column {
    Column::Utf8(text(rows, value))
}
