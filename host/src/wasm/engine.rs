//! The two engines: one for the operators that come with djhost, and one for all others, whose code
//! can be interrupted.
//!
//! Interruption checks cost 13 to 19 % on a chain of operators (up to 1.6x on a tight loop), so the
//! built-in packs, which are tested to end, run without them.

use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use anyhow::Result;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, OptLevel};

use super::sandbox::{self, Guest};

/// Interval of the epoch counter: how often a call's time limit is checked, and so its
/// granularity.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// An engine and what is set up once for it.
pub(crate) struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    /// Whether calls end at their time limit.
    pub(crate) interruptible: bool,
}

/// An engine that only compiles.
pub(crate) fn engine(interruptible: bool) -> Result<Engine> {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::Speed);
    config.epoch_interruption(interruptible);
    // Synchronous exports only: a call costs 124 ns without the support for concurrent calls,
    // 404 ns with it.
    config.concurrency_support(false);
    // A guest that recurses endlessly fails at 1 MiB; workers have larger stacks (see
    // `threads.rs`).
    config.max_wasm_stack(1 << 20);
    Ok(Engine::new(&config)?)
}

impl Runtime {
    fn new(interruptible: bool) -> Result<Arc<Self>> {
        let engine = engine(interruptible)?;
        let mut linker = Linker::new(&engine);
        // Components for wasm32-wasip2 import about 25 WASI functions, used or not: all are linked,
        // and none grants anything.
        sandbox::link(&mut linker)?;
        let runtime = Arc::new(Self {
            engine,
            linker,
            interruptible,
        });
        if interruptible {
            let ticking = Arc::downgrade(&runtime);
            std::thread::Builder::new()
                .name("djhost-epoch".into())
                .spawn(move || tick(&ticking))?;
        }
        Ok(runtime)
    }

    /// For the packs that are embedded in the program.
    pub(crate) fn trusted() -> Result<Arc<Self>> {
        static TRUSTED: LazyLock<Result<Arc<Runtime>>> = LazyLock::new(|| Runtime::new(false));
        TRUSTED
            .as_ref()
            .map(Arc::clone)
            .map_err(|e| anyhow::anyhow!("{e:#}"))
    }

    /// For all other components.
    pub(crate) fn guarded() -> Result<Arc<Self>> {
        static GUARDED: LazyLock<Result<Arc<Runtime>>> = LazyLock::new(|| Runtime::new(true));
        GUARDED
            .as_ref()
            .map(Arc::clone)
            .map_err(|e| anyhow::anyhow!("{e:#}"))
    }
}

fn tick(runtime: &Weak<Runtime>) {
    while let Some(runtime) = runtime.upgrade() {
        runtime.engine.increment_epoch();
        drop(runtime);
        std::thread::sleep(TICK);
    }
}
