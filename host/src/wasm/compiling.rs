//! Progress of compiling components, for showing: it takes seconds the first time.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What this process has loaded so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Compiling {
    /// Components to load.
    pub total: usize,
    /// Those loaded.
    pub loaded: usize,
    /// Those compiled; the others came from the cache.
    pub compiled: usize,
    /// Number being compiled now.
    pub at_work: usize,
    /// Time during which at least one was being compiled.
    pub time: Duration,
}

struct State {
    now: Compiling,
    since: Option<Instant>,
}

static STATE: Mutex<State> = Mutex::new(State {
    now: Compiling {
        total: 0,
        loaded: 0,
        compiled: 0,
        at_work: 0,
        time: Duration::ZERO,
    },
    since: None,
});

fn with<T>(act: impl FnOnce(&mut State) -> T) -> T {
    act(&mut STATE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Returns the progress.
pub(crate) fn compiling() -> Compiling {
    with(|s| Compiling {
        time: s.now.time + s.since.map_or(Duration::ZERO, |since| since.elapsed()),
        ..s.now
    })
}

/// Announces that `components` more will be loaded.
pub(crate) fn expect(components: usize) {
    with(|s| s.now.total += components);
}

/// Records that one of them is loaded.
pub(crate) fn loaded() {
    with(|s| s.now.loaded += 1);
}

/// Held while a component is compiled.
pub(crate) struct AtWork(());

impl AtWork {
    pub(crate) fn start() -> Self {
        with(|s| {
            s.now.at_work += 1;
            s.since.get_or_insert_with(Instant::now);
        });
        Self(())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        with(|s| {
            s.now.at_work -= 1;
            s.now.compiled += 1;
            if s.now.at_work == 0 {
                s.now.time += s
                    .since
                    .take()
                    .map_or(Duration::ZERO, |since| since.elapsed());
            }
        });
    }
}
