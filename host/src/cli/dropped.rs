//! `djhost dropped`: counts and exports the rows that a job did not keep.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use clap::Args;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::again::prepare_again;
use super::report::absolute;
use crate::error::{UserError, exit};
use crate::jobs::{Fate, Job, Trace};
use crate::run::dropped::{Dropped, GONE, each_dropped};
use crate::term::{Column, Style, Table, count, counted};

/// Shows what became of the rows that are not in the result, and writes them to a file.
///
/// Without --export: how many rows each op took out, and what it demanded. With it, a JSON object
/// (or a row of Parquet) for each: its place, the op, the reason in words, the stats that the op
/// computed, the row that stands for a duplicate, and the row as it is in the input.
#[derive(Debug, Args)]
pub struct DroppedArgs {
    /// Job id, the beginning of one, or the path or address of a run directory.
    pub job: String,
    /// Only rows that this op took out: its name or number.
    #[arg(long, value_name = "OP")]
    op: Option<String>,
    /// The file to write, which must not exist yet: `.jsonl` or `.parquet`.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Look for the job in this directory only.
    #[arg(long, value_name = "DIR")]
    base_dir: Option<PathBuf>,
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &DroppedArgs) -> Result<u8> {
    // The command goes to where the job was started.
    let job = absolute(&Job::find(&args.job, args.base_dir.as_deref())?)?;
    let trace = Trace::open(job.paths())?;
    if !trace.is_recorded() {
        return Err(UserError::new(&args.job, "this job ran with `trace: off`")
            .hint("run the recipe again with `trace: dropped`, which is the default")
            .into());
    }
    let op = match &args.op {
        Some(name) => Some(trace.op(name, |_| true)?.op),
        None => None,
    };
    match &args.export {
        None => list(&trace, op)?,
        Some(file) => {
            let file = std::path::absolute(file)?;
            let mut out = Out::create(&file)?;
            let prepared = prepare_again(job.paths(), false)?;
            let rows = each_dropped(&prepared, &trace, op, |row| out.add(row))?;
            out.finish()?;
            super::print(&format!(
                "{} written to {}\n",
                counted(rows, "row"),
                file.display()
            ))?;
        }
    }
    Ok(exit::DONE)
}

/// Prints a line for each op.
fn list(trace: &Trace, op: Option<usize>) -> Result<()> {
    let mut counts: BTreeMap<(Option<usize>, Fate), u64> = BTreeMap::new();
    trace.each(op, &GONE, |entry| {
        *counts.entry((entry.op, entry.fate)).or_default() += 1;
        Ok(true)
    })?;
    let mut table = Table::new(vec![
        Column::right("#"),
        Column::left("op"),
        Column::right("rows"),
        Column::left("what"),
        Column::left("demands").goes(1),
    ]);
    let mut total = 0;
    for ((op, fate), rows) in counts {
        let known = op.and_then(|op| trace.document().ops.get(op));
        let demands = known.map(|op| {
            let all = op
                .stats
                .iter()
                .filter_map(|key| Some(format!("{key} {}", op.demand(key)?)));
            all.collect::<Vec<_>>().join(", ")
        });
        total += rows;
        table.row(vec![
            op.map(|op| op.to_string()).unwrap_or_default().into(),
            known.map_or("reader", |op| op.name.as_str()).into(),
            count(rows).into(),
            fate.word().into(),
            demands
                .filter(|_| fate == Fate::Dropped)
                .unwrap_or_default()
                .into(),
        ]);
    }
    let text = match total {
        0 => String::new(),
        _ => table.render(Style::for_stdout()),
    };
    super::print(&format!("{text}{} not kept\n", counted(total, "row")))
}

/// The file that is written.
enum Out {
    Jsonl(BufWriter<File>, PathBuf),
    Parquet(Box<ArrowWriter<File>>, Vec<Dropped>),
}

/// Rows of Parquet that are encoded at a time.
const AT_ONCE: usize = 4096;

impl Out {
    fn create(path: &Path) -> Result<Self> {
        let is_parquet = match path.extension().and_then(|e| e.to_str()) {
            Some("jsonl") => false,
            Some("parquet") => true,
            _ => {
                let message = format!("`{}` has no format that is written", path.display());
                return Err(UserError::new("--export", message)
                    .hint("the name must end in `.jsonl` or `.parquet`")
                    .into());
            }
        };
        let file = match File::create_new(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(UserError::new(
                    "--export",
                    format!("`{}` exists already", path.display()),
                )
                .hint("name a new file, or remove it")
                .into());
            }
            Err(e) => return Err(e).with_context(|| format!("cannot create `{}`", path.display())),
        };
        if !is_parquet {
            return Ok(Self::Jsonl(BufWriter::new(file), path.to_owned()));
        }
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .build();
        let schema = table(&[])?.schema();
        let writer = ArrowWriter::try_new(file, schema, Some(properties))?;
        Ok(Self::Parquet(Box::new(writer), Vec::new()))
    }

    fn add(&mut self, row: Dropped) -> Result<()> {
        match self {
            Self::Jsonl(out, path) => {
                let mut line = serde_json::to_vec(&row)?;
                line.push(b'\n');
                out.write_all(&line)
                    .with_context(|| format!("cannot write `{}`", path.display()))
            }
            Self::Parquet(out, rows) => {
                rows.push(row);
                if rows.len() >= AT_ONCE {
                    out.write(&table(rows)?)?;
                    rows.clear();
                }
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Jsonl(mut out, path) => out
                .flush()
                .with_context(|| format!("cannot write `{}`", path.display())),
            Self::Parquet(mut out, rows) => {
                out.write(&table(&rows)?)?;
                out.close()?;
                Ok(())
            }
        }
    }
}

/// Rows as a table; stats and row are JSON texts.
fn table(rows: &[Dropped]) -> Result<RecordBatch> {
    let texts = |text: &dyn Fn(&Dropped) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(text).collect::<StringArray>())
    };
    let numbers = |number: &dyn Fn(&Dropped) -> Option<u64>| -> ArrayRef {
        Arc::new(rows.iter().map(number).collect::<UInt64Array>())
    };
    let columns = vec![
        ("row_id", numbers(&|row| Some(row.row_id))),
        ("piece", numbers(&|row| row.piece.map(u64::from))),
        ("file", texts(&|row| Some(row.file.clone()))),
        ("offset", numbers(&|row| Some(row.offset))),
        ("op", numbers(&|row| row.op.map(|op| op as u64))),
        ("op_name", texts(&|row| Some(row.op_name.clone()))),
        ("fate", texts(&|row| Some(row.fate.to_owned()))),
        ("reason", texts(&|row| Some(row.reason.clone()))),
        ("partner", numbers(&|row| row.partner)),
        (
            "stats",
            texts(&|row| serde_json::to_string(&row.stats).ok()),
        ),
        (
            "row",
            texts(&|row| row.row.as_ref().map(|row| row.get().to_owned())),
        ),
    ];
    let columns = columns
        .into_iter()
        .map(|(name, values)| (name, values, true));
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}
