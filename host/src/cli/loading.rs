//! Tells a waiting user that operators are being compiled.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::term::{Style, about, counted, cut_end, live, say, seconds, wrap};
use crate::wasm::{Compiling, compiling};

/// A shorter wait needs no explanation.
const PATIENCE: Duration = Duration::from_millis(500);
/// Often enough to look alive.
const TICK: Duration = Duration::from_millis(200);

/// Runs `act`, which loads operators. If they have to be compiled, it says so: on a terminal in a
/// line that disappears at the end, elsewhere in a line that stays.
pub(crate) fn while_loading<T>(quiet: bool, act: impl FnOnce() -> T) -> T {
    if quiet {
        return act();
    }
    let is_terminal = std::io::stderr().is_terminal();
    let (ended, waiting) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut is_said = false;
            while let Err(RecvTimeoutError::Timeout) = waiting.recv_timeout(TICK) {
                let now = compiling();
                if now.at_work == 0 || now.time < PATIENCE {
                    continue;
                }
                if is_terminal {
                    live::show(&cut_end(&line(&now), Style::for_stderr().width.unwrap_or(80).saturating_sub(1)));
                } else if !is_said {
                    say("compiling operators; this is done once, later runs take them from the cache\n");
                }
                is_said = true;
            }
            live::clear();
            let done = compiling();
            if is_said {
                let what = counted(done.compiled as u64, "operator component");
                let text = format!("compiled {what} in {}; later runs take them from the cache", seconds(done.time.as_secs_f64()));
                say(&(wrap(&text, Style::for_stderr().width.unwrap_or(usize::MAX)).join("\n") + "\n"));
            }
        });
        let done = act();
        drop(ended);
        done
    })
}

fn line(now: &Compiling) -> String {
    format!(
        "compiling operators for the first time: {} of {} ready, {}",
        now.loaded,
        now.total,
        about(now.time.as_secs_f64())
    )
}
