//! Operators that break every rule. The parameter `how` says which one; they do so only for batches
//! with a row that contains the word `GUILTY`, so that a test knows which rows may suffer. The test
//! chooses what `describe` does by changing [`MODE`](mode) in the built component.
//!
//! Empty for targets other than WebAssembly.

#![cfg(target_family = "wasm")]

mod descriptions;
mod disasters;
mod files;
mod peek;
mod process;

/// Generated from the WIT.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit/since-v0.1", world: "operator" });
}

use std::cell::Cell;

use bindings::djhost::op::types::{
    Batch, Column, ColumnType, Computed, Descriptor, Input, OpError, Output, Signature,
};
use bindings::exports::djhost::op::ops::{Guest, GuestOp, Op};

/// 32 bytes that the tests find and overwrite in the component.
#[used]
static MODE: [u8; 32] = *b"ROGUE-MODE:honest...............";

/// The mode of `describe`.
fn mode() -> String {
    // SAFETY: a plain array; volatile, so that the compiler does not know its content.
    let bytes = unsafe { std::ptr::read_volatile(&raw const MODE) };
    String::from_utf8_lossy(&bytes["ROGUE-MODE:".len()..])
        .trim_end_matches('.')
        .to_owned()
}

struct Rogue;

/// One operator with its parameters.
struct Instance {
    name: String,
    how: String,
    calls: Cell<u64>,
}

bindings::export!(Rogue with_types_in bindings);

impl Guest for Rogue {
    type Op = Instance;

    fn describe() -> Vec<Descriptor> {
        descriptions::all(&mode())
    }
}

impl GuestOp for Instance {
    fn create(name: String, params: String) -> Result<Op, OpError> {
        // The host sends compact JSON.
        let how = params
            .split("\"how\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or("behave")
            .to_owned();
        match how.strip_prefix("create_") {
            // What it may read is there from the start.
            Some("reading") => {
                return Err(OpError::InvalidParams(files::report(
                    "|lists/a.txt|/etc/passwd",
                )));
            }
            Some("refuse") => {
                return Err(OpError::InvalidParams(
                    "`how` cannot be \u{1b}[31m`create_refuse`".into(),
                ));
            }
            Some("giant_refusal") => return Err(OpError::InvalidParams("no ".repeat(40 << 20))),
            Some(disaster) => disasters::cause(disaster),
            None => {}
        }
        Ok(Op::new(Self {
            name,
            how,
            calls: Cell::new(0),
        }))
    }

    fn signature(&self) -> Signature {
        let text = |path: &str| Input {
            path: path.into(),
            type_: ColumnType::Utf8,
            required: true,
        };
        let mut reads = vec![text("text")];
        if self.how.ends_with("under") {
            // The text must not be one for this.
            reads = vec![Input {
                path: "text".into(),
                type_: ColumnType::Json,
                required: true,
            }];
        }
        match self.how.strip_prefix("signature_") {
            Some("many") => reads = (0..100_000).map(|i| text(&format!("f{i}"))).collect(),
            Some("empty_path") => reads.push(text("")),
            Some("broken_path") => reads.push(text("a..b")),
            Some("two_types") => reads.push(Input {
                path: "text".into(),
                type_: ColumnType::F64,
                required: false,
            }),
            Some(disaster) => disasters::cause(disaster),
            None => {}
        }
        let computed = |path: &str, type_: ColumnType| {
            vec![Computed {
                path: path.into(),
                type_,
            }]
        };
        let writes = match (self.name.as_str(), self.how.as_str()) {
            ("rogue_mapper", "under" | "rows_under") => computed("text.deep.x", ColumnType::Utf8),
            ("rogue_mapper", "write_stat") => computed("__dj__stats__.text_len", ColumnType::Utf8),
            ("rogue_mapper", _) => computed("text", ColumnType::Utf8),
            _ => Vec::new(),
        };
        let writes_stats = match self.how.as_str() {
            "nan" => computed("rogue", ColumnType::F64),
            how if how.starts_with("stat_")
                || matches!(how, "peek" | "state" | "files" | "vars" | "random") =>
            {
                computed("rogue", ColumnType::Utf8)
            }
            _ => Vec::new(),
        };
        Signature {
            reads,
            writes,
            writes_stats,
        }
    }

    fn process(&self, input: Batch) -> Result<Output, OpError> {
        self.calls.set(self.calls.get() + 1);
        process::answer(self, &input)
    }

    fn select(&self, keys: Column) -> Result<Vec<u8>, OpError> {
        let rows = match keys {
            Column::Utf8(c) => c.offsets.len() - 1,
            _ => 0,
        };
        match self.how.strip_prefix("select_") {
            Some("short") => return Ok(vec![1; rows / 2]),
            Some("flag_two") => return Ok(vec![2; rows]),
            Some("giant") => return Ok(vec![1; 100 << 20]),
            Some("refuse") => return Err(OpError::Failed("cannot choose".into())),
            Some(disaster) => disasters::cause(disaster),
            None => {}
        }
        Ok(vec![1; rows])
    }
}
