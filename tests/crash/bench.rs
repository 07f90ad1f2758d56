//! A directory with a dataset, a recipe, and the built program to run it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use djhost::jobs::{Fate, RunPaths, Trace};
use serde_json::{Value, json};

/// The job id of all runs of a bench.
pub(crate) const JOB: &str = "job";

/// Ops of the usual recipe: mappers and filters before and after a global op.
pub(crate) const OPS: [&str; 8] = [
    "whitespace_normalization_mapper:",
    "clean_email_mapper: {repl: '<mail>'}",
    "text_length_filter: {min_len: 12}",
    "words_num_filter: {min_num: 2}",
    "document_deduplicator: {lowercase: true}",
    "clean_links_mapper:",
    "alphanumeric_filter: {min_ratio: 0.3}",
    "maximum_line_length_filter: {max_len: 400}",
];

/// One dataset and recipe with a run directory.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
    pub(crate) ops: Vec<String>,
    pub(crate) settings: BTreeMap<String, String>,
}

/// What a job made, except for what differs from attempt to attempt.
#[derive(PartialEq)]
pub(crate) struct Result {
    pub(crate) export: Vec<u8>,
    pub(crate) ledger: Value,
    pub(crate) ops: Value,
    pub(crate) quarantine: Vec<String>,
    /// The table of the trace, and the samples, sorted.
    pub(crate) trace: Vec<String>,
}

impl std::fmt::Debug for Result {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let export = String::from_utf8_lossy(&self.export);
        write!(
            f,
            "{} bytes, {} lines, ledger {}, ops {}, quarantine {:#?}, trace {:#?}",
            self.export.len(),
            export.lines().count(),
            self.ledger,
            self.ops,
            self.quarantine,
            self.trace
        )
    }
}

impl Bench {
    /// `rows` rows in four partitions, a checkpoint after every op, two threads.
    pub(crate) fn new(rows: usize) -> Self {
        let dir = crate::harness::directory();
        fs::write(dir.path().join("data.jsonl"), lines(0..rows)).unwrap();
        let settings = [
            ("strategy", "every_op"),
            ("partition", "{mode: manual, num_of_partitions: 4}"),
            ("np", "2"),
            ("format", "parquet"),
            ("compression", "snappy"),
            ("storage", ""),
            ("dataset_path", "data.jsonl"),
            ("export_path", "outputs/out.jsonl"),
            ("keep_stats_in_res_ds", "true"),
        ];
        Self {
            dir,
            ops: OPS.map(str::to_owned).to_vec(),
            settings: settings.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.into(), value.into());
        self
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(key.into(), value.into());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.path("outputs").join(JOB)
    }

    pub(crate) fn export(&self) -> PathBuf {
        self.path(&self.settings["export_path"])
    }

    /// What lies beside the export, and it: names and bytes, without directories.
    pub(crate) fn exported(&self) -> Vec<(String, Vec<u8>)> {
        files(self.export().parent().unwrap())
            .into_iter()
            .map(|file| (name(&file), fs::read(file).unwrap()))
            .collect()
    }

