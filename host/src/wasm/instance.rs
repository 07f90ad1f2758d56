//! One instance of one operator: its calls, their limits, and why one failed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use wasmtime::component::ResourceAny;
use wasmtime::{Store, Trap, UpdateDeadline};

use super::abi::v0_2::{self, types};
use super::abi::{Exports, Pre};
use super::contract::{Descriptor, Limits, Reply, Signature, Wanted};
use super::cpu::thread_cpu;
use super::engine::{Runtime, TICK};
use super::grants::Grants;
use super::sandbox::Guest;
use crate::data::Batch;
use crate::sanitize::printable;

thread_local! {
    /// Shared by a worker's operators, which run one at a time.
    static BUFFERS: std::cell::RefCell<v0_2::Buffers> = std::cell::RefCell::default();
}

/// Why a call returned no answer. After all but `Failed` the instance is unusable.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The guest reported that it cannot process this batch.
    #[error("{0}")]
    Failed(String),
    /// The guest trapped, ran out of memory, or broke the contract in its answer.
    #[error("{0}")]
    Dead(String),
    /// The call exceeded its time.
    #[error("{0}")]
    TimedOut(String),
}

/// An instance with its operator created. Not `Sync`: one thread at a time calls it.
pub struct OpInstance {
    store: Store<Guest>,
    exports: Exports,
    op: ResourceAny,
    limits: Limits,
    interruptible: bool,
    seed: u64,
    bytes_in: u64,
    peak_before: usize,
}

/// An instantiated component without an operator.
pub(crate) struct Bare {
    store: Store<Guest>,
    exports: Exports,
    limits: Limits,
    interruptible: bool,
    seed: u64,
}

impl Bare {
    /// A fresh instance in a store of its own.
    pub(crate) fn new(
        runtime: &Arc<Runtime>,
        pre: &Pre,
        name: &str,
        limits: Limits,
        grants: &Grants,
        seed: u64,
    ) -> Result<Self> {
        let mut store = Store::new(
            &runtime.engine,
            Guest::new(name, limits.memory, grants, seed, runtime.interruptible)?,
        );
        store.limiter(|guest| &mut guest.limiter);
        let interruptible = runtime.interruptible;
        if interruptible {
            store.epoch_deadline_callback(|store| {
                let left = store.data().deadline.saturating_sub(thread_cpu());
                Ok(if left.is_zero() {
                    UpdateDeadline::Interrupt
                } else {
                    UpdateDeadline::Continue(ticks(left))
                })
            });
        }
        arm(&mut store, interruptible, limits);
        let exports = pre
            .instantiate(&mut store)
            .map_err(|e| anyhow::Error::from(explain(&mut store, limits, e)))?;
        Ok(Self {
            store,
            exports,
            limits,
            interruptible,
            seed,
        })
    }

    /// The operators of the component.
    pub(crate) fn describe(mut self) -> Result<Vec<Descriptor>> {
        arm(&mut self.store, self.interruptible, self.limits);
        let described = self.exports.describe(&mut self.store).map_err(|error| {
            let error = explain(&mut self.store, self.limits, error);
            anyhow::anyhow!("`describe` failed: {error}")
        })?;
        v0_2::describe(described, self.exports.is_typed()).map_err(anyhow::Error::msg)
    }

    /// Creates the operator with parameters; the inner error is the guest's message about them.
    pub(crate) fn create(
        mut self,
        name: &str,
        params: &str,
        wanted: Wanted,
    ) -> Result<Result<OpInstance, String>, CallError> {
        arm(&mut self.store, self.interruptible, self.limits);
        let wanted = types::Wanted {
            stats: wanted.stats,
            drop_reasons: wanted.drop_reasons,
        };
        let created = self.exports.create(&mut self.store, name, params, &wanted);
        match created {
            Ok(Ok(op)) => Ok(Ok(OpInstance {
                store: self.store,
                exports: self.exports,
                op,
                limits: self.limits,
                interruptible: self.interruptible,
                seed: self.seed,
                bytes_in: 0,
                peak_before: 0,
            })),
            Ok(Err(types::OpError::InvalidParams(message) | types::OpError::Failed(message))) => {
                Ok(Err(printable(&message)))
            }
            Err(error) => Err(explain(&mut self.store, self.limits, error)),
        }
    }
}

impl OpInstance {
    /// What the operator reads and writes.
    pub(crate) fn signature(&mut self) -> Result<Signature, CallError> {
        arm(&mut self.store, self.interruptible, self.limits);
        match self.exports.signature(&mut self.store, self.op) {
            Ok(signature) => v0_2::signature(signature).map_err(CallError::Dead),
            Err(error) => Err(explain(&mut self.store, self.limits, error)),
        }
    }

