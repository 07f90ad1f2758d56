//! Where the rows of a task go: a checkpoint, the part of the export, and the keys for a global op. Encoding and writing happen on a
//! thread of their own, so that the ops do not wait for them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use arrow::array::BinaryViewArray;
use crossbeam_channel::{Sender, bounded};

use crate::checkpoint::WrittenRows;
use crate::dataset::{Batch, ExportOptions, PartInfo, PartWriter, render};

/// Batches that may wait for the writer; more would only add memory.
const WAITING: usize = 4;

/// What the rows are written as.
pub(super) enum Target {
    /// A checkpoint.
    Rows(WrittenRows),
    /// The part of the export at a temporary path.
    Part(PathBuf, ExportOptions),
}

/// What was written; not committed yet.
pub(super) enum Written {
    Rows(WrittenRows),
    Part(PartInfo),
}

/// Hands batches to the writing thread.
pub(super) struct Sink {
    sender: Sender<Batch>,
    /// Seconds for which the ops had to wait.
    pub(super) stalled: f64,
}

impl Sink {
    /// Gives rows away. Fails if the writer has failed; its error comes from [`with`].
    pub(super) fn write(&mut self, batch: Batch) -> Result<()> {
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

/// Runs `work` with a sink and gives back what it gives, what was written, the seconds that writing took and those that the ops waited.
pub(super) fn with<T>(target: Target, work: impl FnOnce(&mut Sink) -> Result<T>) -> Result<(T, Written, Times)> {
    let (sender, receiver) = bounded::<Batch>(WAITING);
    std::thread::scope(|scope| {
        let writer = std::thread::Builder::new().name("djhost-write".into()).spawn_scoped(scope, move || -> Result<(Written, f64, f64)> {
            let mut seconds = 0.0;
            let written = match target {
                Target::Rows(mut rows) => {
                    for batch in receiver {
                        let start = std::time::Instant::now();
                        rows.write(&batch, rendered(&batch)?.as_ref())?;
                        seconds += start.elapsed().as_secs_f64();
                    }
                    Written::Rows(rows)
                }
                Target::Part(path, options) => {
                    let mut part = PartWriter::create(&path, &options)?;
                    for batch in receiver {
                        let start = std::time::Instant::now();
                        part.write(&batch)?;
                        seconds += start.elapsed().as_secs_f64();
                    }
                    Written::Part(part.finish()?)
                }
            };
            Ok((written, seconds, super::meter::thread_cpu().as_secs_f64()))
        });
        let writer = writer.context("cannot start a writing thread")?;
        let mut sink = Sink { sender, stalled: 0.0 };
        let worked = work(&mut sink);
        let stalled = sink.stalled;
        drop(sink);
        let written = writer.join().map_err(|_| anyhow::anyhow!("internal error: the writing thread panicked"))?;
        // If both failed, the writer's error is the cause.
        let (written, seconds, cpu) = written?;
        Ok((worked?, written, Times { writing: seconds, cpu, stalled }))
    })
}

/// What writing cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    /// Wall seconds of encoding and writing, beside the ops.
    pub(super) writing: f64,
    /// CPU seconds of the same.
    pub(super) cpu: f64,
    /// Seconds for which the ops waited.
    pub(super) stalled: f64,
}

/// JSON rows with all changes spliced in.
fn rendered(batch: &Batch) -> Result<Option<BinaryViewArray>> {
    if batch.raw.is_none() { Ok(None) } else { Ok(Some(render(batch)?)) }
}