    /// The recipe as YAML.
    pub(crate) fn recipe(&self) -> String {
        let mut text = String::from("work_dir: outputs\nmax_quarantine_ratio: 0.5\n");
        let get = |key: &str| &self.settings[key];
        text += &format!(
            "checkpoint: {{strategy: {}, n_ops: 3, op_names: [text_length_filter, document_deduplicator, alphanumeric_filter]}}\n",
            get("strategy")
        );
        text += &format!(
            "intermediate_storage: {{format: {}, compression: {}{}}}\npartition: {}\nnp: {}\n",
            get("format"),
            get("compression"),
            get("storage"),
            get("partition"),
            get("np")
        );
        let known = [
            "strategy",
            "format",
            "compression",
            "storage",
            "partition",
            "np",
        ];
        for (key, value) in self
            .settings
            .iter()
            .filter(|(key, _)| !known.contains(&key.as_str()))
        {
            text += &format!("{key}: {value}\n");
        }
        text += "process:\n";
        self.ops
            .iter()
            .for_each(|op| text += &format!("  - {op}\n"));
        text
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        fs::write(self.path("recipe.yaml"), self.recipe()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args(["run", "recipe.yaml", "--quiet", "--job_id", JOB])
            .args(args);
        command
            .current_dir(self.dir.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("DJHOST_CACHE_DIR", crate::harness::cache())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs with a fault; see `djhost::testing::fault`.
    pub(crate) fn run_with_fault(&self, fault: &str) -> Output {
        self.run_with_args_and_fault(&[], fault)
    }

    /// The same with arguments.
    pub(crate) fn run_with_args_and_fault(&self, args: &[&str], fault: &str) -> Output {
        self.command(args)
            .env(djhost::testing::fault::VARIABLE, fault)
            .output()
            .unwrap()
    }

    /// Number of attempts.
    pub(crate) fn attempts(&self) -> usize {
        files(&self.run_dir())
            .iter()
            .filter(|p| name(p).starts_with("events_"))
            .count()
    }

    /// Runs to the end and returns the events of this attempt.
    pub(crate) fn ok(&self, args: &[&str]) -> Events {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "{}\n{}",
            self.recipe(),
            text(&output.stderr)
        );
        self.events()
    }

    /// The events of the newest attempt. A job that begins anew removes files while this looks.
    pub(crate) fn events(&self) -> Events {
        let lines = files(&self.run_dir())
            .into_iter()
            .filter(|p| name(p).starts_with("events_"))
            .filter_map(|p| match fs::read_to_string(p) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                lines => Some(lines.unwrap()),
            })
            .max_by_key(|lines| {
                lines
                    .lines()
                    .next()
                    .and_then(|l| serde_json::from_str::<Value>(l).ok())
                    .and_then(|v| v["attempt"].as_u64())
                    .unwrap_or(0)
            })
            .unwrap_or_default();
        Events(
            lines
                .lines()
                .filter_map(|l| serde_json::from_str(l).ok())
                .collect(),
        )
    }

    /// The summary of the job.
    pub(crate) fn summary(&self) -> Value {
        serde_json::from_slice(&fs::read(self.run_dir().join("job_summary.json")).unwrap()).unwrap()
    }

    /// What a complete job made.
    pub(crate) fn result(&self) -> Result {
        let summary = self.summary();
        assert_eq!(summary["status"], "completed");
        let ops = summary["ops"]
            .as_array()
            .unwrap()
            .iter()
            .map(|op| {
                json!([
                    op["name"],
                    op["rows_in"],
                    op["rows_out"],
                    op["quarantined"],
                    op["merged"],
                    op["created"]
                ])
            })
            .collect();
        let mut quarantine = Vec::new();
        for file in files(&self.run_dir().join("quarantine")) {
            for line in fs::read_to_string(file).unwrap().lines() {
                let mut row: Value = serde_json::from_str(line).unwrap();
                row.as_object_mut().unwrap().remove("attempt");
                row["file"] = name(Path::new(row["file"].as_str().unwrap())).into();
                quarantine.push(row.to_string());
            }
        }
        quarantine.sort();
        assert_eq!(
            quarantine.len() as u64,
            summary["ledger"]["quarantined"].as_u64().unwrap(),
            "every row in quarantine is there once"
        );
        let exported = self.exported();
        assert!(
            exported.iter().all(|(name, _)| !name.starts_with('.')),
            "something is left beside the export"
        );
        Result {
            export: exported.into_iter().flat_map(|(_, bytes)| bytes).collect(),
            ledger: summary["ledger"].clone(),
            ops,
            quarantine,
            trace: self.trace(&summary),
        }
    }

    /// The table of the trace. Checks that it has as many rows of each fate as the account.
    fn trace(&self, summary: &Value) -> Vec<String> {
        let trace = Trace::open(&RunPaths::new(self.run_dir())).unwrap();
        let mut counts = BTreeMap::new();
        let each = |entry: djhost::jobs::Entry| {
            let rows = u64::from(entry.rows.map_or(1, |rows| rows - 1));
            *counts.entry((entry.fate, entry.op)).or_insert(0) += rows;
            Ok(true)
        };
        trace.each(None, &Fate::ALL, each).unwrap();
        let count = |fate, op| counts.get(&(fate, op)).copied().unwrap_or(0);
        for (op, name) in trace.document().ops.iter().map(|op| (op.op, &op.name)) {
            let of = |map: &str| summary["ledger"][map][op.to_string()].as_u64().unwrap_or(0);
            let merged = count(Fate::Merged, Some(op)) + count(Fate::Grouped, Some(op));
            for (fate, traced, counted) in [
                ("dropped", count(Fate::Dropped, Some(op)), of("dropped")),
                ("merged", merged, of("merged")),
                ("created", count(Fate::Made, Some(op)), of("created")),
                (
                    "quarantined",
                    count(Fate::Quarantined, Some(op)),
                    summary["ops"][op]["quarantined"].as_u64().unwrap(),
                ),
            ] {
                assert_eq!(traced, counted, "{fate} by {name}");
            }
        }
        let aside = counts
            .iter()
            .filter(|((fate, _), _)| *fate == Fate::Quarantined);
        let aside: u64 = aside.map(|(_, n)| n).sum();
        assert_eq!(aside, summary["ledger"]["quarantined"].as_u64().unwrap());
        crate::harness::trace(&self.run_dir())
    }

    /// The result of an undisturbed run of the same recipe and dataset, in a separate directory.
    pub(crate) fn undisturbed(&self) -> Result {
        let other = Self {
            dir: crate::harness::directory(),
            ops: self.ops.clone(),
            settings: self.settings.clone(),
        };
        for file in files(self.dir.path()) {
            fs::copy(&file, other.path(&name(&file))).unwrap();
        }
        other.ok(&[]);
        other.result()
    }

    /// Checks between attempts that the export is complete or absent, and that nothing else has its
    /// name.
    pub(crate) fn assert_export_whole(&self, expected: &[u8]) {
        if let Ok(found) = fs::read(self.export()) {
            assert!(
                found == expected,
                "the export is there, but not whole: {} of {} bytes",
                found.len(),
                expected.len()
            );
        }
    }

    /// What a kill leaves of files that were not at their places yet, anywhere below the bench.
    pub(crate) fn unfinished(&self) -> Vec<PathBuf> {
        let (mut found, mut open) = (Vec::new(), vec![self.dir.path().to_owned()]);
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if name(&path).starts_with('.') && !name(&path).ends_with("lock") {
                    found.push(path);
                }
            }
        }
        found
    }

    /// Names of what pieces of the work of global ops have left.
    pub(crate) fn pieces(&self) -> Vec<String> {
        let files = fs::read_dir(self.run_dir().join("checkpoints")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("split_op") || name.starts_with("found_op"))
            .collect()
    }

    pub(crate) fn data(&self) -> Vec<u8> {
        fs::read(self.path("data.jsonl")).unwrap()
    }

    pub(crate) fn write_data(&self, bytes: impl AsRef<[u8]>) {
        fs::write(self.path("data.jsonl"), bytes).unwrap();
    }
}

