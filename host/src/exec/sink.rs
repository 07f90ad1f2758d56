//! Where the rows of tasks go: checkpoints, export parts, and the keys for a global op. A separate
//! thread encodes and writes, so that the ops need not wait.

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::meter::Timer;
use crate::checkpoint::{Memo, RowFileWriter, WrittenRows};
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

/// The files of one task, by the targets that it gave.
pub(crate) type Files = (Vec<Written>, Times);

#[allow(clippy::large_enum_variant, reason = "nearly all of them are rows")]
enum Message {
    /// Rows of a task.
    Rows(usize, Batch),
    /// A task has no more rows.
    End(usize, Sender<Files>),
}

/// Sends batches to the writing thread.
pub(crate) struct Sink {
    sender: Sender<Message>,
    /// Seconds that the ops waited, by task.
    stalled: Vec<f64>,
}

impl Sink {
    /// Sends rows of a task. Fails if the writer has failed; [`with`] returns its error.
    pub(crate) fn write(&mut self, task: usize, batch: Batch) -> Result<()> {
        let message = match self.sender.try_send(Message::Rows(task, batch)) {
            Ok(()) => return Ok(()),
            Err(error) => error.into_inner(),
        };
        let waiting = std::time::Instant::now();
        let sent = self.sender.send(message);
        self.stalled[task] += waiting.elapsed().as_secs_f64();
        sent.map_err(|_| stopped())
    }

    /// Ends a task: returns what was written of it, and the cost.
    pub(crate) fn finish(&mut self, task: usize) -> Result<Files> {
        let (files, finished) = bounded(1);
        self.sender
            .send(Message::End(task, files))
            .map_err(|_| stopped())?;
        let (written, times) = finished.recv().map_err(|_| stopped())?;
        let stalled = self.stalled[task];
        Ok((written, Times { stalled, ..times }))
    }
}

fn stopped() -> anyhow::Error {
    anyhow::anyhow!("the writer has stopped")
}

impl Target {
    fn open(self) -> Result<OpenFile> {
        Ok(match self {
            Self::Rows(rows) => OpenFile::Rows(rows),
            Self::Flat(flat) => OpenFile::Flat(flat),
            Self::Part(file, options) => OpenFile::Part(PartWriter::new(file, &options)?),
        })
    }
}

#[allow(clippy::large_enum_variant, reason = "one or two of them per task")]
enum OpenFile {
    Rows(Box<WrittenRows>),
    Flat(Box<RowFileWriter>),
    Part(PartWriter),
}

impl OpenFile {
    fn write(&mut self, batch: &Batch, memo: &mut Memo) -> Result<()> {
        match self {
            Self::Rows(rows) => rows.write(batch, memo),
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

/// The files of a task that are being written.
struct Open {
    files: Vec<OpenFile>,
    times: Times,
}

impl Open {
    fn new(targets: Vec<Target>) -> Result<Self> {
        Ok(Self {
            files: targets
                .into_iter()
                .map(Target::open)
                .collect::<Result<_>>()?,
            times: Times::default(),
        })
    }

    /// Does `work` and counts its time.
    fn timed<T>(&mut self, work: impl FnOnce(&mut Vec<OpenFile>) -> Result<T>) -> Result<T> {
        let timer = Timer::start();
        let done = work(&mut self.files);
        let (wall, cpu) = timer.seconds();
        self.times.writing += wall;
        self.times.cpu += cpu;
        done
    }
}

/// Writes until the sink is gone.
fn write_all(targets: Vec<Vec<Target>>, receiver: &Receiver<Message>) -> Result<()> {
    let mut tasks = targets
        .into_iter()
        .map(Open::new)
        .collect::<Result<Vec<_>>>()?;
    let mut memo = Memo::default();
    for message in receiver {
        match message {
            Message::Rows(task, batch) => {
                let memo = &mut memo;
                tasks[task]
                    .timed(|files| files.iter_mut().try_for_each(|f| f.write(&batch, memo)))?;
            }
            Message::End(task, done) => {
                let open = &mut tasks[task];
                let written =
                    open.timed(|files| files.drain(..).map(OpenFile::finish).collect())?;
                // If the other side has gone, it has an error of its own.
                let _ = done.send((written, open.times));
            }
        }
    }
    Ok(())
}

/// Runs `work` with a sink that feeds the targets of some tasks; returns its result. If both fail,
/// the writer's error is the cause.
pub(crate) fn with<T>(
    targets: Vec<Vec<Target>>,
    work: impl FnOnce(&mut Sink) -> Result<T>,
) -> Result<T> {
    let (sender, receiver) = bounded::<Message>(WAITING);
    std::thread::scope(|scope| {
        let mut sink = Sink {
            sender,
            stalled: vec![0.0; targets.len()],
        };
        let writer = std::thread::Builder::new()
            .name("djhost-write".into())
            // The receiver goes with the thread: a sink whose writer failed must not wait.
            .spawn_scoped(scope, move || write_all(targets, &receiver))
            .context("cannot start a writing thread")?;
        let worked = work(&mut sink);
        drop(sink);
        writer
            .join()
            .map_err(|_| anyhow::anyhow!("internal error: the writing thread panicked"))??;
        worked
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
