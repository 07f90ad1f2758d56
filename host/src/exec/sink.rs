//! Where the rows of tasks go: checkpoints, export parts, and the keys for a global op. A separate
//! thread encodes and writes from the second batch on, so that the ops need not wait. Partitions of
//! one batch do without: to start a thread and to wait for it cost more than to write a little.

use std::thread::{Scope, ScopedJoinHandle};

use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, bounded};

use super::meter::Timer;
use crate::checkpoint::{Memo, RowFileWriter, WrittenRows};
use crate::data::{Batch, ExportOptions, PartInfo, PartWriter};
use crate::rundir::AtomicFile;
use crate::threads::inherit;

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
    End(usize),
}

/// Takes batches to where they are written.
pub(crate) struct Sink<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    by: By<'scope>,
    /// Seconds that the ops waited, by task.
    stalled: Vec<f64>,
}

/// Who writes.
enum By<'scope> {
    /// The thread of the ops; nothing was written yet, or one batch.
    Ops(Box<Writer>),
    /// A thread of its own.
    Thread(Link, ScopedJoinHandle<'scope, Result<()>>),
    /// Nobody, as that thread cannot be started.
    Nobody,
}

/// The ends of the channels to the writing thread.
struct Link {
    sender: Sender<Message>,
    /// The files of each task that has ended. Ends with the writer: what still waits in the channel
    /// when the writer fails must not keep it open.
    finished: Receiver<Files>,
}

impl Sink<'_, '_> {
    /// Writes rows of a task, or sends them. Fails if the writer has failed; [`with`] returns its
    /// error.
    pub(crate) fn write(&mut self, task: usize, batch: Batch) -> Result<()> {
        if let By::Ops(writer) = &mut self.by
            && !writer.has_written
        {
            let waiting = std::time::Instant::now();
            let written = writer.write(task, &batch);
            self.stalled[task] += waiting.elapsed().as_secs_f64();
            return written;
        }
        let link = self.link()?;
        let message = match link.sender.try_send(Message::Rows(task, batch)) {
            Ok(()) => return Ok(()),
            Err(error) => error.into_inner(),
        };
        let waiting = std::time::Instant::now();
        let sent = link.sender.send(message);
        self.stalled[task] += waiting.elapsed().as_secs_f64();
        sent.map_err(|_| stopped())
    }

    /// The link to the writing thread, which is started if there is none.
    fn link(&mut self) -> Result<&Link> {
        if let By::Ops(_) = self.by
            && let By::Ops(writer) = std::mem::replace(&mut self.by, By::Nobody)
        {
            self.by = start(self.scope, *writer)?;
        }
        match &self.by {
            By::Thread(link, _) => Ok(link),
            _ => Err(stopped()),
        }
    }

    /// Ends a task: returns what was written of it, and the cost.
    pub(crate) fn finish(&mut self, task: usize) -> Result<Files> {
        let (written, times) = match &mut self.by {
            By::Ops(writer) => writer.finish(task)?,
            By::Nobody => return Err(stopped()),
            By::Thread(link, _) => {
                let end = link.sender.send(Message::End(task));
                end.map_err(|_| stopped())?;
                link.finished.recv().map_err(|_| stopped())?
            }
        };
        let stalled = self.stalled[task];
        Ok((written, Times { stalled, ..times }))
    }

    /// Waits for the writing thread; fails if that has.
    fn end(self) -> Result<()> {
        let By::Thread(link, thread) = self.by else {
            return Ok(());
        };
        drop(link);
        thread
            .join()
            .map_err(|_| anyhow::anyhow!("internal error: the writing thread panicked"))?
    }
}

/// Starts a thread that goes on with what `writer` has begun.
fn start<'scope>(scope: &'scope Scope<'scope, '_>, writer: Writer) -> Result<By<'scope>> {
    let (sender, receiver) = bounded::<Message>(WAITING);
    let (files, finished) = bounded(1);
    let thread = std::thread::Builder::new()
        .name("djhost-write".into())
        // The channels end with the thread: a sink whose writer failed must not wait.
        .spawn_scoped(scope, inherit(move || write_all(writer, &receiver, &files)))
        .context("cannot start a writing thread")?;
    Ok(By::Thread(Link { sender, finished }, thread))
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

