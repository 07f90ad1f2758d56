//! Shows the progress of a run to whoever waits for it: a line that changes on a terminal, a line
//! from time to time elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::live::Live;
use crate::exec::Tally;
use crate::jobs::show::bar;
use crate::term::{
    Color, Style, USUAL_WIDTH, about, bytes, count, counted, cut_end, live, say, width,
};

/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(200);
/// Time between two lines of a log, during the first minute and after it.
const LINES: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(60)];
/// A speed measured for less time is not shown.
const SETTLED: Duration = Duration::from_secs(1);

/// The work that a run has to do.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// Bytes of input left to read.
    pub(crate) bytes: u64,
    /// Number of all partitions.
    pub(crate) partitions: usize,
    /// Names of the ops.
    pub(crate) ops: Vec<String>,
    /// Whether ops follow after all partitions have been read. Their time cannot be estimated.
    pub(crate) goes_on: bool,
}

/// Shows progress until it is dropped.
pub(crate) struct Bar {
    /// Number of partitions that are done.
    pub(crate) done: Arc<AtomicUsize>,
    /// Seen by [`Live`] as long as the bar is.
    _view: Arc<View>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Bar {
    /// Starts a thread that shows progress, beginning with `done` partitions; `live` shows it, too.
    pub(crate) fn start(
        tally: &Arc<Tally>,
        work: Work,
        done: usize,
        quiet: bool,
        live: &Live,
    ) -> Self {
        let done = Arc::new(AtomicUsize::new(done));
        let view = Arc::new(View {
            tally: Arc::clone(tally),
            done: Arc::clone(&done),
            work,
            started: Instant::now(),
        });
        live.show(&view);
        let thread = (!quiet).then(|| {
            let (ended, waiting) = channel::<()>();
            let view = Arc::clone(&view);
            let thread = std::thread::spawn(move || {
                let is_terminal = std::io::stderr().is_terminal();
                let mut said = Duration::ZERO;
                while let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(TICK) {
                    let elapsed = view.started.elapsed();
                    if is_terminal {
                        live::show(&view.line(Style::for_stderr()));
                    } else if elapsed - said >= LINES[usize::from(elapsed > LINES[1])] {
                        said = elapsed;
                        say(&format!("{}\n", view.log_line()));
                    }
                }
                live::clear();
            });
            (ended, thread)
        });
        Self {
            done,
            _view: view,
            thread,
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some((ended, thread)) = self.thread.take() {
            drop(ended);
            // The thread only draws and has no result.
            let _ = thread.join();
        }
    }
}

/// What a run does, for those who show it.
pub(super) struct View {
    pub(super) tally: Arc<Tally>,
    pub(super) done: Arc<AtomicUsize>,
    pub(super) work: Work,
    pub(super) started: Instant,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.work.fmt(f)
    }
}

/// The parts of a line, in their order; None if not known.
struct Said {
    fraction: Option<f64>,
    partitions: String,
    op: Option<String>,
    to_go: Option<String>,
    rate: Option<String>,
    rows: String,
    bad: Option<String>,
}

impl View {
    fn look(&self) -> Said {
        let (tally, work) = (&self.tally, &self.work);
        let read = tally.bytes.load(Ordering::Relaxed).min(work.bytes);
        let elapsed = self.started.elapsed();
        let left = work.bytes - read;
        let is_settled = elapsed >= SETTLED && read > 0 && left > 0;
        let per_second = read as f64 / elapsed.as_secs_f64().max(1e-9);
        let to_go = left as f64 / per_second.max(1.0);
        let bad = tally.quarantined();
        Said {
            fraction: (left > 0).then(|| read as f64 / work.bytes as f64),
            partitions: {
                let done = count(self.done.load(Ordering::Relaxed) as u64);
                format!(
                    "{done} of {} done",
                    counted(work.partitions as u64, "partition")
                )
            },
            op: tally
                .op()
                .and_then(|op| Some(format!("op {op} {}", work.ops.get(op)?))),
            to_go: (is_settled && to_go >= 0.5).then(|| {
                format!(
                    "about {} {}",
                    about(to_go),
                    if work.goes_on { "to read" } else { "to go" }
                )
            }),
            rate: is_settled.then(|| format!("{}/s", bytes(per_second as u64))),
            rows: counted(tally.rows(), "row"),
            bad: (bad > 0).then(|| format!("{} in quarantine", count(bad))),
        }
    }

