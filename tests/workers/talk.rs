//! A process that runs tasks, to talk to.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

use crate::crash::bench::Bench;

/// `djhost task --stdio`.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Talk {
    /// Starts it. It has been told nothing.
    pub(crate) fn start(bench: &Bench) -> Self {
        Self::start_with(bench, "")
    }

    /// The same with a fault; see `djhost::testing::fault`.
    pub(crate) fn start_with(bench: &Bench, fault: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(["task", "--stdio"])
            .current_dir("/")
            .env("DJHOST_CACHE_DIR", crate::harness::cache())
            .env("XDG_STATE_HOME", bench.path("state"))
            .env(djhost::testing::fault::VARIABLE, fault)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    /// Starts it and tells it the job of `bench`; `more` replaces what is usual.
    pub(crate) fn init(bench: &Bench, more: &Value) -> Self {
        Self::start(bench).with_init(bench, more)
    }

    /// Tells it the job of `bench`.
    pub(crate) fn with_init(mut self, bench: &Bench, more: &Value) -> Self {
        let mut init = json!({
            "protocol": 3,
            "directory": bench.path(""),
            "run": bench.run_dir(),
            "attempt": 1,
            "threads": 2,
        });
        let fields = more.as_object().unwrap().clone();
        init.as_object_mut().unwrap().extend(fields);
        self.say(&[json!({ "init": init })]);
        self
    }

    /// The same, once it is ready. Returns the digest of its plan, too.
    pub(crate) fn ready(bench: &Bench) -> (Self, String) {
        let mut talk = Self::init(bench, &json!({}));
        let ready = talk.next("ready");
        assert_eq!(ready["process"], talk.child.id());
        assert_eq!(ready["arch"], std::env::consts::ARCH);
        let plan = ready["plan"].as_str().unwrap().to_owned();
        (talk, plan)
    }

    /// Says lines, all at once.
    pub(crate) fn say(&mut self, lines: &[Value]) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
    }

    /// Closes its input.
    pub(crate) fn leave(&mut self) {
        self.input = None;
    }

    /// The next message; None at the end. Each is an object with one field, its name.
    pub(crate) fn message(&mut self) -> Option<(String, Value)> {
        let mut line = String::new();
        if self.output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let message: Value = serde_json::from_str(&line).unwrap();
        let object = message.as_object().unwrap();
        assert_eq!(object.len(), 1, "{line}");
        object
            .iter()
            .next()
            .map(|(name, value)| (name.clone(), value.clone()))
    }

    /// The next message of this name.
    pub(crate) fn next(&mut self, name: &str) -> Value {
        while let Some((found, value)) = self.message() {
            if found == name {
                return value;
            }
            assert!(
                !["failed", "refused"].contains(&found.as_str()),
                "instead of {name}: {found} {value}"
            );
        }
        panic!("it ended without saying `{name}`")
    }

    /// What is left to say, and how it ended.
    pub(crate) fn end(mut self) -> (Vec<(String, Value)>, ExitStatus) {
        let messages = std::iter::from_fn(|| self.message()).collect();
        (messages, self.child.wait().unwrap())
    }
}

/// The task of a partition in a segment of a bench, of which `manifests` is done. Rows are stored before
/// the deduplicator.
pub(crate) fn steps(segment: usize, partition: usize, manifests: &[Value]) -> Value {
    json!({"task": {
        "id": format!("steps.{segment}.{partition}"),
        "work": {"steps": {
            "segment": segment,
            "partition": partition,
            "stored": if segment == 0 { vec![3] } else { vec![] },
            "stage": 0,
            "manifests": manifests,
        }},
    }})
}
