//! Where the rows of a task go: a checkpoint, an export part, and the keys for a global op. A
//! separate thread encodes and writes, so that the ops need not wait.

use anyhow::{Context, Result};
use crossbeam_channel::{Sender, bounded};

use crate::checkpoint::{RowFileWriter, WrittenRows};
use crate::data::{Batch, ExportOptions, PartInfo, PartWriter};
use crate::rundir::AtomicFile;

/// Batches that may wait for the writer. Few, because a batch may be one huge row with several
/// times its size in buffers.
const WAITING: usize = 2;

/// What the rows are written to.
#[allow(clippy::large_enum_variant, reason = "one or two of them per task")]
pub(crate) enum Target {
    /// A checkpoint.
    Rows(Box<WrittenRows>),
    /// The rows that a grouper will gather.
    Flat(Box<RowFileWriter>),
    /// The part of the export.
    Part(AtomicFile, ExportOptions),
}

/// What was written, not yet committed.
#[allow(clippy::large_enum_variant, reason = "one or two of them per task")]
pub(crate) enum Written {
    Rows(Box<WrittenRows>),
    Flat(Box<RowFileWriter>),
    Part(AtomicFile, PartInfo),
}

/// Sends batches to the writing thread.
pub(crate) struct Sink {
    sender: Sender<Batch>,
    /// Seconds that the ops waited.
    pub(crate) stalled: f64,
}

impl Sink {
    /// Sends rows. Fails if the writer has failed; [`with`] returns its error.
    pub(crate) fn write(&mut self, batch: Batch) -> Result<()> {
        let batch = match self.sender.try_send(batch) {
            Ok(()) => return Ok(()),
            Err(error) => error.into_inner(),
        };
        let waiting = std::time::Instant::now();
        let sent = self.sender.send(batch);
        self.stalled += waiting.elapsed().as_secs_f64();
        sent.map_err(|_| anyhow::anyhow!("the writer has stopped"))
    }
}

impl Target {
    fn open(self) -> Result<Open> {
        Ok(match self {
            Self::Rows(rows) => Open::Rows(rows),
            Self::Flat(flat) => Open::Flat(flat),
            Self::Part(file, options) => Open::Part(PartWriter::new(file, &options)?),
        })
    }
}

#[allow(clippy::large_enum_variant, reason = "one or two of them per task")]
enum Open {
    Rows(Box<WrittenRows>),
    Flat(Box<RowFileWriter>),
    Part(PartWriter),
}

impl Open {
    fn write(&mut self, batch: &Batch) -> Result<()> {
        match self {
            Self::Rows(rows) => rows.write(batch),
            Self::Flat(flat) => flat.write(batch),
            Self::Part(part) => part.write(batch),
        }
    }

    fn finish(self) -> Result<Written> {
        Ok(match self {
            Self::Rows(rows) => Written::Rows(rows),
            Self::Flat(flat) => Written::Flat(flat),
            Self::Part(part) => {
                let (file, info) = part.finish()?;
                Written::Part(file, info)
            }
        })
    }
}

/// Runs `work` with a sink that feeds all targets; returns its result, what was written, and the
/// cost of writing.
pub(crate) fn with<T>(
    targets: Vec<Target>,
    work: impl FnOnce(&mut Sink) -> Result<T>,
) -> Result<(T, Vec<Written>, Times)> {
    let (sender, receiver) = bounded::<Batch>(WAITING);
    std::thread::scope(|scope| {
        let writer = std::thread::Builder::new()
            .name("djhost-write".into())
            .spawn_scoped(scope, move || -> Result<_> {
                let mut open = targets
                    .into_iter()
                    .map(Target::open)
                    .collect::<Result<Vec<_>>>()?;
                let mut seconds = 0.0;
                for batch in receiver {
                    let start = std::time::Instant::now();
                    open.iter_mut().try_for_each(|o| o.write(&batch))?;
                    seconds += start.elapsed().as_secs_f64();
                }
                let written = open
                    .into_iter()
                    .map(Open::finish)
                    .collect::<Result<Vec<_>>>()?;
                Ok((written, seconds, crate::wasm::thread_cpu().as_secs_f64()))
            });
        let writer = writer.context("cannot start a writing thread")?;
        let mut sink = Sink {
            sender,
            stalled: 0.0,
        };
        let worked = work(&mut sink);
        let stalled = sink.stalled;
        drop(sink);
        let written = writer
            .join()
            .map_err(|_| anyhow::anyhow!("internal error: the writing thread panicked"))?;
        // If both failed, the writer's error is the cause.
        let (written, seconds, cpu) = written?;
        Ok((
            worked?,
            written,
            Times {
                writing: seconds,
                cpu,
                stalled,
            },
        ))
    })
}

/// The cost of writing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    /// Wall seconds of encoding and writing, parallel to the ops.
    pub(crate) writing: f64,
    /// CPU seconds of the same.
    pub(crate) cpu: f64,
    /// Seconds that the ops waited.
    pub(crate) stalled: f64,
}