/// The events of one attempt.
#[derive(Debug)]
pub(crate) struct Events(pub Vec<Value>);

impl Events {
    pub(crate) fn of(&self, event_type: &str) -> Vec<&Value> {
        self.0
            .iter()
            .filter(|e| e["event_type"] == event_type)
            .collect()
    }

    /// The (partition, op) pairs that were started.
    pub(crate) fn started(&self) -> Vec<(u64, u64)> {
        let mut pairs: Vec<_> = self
            .of("op_start")
            .iter()
            .map(|e| {
                (
                    e["partition_id"].as_u64().unwrap(),
                    e["operation_idx"].as_u64().unwrap(),
                )
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The ops that were started for any partition.
    pub(crate) fn ops(&self) -> Vec<u64> {
        let mut ops: Vec<u64> = self.started().into_iter().map(|(_, op)| op).collect();
        ops.sort_unstable();
        ops.dedup();
        ops
    }

    /// The partitions for which op 0 was started.
    pub(crate) fn partitions_from_the_input(&self) -> Vec<u64> {
        self.started()
            .into_iter()
            .filter(|(_, op)| *op == 0)
            .map(|(p, _)| p)
            .collect()
    }
}

/// Rows in several languages, duplicates, odd spellings, and lines that are not rows.
pub(crate) fn lines(range: std::ops::Range<usize>) -> Vec<u8> {
    const TEXTS: [&str; 8] = [
        "The quick brown fox jumps over the lazy dog",
        "Die Würde des Menschen ist unantastbar, sagt das Gesetz",
        "这是一个用于测试的句子，包含足够多的字符",
        "Съешь же ещё этих мягких французских булок",
        "اللغة العربية جميلة وهذه جملة للاختبار",
        "emoji 🎉 and \\u00e9scapes \\\"quoted\\\" with \\t tabs \\ud83d\\ude00",
        "  mixed\\u00a0white\\u3000space   write to someone@example.org or see https://example.org/a?b=c now  ",
        "short",
    ];
    let mut out = Vec::new();
    for i in range {
        let base = TEXTS[i % TEXTS.len()];
        // About every third text repeats, sometimes in another case.
        let n = if i % 3 == 0 { i % 30 } else { i };
        let row = match i % 11 {
            0 => format!(
                "{{\"text\": \"{base} number {n}\", \"n\": 1.0e3, \"big\": 12345678901234567890123}}\r\n"
            ),
            1 => format!("{{ \"id\" : {i},\"text\":\"{base} number {n}\" , \"n\": -0.0 }}\n"),
            2 => format!(
                "{{\"text\": \"{base} number {n}\", \"a\": 1, \"a\": 2, \"nested\": {{\"x\": [1, 2.50, null]}}}}\n"
            ),
            3 => format!(
                "{{\"n\": {i}, \"text\": \"{} number {n}\"}}   \n",
                base.to_uppercase()
                    .replace("\\U", "\\u")
                    .replace("\\T", "\\t")
                    .replace("UD83D", "ud83d")
                    .replace("UDE00", "ude00")
            ),
            4 if i % 5 == 0 => format!("{{\"text\": {i}}}\n"),
            5 if i % 7 == 0 => "{\"text\": \"cut off\n".to_owned(),
            6 if i % 4 == 0 => "\n   \n".to_owned(),
            7 if i % 9 == 0 => "[1, 2]\n".to_owned(),
            _ => format!(
                "{{\"text\": \"{base} number {n}\\nsecond line\", \"meta\": {{\"i\": {i}}}}}\n"
            ),
        };
        out.extend_from_slice(row.as_bytes());
        if i % 97 == 96 {
            out.extend_from_slice(b"{\"text\": \"bytes \xff\xfe that are no UTF-8\"}\n");
        }
    }
    out
}

/// A small generator of random numbers: always the same kills, so that failures can be reproduced.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }
}

pub(crate) fn killed(output: &Output) -> bool {
    output.status.signal() == Some(9)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files in a directory, sorted; none if the directory is missing.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file())
        .collect();
    found.sort();
    found
}
