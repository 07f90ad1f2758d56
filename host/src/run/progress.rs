//! The progress bar on a terminal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::stage::Tally;

/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(200);

/// Shows how much of the input has been read; away when dropped. Without a terminal there is nothing.
pub(super) struct Bar {
    ended: Arc<AtomicBool>,
    /// Partitions done.
    pub(super) done: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// A bar over `bytes` of input in `partitions` partitions, of which `done` are done.
    pub(super) fn start(tally: &Arc<Tally>, bytes: u64, partitions: usize, done: usize, quiet: bool) -> Self {
        let (ended, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(done)));
        let thread = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let (tally, ended, done) = (Arc::clone(tally), Arc::clone(&ended), Arc::clone(&done));
            std::thread::spawn(move || draw(&tally, bytes, partitions, &ended, &done))
        });
        Self { ended, done, thread }
    }
}

fn draw(tally: &Tally, bytes: u64, partitions: usize, ended: &AtomicBool, done: &AtomicUsize) {
    // Narrow enough for 80 columns.
    let style = |template| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let reading = style("{bar:16.cyan/dim} {percent:>3}% read  {bytes_per_sec}  {msg}  eta {eta}");
    let bar = ProgressBar::new(bytes).with_style(reading);
    bar.set_position(tally.bytes.load(Ordering::Relaxed));
    bar.reset_eta();
    let mut all_read = false;
    while !ended.load(Ordering::Relaxed) {
        let position = tally.bytes.load(Ordering::Relaxed).min(bytes);
        bar.set_position(position);
        if position == bytes && !all_read {
            all_read = true;
            // What is left is behind global ops, and nobody knows how long that takes.
            bar.set_style(style("{spinner} all input read  {msg}  {elapsed}"));
        }
        let quarantined = tally.quarantined();
        let bad = if quarantined > 0 { format!(", {quarantined} bad") } else { String::new() };
        bar.set_message(format!("{} of {partitions} partitions{bad}", done.load(Ordering::Relaxed)));
        bar.tick();
        std::thread::sleep(TICK);
    }
    bar.finish_and_clear();
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that only draws has nothing to report.
            let _ = thread.join();
        }
    }
}