    /// Returns the answer to `batch` (at least one row), checked against the contract. With `stats`
    /// the operator also receives the stats that it computes, as the rows have them.
    pub(crate) fn process(
        &mut self,
        signature: &Signature,
        batch: &Batch,
        stats: bool,
    ) -> Result<Reply, CallError> {
        let first = batch.ids.value(0);
        self.store
            .data()
            .random
            .reseed(self.seed ^ first.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        self.store.data_mut().start_clock();
        let input = BUFFERS
            .with_borrow_mut(|b| b.input(signature, batch, stats))
            .map_err(CallError::Failed)?;
        let limits = self
            .limits
            .for_rows(batch.rows(), v0_2::batch_bytes(&input));
        arm(&mut self.store, self.interruptible, limits);
        let (input, called) = self.exports.process(&mut self.store, self.op, input);
        self.bytes_in += BUFFERS.with_borrow_mut(|b| b.give_back(input));
        match called {
            Ok(Ok(output)) => v0_2::reply(signature, batch.rows(), output)
                .map_err(|m| CallError::Dead(format!("invalid answer: {m}"))),
            Ok(Err(types::OpError::InvalidParams(message) | types::OpError::Failed(message))) => {
                Err(CallError::Failed(printable(&message)))
            }
            Err(error) => Err(explain(&mut self.store, limits, error)),
        }
    }

    /// For selectors: the rows of the dataset that stay, given the keys of all. The instance must
    /// have been made for these keys.
    pub(crate) fn select(
        &mut self,
        keys: types::Column,
        rows: usize,
    ) -> Result<Vec<bool>, CallError> {
        // The answer has one byte per row.
        let limits = Limits {
            reply: self.limits.reply.max(rows.saturating_mul(2)),
            ..self.limits
        };
        arm(&mut self.store, self.interruptible, limits);
        match self.exports.select(&mut self.store, self.op, keys) {
            Ok(Ok(keep)) => v0_2::flags(&keep, rows, "keep")
                .map_err(|m| CallError::Dead(format!("invalid answer: {m}"))),
            Ok(Err(types::OpError::InvalidParams(message) | types::OpError::Failed(message))) => {
                Err(CallError::Failed(printable(&message)))
            }
            Err(error) => Err(explain(&mut self.store, limits, error)),
        }
    }

    /// Bytes of strings passed to it so far.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in
    }

    /// Adds its counts to those of the instance that replaces it.
    pub(crate) fn hand_over(self, to: &mut Self) {
        to.bytes_in += self.bytes_in;
        to.peak_before = self.peak_memory();
    }

    /// Peak linear memory in bytes, of this instance and those that it replaced.
    pub fn peak_memory(&self) -> usize {
        self.store.data().limiter.peak.max(self.peak_before)
    }
}

/// Starts the clock of one call and sets how much the guest may return in it.
fn arm(store: &mut Store<Guest>, interruptible: bool, limits: Limits) {
    store.set_hostcall_fuel(limits.reply);
    if interruptible {
        // CPU time: a busy or suspended machine makes no guest late. The epoch follows wall time,
        // so a call that it interrupts may have time left, and continues.
        store.data_mut().deadline = thread_cpu().saturating_add(limits.time);
        store.set_epoch_deadline(ticks(limits.time));
    }
}

/// Ticks that cover `time`. One more, because the current tick may be almost over.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / TICK.as_millis() + 1).unwrap_or(u64::MAX / 2)
}

/// Words the cause of a failed call for the quarantine entry and the log.
fn explain(store: &mut Store<Guest>, limits: Limits, error: wasmtime::Error) -> CallError {
    let printed = store.data().printed.take_tail();
    // A Rust guest's advice on debugging it is of no use here.
    let printed = printed.replace(
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
        "",
    );
    let said = if printed.trim().is_empty() {
        String::new()
    } else {
        format!(" ({})", printable(printed.trim()))
    };
    if let Some(wanted) = store.data_mut().limiter.refused.take() {
        return CallError::Dead(format!(
            "out of memory: wanted {} MiB of its {} MiB{said}",
            wanted.div_ceil(1 << 20),
            limits.memory >> 20
        ));
    }
    CallError::Dead(match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => {
            return CallError::TimedOut(format!(
                "out of time: the call took longer than {:?} of CPU time{said}",
                limits.time
            ));
        }
        Some(Trap::StackOverflow) => format!("stack overflow{said}"),
        Some(Trap::UnreachableCodeReached) if !printed.trim().is_empty() => format!("panic{said}"),
        Some(Trap::MemoryOutOfBounds) => format!(
            "access outside of its memory, which an overflow of its own stack looks like, too{said}"
        ),
        Some(trap) => format!(
            "trap: {}{said}",
            trap.to_string().trim_start_matches("wasm trap: ")
        ),
        None => {
            let cause = error.root_cause().to_string();
            // Wasmtime has no type for this error; the text is the only other sign that the guest
            // returned more than `reply` bytes.
            if cause.contains("fuel allocated for hostcalls") {
                format!(
                    "the answer is larger than {:.1} MB",
                    limits.reply as f64 / 1e6
                )
            } else if cause.contains("resource table has no free keys") {
                format!("it holds too many files, streams or the like at once{said}")
            } else {
                format!("{cause}{said}")
            }
        }
    })
}