    /// Returns a line that fits the terminal. The least informative parts are left out first.
    fn line(&self, style: Style) -> String {
        let room = style.width.unwrap_or(USUAL_WIDTH).saturating_sub(1);
        let said = self.look();
        let head = match said.fraction {
            Some(fraction) => format!(
                "{} {:>3.0} %",
                bar(fraction, 12),
                (100.0 * fraction).floor()
            ),
            None => format!(
                "all input read, {}",
                about(self.started.elapsed().as_secs_f64())
            ),
        };
        // The parts in their order, each with its rank: higher ranks are left out earlier.
        let mut parts: Vec<(u8, String)> = [
            (1, said.op),
            (2, said.to_go),
            (3, Some(said.partitions)),
            (4, said.bad),
            (5, said.rate),
        ]
        .into_iter()
        .filter_map(|(rank, part)| Some((rank, part?)))
        .collect();
        while width(&head) + parts.iter().map(|(_, part)| 2 + width(part)).sum::<usize>() > room {
            let Some(last) = parts
                .iter()
                .enumerate()
                .max_by_key(|(_, (rank, _))| *rank)
                .map(|(i, _)| i)
            else {
                break;
            };
            parts.remove(last);
        }
        let tail: String = parts.iter().map(|(_, part)| format!("  {part}")).collect();
        let head = cut_end(&head, room);
        style.paint(Color::Cyan, &head) + &tail
    }

    /// Returns a line for a log, which has room for the time.
    fn log_line(&self) -> String {
        let said = self.look();
        let read = match said.fraction {
            Some(fraction) => format!("{:.0} % read", (100.0 * fraction).floor()),
            None => "all input read".to_owned(),
        };
        let parts = [
            Some(read),
            Some(said.partitions),
            Some(said.rows),
            said.bad,
            said.op,
            said.rate,
            said.to_go,
        ];
        let clock = jiff::Timestamp::now().strftime("%H:%M:%S").to_string();
        format!(
            "{clock} {}",
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(read: u64) -> View {
        let tally = Tally::default();
        tally.enter(1, read);
        [true, false].into_iter().for_each(|by_reader| {
            tally.set_aside(by_reader);
        });
        tally.at(1);
        let work = Work {
            bytes: 100_000_000,
            partitions: 8,
            ops: vec!["a_mapper".into(), "special_characters_filter".into()],
            goes_on: false,
        };
        let started = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        View {
            tally: Arc::new(tally),
            done: Arc::new(AtomicUsize::new(3)),
            work,
            started,
        }
    }

    #[test]
    fn the_line_names_the_op_and_fits() {
        for width_ in 20..140 {
            for read in [0, 40_000_000, 100_000_000] {
                let line = view(read).line(Style {
                    colour: false,
                    width: Some(width_),
                });
                assert!(width(&line) < width_, "{width_}: {line}");
                assert!(
                    width_ < 55 || line.contains("op 1 special_characters_filter"),
                    "{width_}: {line}"
                );
            }
        }
        let line = view(40_000_000).line(Style {
            colour: false,
            width: Some(140),
        });
        assert!(
            line.contains(" 40 %")
                && line.contains("about 30 s to go")
                && line.contains("2.0 MB/s"),
            "{line}"
        );
    }

    #[test]
    fn nothing_is_said_of_a_time_that_nobody_knows() {
        let log = view(100_000_000).log_line();
        assert!(
            log.contains(
                "all input read, 3 of 8 partitions done, 1 row, 2 in quarantine, op 1 special_"
            ),
            "{log}"
        );
        assert!(!log.contains("to go"), "{log}");
        assert!(!view(0).log_line().contains("to go"));
    }
}