/// Writes the files of some tasks.
struct Writer {
    tasks: Vec<Open>,
    memo: Memo,
    has_written: bool,
}

impl Writer {
    fn new(targets: Vec<Vec<Target>>) -> Result<Self> {
        let tasks = targets.into_iter().map(Open::new);
        Ok(Self {
            tasks: tasks.collect::<Result<_>>()?,
            memo: Memo::default(),
            has_written: false,
        })
    }

    fn write(&mut self, task: usize, batch: &Batch) -> Result<()> {
        self.has_written = true;
        let memo = &mut self.memo;
        self.tasks[task].timed(|files| files.iter_mut().try_for_each(|f| f.write(batch, memo)))
    }

    fn finish(&mut self, task: usize) -> Result<Files> {
        let open = &mut self.tasks[task];
        let written = open.timed(|files| files.drain(..).map(OpenFile::finish).collect())?;
        Ok((written, open.times))
    }
}

/// Writes until the sink is gone.
fn write_all(
    mut writer: Writer,
    receiver: &Receiver<Message>,
    finished: &Sender<Files>,
) -> Result<()> {
    for message in receiver {
        match message {
            Message::Rows(task, batch) => writer.write(task, &batch)?,
            Message::End(task) => {
                // If the other side has gone, it has an error of its own.
                let _ = finished.send(writer.finish(task)?);
            }
        }
    }
    Ok(())
}

/// Runs `work` with a sink that feeds the targets of some tasks; returns its result. If both fail,
/// the writer's error is the cause.
pub(crate) fn with<T>(
    targets: Vec<Vec<Target>>,
    work: impl FnOnce(&mut Sink<'_, '_>) -> Result<T>,
) -> Result<T> {
    let stalled = vec![0.0; targets.len()];
    let writer = Writer::new(targets)?;
    std::thread::scope(|scope| {
        let mut sink = Sink {
            scope,
            by: By::Ops(Box::new(writer)),
            stalled,
        };
        let worked = work(&mut sink);
        sink.end()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, ExportFormat, Partition, ReadOptions, Slice, read};
    use crate::rundir::Storage;
    use crate::testing::faulty_disk::{Fault, FaultyDisk};
    use std::sync::Arc;
    use std::time::Duration;

    /// The end of a task may already wait when its rows cannot be written.
    #[test]
    fn a_writer_that_fails_ends_a_sink_that_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let row = format!("{{\"text\": \"{}\"}}\n", "x".repeat(1 << 20));
        std::fs::write(dir.path().join("in.jsonl"), &row).unwrap();
        let dataset = Dataset::open(&["in.jsonl".to_owned()], dir.path()).unwrap();
        let options = ExportOptions::new(&dataset, ExportFormat::Jsonl, false, false).unwrap();
        let slices = vec![Slice {
            file: 0,
            start: 0,
            end: row.len() as u64,
        }];
        let partition = Partition { id: 0, slices };
        let mut blocks = read(&dataset, &partition, &ReadOptions::new(Vec::new())).unwrap();
        let batch = blocks.next().unwrap().unwrap().batch;
        for _ in 0..20 {
            let disk = FaultyDisk::new(dir.path(), Some((1, Fault::Fail))).unwrap();
            let file = Storage::on(Arc::new(disk)).create(&dir.path().join("part"));
            let target = Target::Part(file.unwrap(), options.clone());
            let (sender, ended) = bounded(1);
            let batch = batch.clone();
            std::thread::spawn(move || {
                let failed = with(vec![vec![target]], |sink| {
                    // The thread begins with the second one.
                    sink.write(0, batch.slice(0, 0))?;
                    sink.write(0, batch)?;
                    sink.finish(0)
                });
                let _ = sender.send(failed.err().map(|error| format!("{error:#}")));
            });
            let error = ended.recv_timeout(Duration::from_secs(60)).unwrap();
            assert!(error.unwrap().contains("part"), "the writer's error");
        }
    }
}
