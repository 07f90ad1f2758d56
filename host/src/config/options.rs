//! Every option, declared once. `configs/reference.yaml` and `djhost run --help` are made from
//! these comments.

use serde_json::{Value, json};

use super::declare::{Entry, Given, Node, SetError, options};
use super::invalid_value::InvalidValue;
use super::units::{Count, Size};
use super::value::{ANY, Bounds, Names, OptionType, Raw, Texts, at_least, between, choices};

choices! {
    /// How Data-Juicer would run the recipe.
    ExecutorType { #[doc = "One process."] Default = "default", #[doc = "Ray."] Ray = "ray", #[doc = "Ray, by partitions."] RayPartitioned = "ray_partitioned" }
}
choices! {
    /// Format of the exported dataset.
    ExportType {
        /// One JSON object per line.
        Jsonl = "jsonl",
        /// One JSON array.
        Json = "json",
        /// Apache Parquet.
        Parquet = "parquet",
        /// Arrow IPC file.
        Arrow = "arrow",
    }
}
choices! {
    /// Who decides how large partitions are.
    PartitionMode {
        /// Measured.
        Auto = "auto",
        /// The recipe.
        Manual = "manual",
    }
}
choices! {
    /// After which operators a checkpoint is written.
    Strategy {
        /// After each n-th.
        EveryNOps = "every_n_ops",
        /// After each.
        EveryOp = "every_op",
        /// After those named.
        Manual = "manual",
        /// Where redoing is dearer than writing.
        Adaptive = "adaptive",
        /// Never.
        Disabled = "disabled",
    }
}
choices! {
    /// Format of checkpoints.
    StorageFormat {
        /// Apache Parquet.
        Parquet = "parquet",
        /// Arrow IPC.
        Arrow = "arrow",
        /// JSON lines.
        Jsonl = "jsonl",
    }
}
choices! {
    /// Compression of checkpoints.
    Compression {
        /// Fast, about half the size.
        Snappy = "snappy",
        /// Slow, small, read everywhere.
        Gzip = "gzip",
        /// As it is.
        None = "none",
        /// Small at moderate cost.
        Zstd = "zstd",
        /// Fast.
        Lz4 = "lz4",
    }
}
choices! {
    /// What happens to intermediate data at the end of a job.
    Retention {
        /// All stays.
        KeepAll = "keep_all",
        /// It stays if the job failed.
        KeepFailedOnly = "keep_failed_only",
        /// All goes.
        CleanupAll = "cleanup_all",
    }
}
choices! {
    /// What happens to a row that an operator cannot process.
    OnError {
        /// Set aside with the reason.
        Quarantine = "quarantine",
        /// Counted and forgotten.
        Drop = "drop",
        /// The job fails.
        Fail = "fail",
    }
}
choices! {
    /// What happens when an operator does not give the same answer again.
    OnDifference {
        /// A message, an event, and a line in the summary.
        Warn = "warn",
        /// The job fails.
        Fail = "fail",
    }
}
choices! {
    /// The least severe messages that are shown.
    LogLevel {
        /// Failures.
        Error = "error",
        /// And what deserves a look.
        Warn = "warn",
        /// And the course of the job.
        Info = "info",
        /// And details.
        Debug = "debug",
        /// And everything.
        Trace = "trace",
    }
}

options! {
    /// Partitioning.
    Partition {
        /// `auto` measures a sample of the dataset and chooses the size of partitions; `manual`
        /// takes `num_of_partitions` or `size`.
        mode: PartitionMode = PartitionMode::Auto;
        /// Rows per partition. In manual mode it stands in place of `num_of_partitions`; in auto
        /// mode it is used when the analysis fails.
        size: Option<u64> = None => at_least(1.0);
        /// Manual mode: the exact number of partitions (4 if neither this nor `size` is given;
        /// `auto` switches to auto mode). Auto mode: the largest number.
        num_of_partitions: Option<Count> = None => at_least(1.0);
        /// Auto mode: the size to aim for, in MB of memory that the rows of a partition need (128,
        /// 256, 512, 1024 or any other).
        target_size_mb: u64 = 256 => between(1.0, 1_048_576.0);
        /// Auto mode: the largest size of a partition, in MB of input, when the analysis fails.
        max_size_mb: u64 = 256 => between(1.0, 1_048_576.0);
    }
}
options! {
    /// Checkpoints.
    Checkpoint {
        /// Whether checkpoints are written at all.
        enabled: bool = true;
        /// After which operators: each n-th (`every_n_ops`), each (`every_op`), those in `op_names`
        /// (`manual`), where redoing is dearer than writing (`adaptive`), none (`disabled`).
        strategy: Strategy = Strategy::EveryNOps;
        /// `every_n_ops`: the n.
        n_ops: u64 = 5 => at_least(1.0);
        /// `manual`: the operators, named as in `process`. On the command line `op1,op2` or
        /// `'[op1,op2]'`.
        op_names: Names = Names::default();
    }
}
options! {
    /// How checkpoints are stored.
    IntermediateStorage {
        /// File format. With `jsonl` a line is the row as it was then, with one more field,
        /// `__dj__row__`: for looking at, with `jq` for instance.
        format: StorageFormat = StorageFormat::Parquet;
        /// Compression; by default `snappy`, and `none` for `jsonl`, which other programs read.
        compression: Option<Compression> = None;
        /// Whether checkpoints of JSON rows hold every row, as `jsonl` always does. With false they
        /// hold what differs from the input, and a resumed job reads the other rows from the input
        /// again: faster, and far smaller.
        whole_rows: bool = false;
        /// Whether checkpoints stay after the job is complete. With false they are deleted whatever
        /// `retention_policy` says.
        preserve_intermediate_data: bool = true;
        /// What stays at the end of the job: everything, only what a failed job needs to be
        /// resumed, or nothing once it is complete.
        retention_policy: Retention = Retention::KeepAll;
        /// Whether the unpacked copies of inputs that cannot be read in pieces (archives, CSV, JSON
        /// arrays) stay after the job is complete. They are as large as the unpacked dataset; a job
        /// that goes on later unpacks it again.
        keep_unpacked_inputs: bool = false;
    }
}

impl IntermediateStorage {
    /// The compression that holds.
    pub fn compression(&self) -> Compression {
        let by_default = if self.format == StorageFormat::Jsonl {
            Compression::None
        } else {
            Compression::Snappy
        };
        self.compression.unwrap_or(by_default)
    }
}
options! {
    /// The machine-readable event log.
    EventLogging {
        /// Whether `events_*.jsonl` is written. Without it `djhost monitor` only knows the job
        /// summary.
        enabled: bool = true;
    }
}
options! {
    /// Limits for each operator's sandbox; an entry of `process` may set its own with `limits`.
    OpLimits {
        /// Linear memory and tables of one instance, in MB. A selector that gets the keys of the
        /// whole dataset has more: 32 bytes for each, and four times what they have themselves, up
        /// to 4 GB in all.
        memory_mb: u64 = 256 => between(1.0, 4096.0);
        /// CPU time for one batch, in seconds. A batch larger than `batch_size_kb` gets more, in
        /// proportion.
        timeout_s: f64 = 60.0 => between(0.001, 86_400.0);
        /// CPU time for one row, in seconds: a batch of few rows gets no more than this for each. A
        /// row larger than `batch_size_kb` gets more, in proportion.
        row_timeout_s: f64 = 10.0 => between(0.001, 86_400.0);
        /// How many times as large as what an operator is given of a row its answer for it may be.
        /// The rows that it makes of one may be as many times as large again, with the fields that
        /// are taken over, up to 256 MB. An answer to a batch that is larger than both it and
        /// `batch_size_kb` by so much is not even looked at.
        output_ratio: f64 = 16.0 => between(1.0, 1024.0);
        /// What an answer for one row may have beyond that, in KB.
        row_output_kb: u64 = 1024 => between(1.0, 1_048_576.0);
        /// The job ends when all that an operator has made of rows beyond `output_ratio` times each
        /// comes to more than `output_ratio` times the dataset and this, in MB.
        job_output_mb: u64 = 256 => between(1.0, 1_073_741_824.0);
    }
}
options! {
    /// A check of operators on the data itself: whether they give the same answer again.
    Determinism {
        /// Share of the batches that two fresh instances are given, too, and whose answers are
        /// compared: 0 is none, 1 is all.
        check_ratio: f64 = 0.0 => between(0.0, 1.0);
        /// What happens when an operator answers otherwise: `warn` says so, `fail` ends the job.
        on_difference: OnDifference = OnDifference::Warn;
    }
}
options! {
    /// All options of a recipe. A key is a field's name, fields of sections joined by dots:
    /// `checkpoint.n_ops`.
    Config {
        /// Name of the project; `job_summary.json` has it.
        project_name: String = "hello_world".into();
        /// The dataset: a file, a directory, a glob, or a list of them. Formats are JSONL (plain,
        /// .gz, .zst, .bz2, .xz), JSON, Parquet, Arrow IPC, CSV, TSV and TXT.
        dataset_path: Texts = Texts::default();
        /// Data-Juicer's other way to name the dataset, for local files: `configs: [{type: local,
        /// path: a.jsonl}]`. Used when `dataset_path` is empty.
        dataset: Raw = Raw(Value::Null);
        /// The result. `{job_id}` and `{work_dir}` are replaced.
        export_path: String = "./outputs/hello_world/hello_world.jsonl".into();
        /// Format of the result; by default what the end of `export_path` says.
        export_type: Option<ExportType> = None;
        /// With a size (`256MiB`), the result is split into files of about this size; 0 gives one
        /// file.
        export_shard_size: Size = Size(0);
        /// Whether rows keep the stats that filters computed, under `__dj__stats__`.
        keep_stats_in_res_ds: bool = false;
        /// Whether filters use the stats that rows of the dataset bring under `__dj__stats__` in
        /// place of computing them. Only for a dataset that is trusted, with stats of the same
        /// operators and parameters: a row with made-up stats passes any filter.
        reuse_input_stats: bool = false;
        /// Where run directories go; by default beside `export_path`. The run directory is
        /// `work_dir/job_id`; `{job_id}` may stand as the last part.
        work_dir: Option<String> = None;
        /// Name of the job. The same name continues the job. By default a new name: date, time and
        /// six hex digits.
        job_id: Option<String> = None;
        /// Name of a job to continue; an error if there is none.
        resume: Option<String> = None;
        /// Accepted for Data-Juicer's recipes; every value runs on this machine's threads, by
        /// partitions.
        executor_type: ExecutorType = ExecutorType::Default;
        /// Accepted for Data-Juicer's recipes: `auto` or `local`. A cluster's address is refused.
        ray_address: String = "auto".into();
        /// Number of worker threads; by default one per core.
        np: Option<u64> = None => between(1.0, 1024.0);
        /// The field that operators work on unless they name another with `text_key`; of a list the
        /// first. Nested fields: `meta.text`.
        text_keys: Texts = Texts(vec!["text".into()]);
        /// The field with the list of image paths.
        image_key: String = "images".into();
        /// The field with the list of audio paths.
        audio_key: String = "audios".into();
        /// The field with the list of video paths.
        video_key: String = "videos".into();
        /// Data-Juicer's spelling of `on_error`: true means `quarantine`, false means `fail`.
        skip_op_error: Option<bool> = None;
        /// What happens to a row that an operator rejects or fails on: `quarantine` sets it aside
        /// with the reason, `drop` only counts it, `fail` ends the job. By default `quarantine`.
        on_error: Option<OnError> = None;
        /// The job fails when operators cannot process more than this share of the rows (taken as
        /// 1,000 if they are fewer), or any of them: a broken operator is not bad data. With 1 it
        /// never does.
        max_quarantine_ratio: f64 = 0.05 => between(0.0, 1.0);
        /// The job fails when more than this share of at least 1,000 rows, or all rows, cannot be
        /// read: they are malformed, or lack a field that an operator requires. By default 0.5, or
        /// `max_quarantine_ratio` where that is larger.
        max_unreadable_ratio: Option<f64> = None => between(0.0, 1.0);
        /// How often a failed partition is tried again before the job fails.
        task_retries: u64 = 2 => between(0.0, 100.0);
        /// Bytes per batch that passes through the operators, in KB. Batches that fit the
        /// processor's cache are fastest.
        batch_size_kb: u64 = 512 => between(16.0, 65_536.0);
        /// Larger rows go to quarantine, in MB.
        max_row_mb: u64 = 256 => between(1.0, 1024.0);
        /// The largest window of a zstd file of the dataset, in MB: what unpacking one file may
        /// take in memory. Files of `zstd --long=31` need 2048.
        zstd_window_mb: u64 = 128 => between(8.0, 2048.0);
        /// Memory for the tables in which deduplicators look up fingerprints of all rows, in MB.
        /// More rows than fit take more passes over the keys, which are on disk.
        resolver_memory_mb: u64 = 1024 => between(1.0, 1_048_576.0);
        /// Seed of everything random, and what operators see as random numbers.
        seed: u64 = 42;
        /// Directories with operator components (`*.wasm`), searched recursively. Several are a list,
        /// also in the variable: `DJHOST_PLUGINS='[first, second]'`.
        plugins: Texts = Texts::default();
        /// Whether a run is refused when the components of a plugin directory are not those that
        /// its `plugins.lock` pins (`djhost ops lock`).
        check_plugins_lock: bool = true;
        /// Operators of plugins that take the place of built-in ones of the same name:
        /// `[text_length_filter]`. Without being named here, one that the recipe uses is refused.
        allow_override: Names = Names::default();
        /// The least severe messages in the log.
        log_level: LogLevel = LogLevel::Info;
        /// How the dataset is split: partitions are the unit of work, of retry and of checkpoints.
        partition: Partition = Partition::default();
        /// After which operators each partition's rows are saved, so that a job that was stopped or
        /// killed goes on from there.
        checkpoint: Checkpoint = Checkpoint::default();
        /// How checkpoints are stored, and what becomes of them.
        intermediate_storage: IntermediateStorage = IntermediateStorage::default();
        /// The machine-readable event log.
        event_logging: EventLogging = EventLogging::default();
        /// Limits for the sandbox of each operator.
        op_limits: OpLimits = OpLimits::default();
        /// Whether operators are checked for giving the same answer again.
        determinism: Determinism = Determinism::default();
        /// Whether a job is refused when its disks have no room for what it would write if no row
        /// were dropped. Only before a job has begun.
        check_free_space: bool = true;
        /// Where the human-readable logs go; by default `logs` in the run directory. `{job_id}` and
        /// `{work_dir}` are replaced; if neither is there, the job's name is added.
        event_log_dir: Option<String> = None;
        /// Where checkpoints go, in the same way; by default `checkpoints` in the run directory. A
        /// link to it is there then.
        checkpoint_dir: Option<String> = None;
        /// Where unpacked input goes, in the same way; by default `partitions` in the run
        /// directory.
        partition_dir: Option<String> = None;
        /// The operators, in order: a list of `- name:` with the parameters below it. Each may also
        /// have `limits: {memory_mb, timeout_s, row_timeout_s, output_ratio, row_output_kb,
        /// job_output_mb}`, `grants: {read_dirs, env, media, seed}` and `on_error` for itself.
        process: Raw = Raw(json!([]));
    }
}

impl Config {
    /// All options and sections in the order of the declaration, with the present values.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.visit("", "", ANY, &mut |entry| entries.push(entry));
        entries
    }

    /// Sets the option at a dotted key.
    pub fn set(&mut self, key: &str, given: &Given, append: bool) -> Result<(), SetError> {
        Node::set(self, key, given, append, ANY)
    }

    /// All options as nested JSON, in the order of the declaration.
    pub fn to_json(&self) -> Value {
        let mut root = serde_json::Map::new();
        for entry in self.entries().into_iter().filter(|e| !e.is_section) {
            match entry.key.split_once('.') {
                None => drop(root.insert(entry.key, entry.value)),
                Some((section, name)) => {
                    let section = root.entry(section).or_insert_with(|| json!({}));
                    section
                        .as_object_mut()
                        .expect("sections are objects")
                        .insert(name.to_owned(), entry.value);
                }
            }
        }
        Value::Object(root)
    }

    /// Number of worker threads.
    pub fn workers(&self) -> usize {
        match self.np {
            Some(np) => np as usize,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// The field that operators work on unless they name another.
    pub fn text_key(&self) -> &str {
        self.text_keys.0.first().map_or("text", String::as_str)
    }

    /// What happens to rows that an operator cannot process, `skip_op_error` included.
    pub fn on_error(&self) -> OnError {
        self.on_error.unwrap_or(match self.skip_op_error {
            Some(false) => OnError::Fail,
            _ => OnError::Quarantine,
        })
    }

    /// The strategy that holds, `checkpoint.enabled` included.
    pub fn strategy(&self) -> Strategy {
        if self.checkpoint.enabled {
            self.checkpoint.strategy
        } else {
            Strategy::Disabled
        }
    }

    /// The mode that holds: `num_of_partitions: auto` means auto.
    pub fn partition_mode(&self) -> PartitionMode {
        match self.partition.num_of_partitions {
            Some(Count::Auto) => PartitionMode::Auto,
            _ => self.partition.mode,
        }
    }

    /// What decides how the input becomes rows, for fingerprints.
    pub fn reader_json(&self) -> Value {
        json!({ "max_row_mb": self.max_row_mb })
    }
}
