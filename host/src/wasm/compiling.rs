//! How far the compiling of components is: it takes seconds the first time, and whoever waits is
//! told.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What has been loaded in this process so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Compiling {
    /// Components that are to be loaded.
    pub total: usize,
    /// Of these, loaded.
    pub loaded: usize,
    /// Of these, compiled: the others came from the cache.
    pub compiled: usize,
    /// How many are compiled just now.
    pub at_work: usize,
    /// Time in which at least one was compiled.
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

/// Returns how far it is.
pub(crate) fn compiling() -> Compiling {
    with(|s| Compiling {
        time: s.now.time + s.since.map_or(Duration::ZERO, |since| since.elapsed()),
        ..s.now
    })
}

/// Says that `components` more are going to be loaded.
pub(crate) fn expect(components: usize) {
    with(|s| s.now.total += components);
}

/// Says that one of them is.
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
