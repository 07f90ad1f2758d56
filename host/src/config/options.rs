//! All options, each declared once. `configs/reference.yaml` and `djhost run --help` are generated
//! from these comments.

use serde_json::{Value, json};

use super::choices::*;
use super::declare::{Entry, Given, Node, SetError, options};
use super::units::{Count, Size};
use super::value::{ANY, Bounds, Names, Paths, Raw, Several, Texts, at_least, between};

options! {
    /// Partitioning.
    Partition {
        /// `auto` measures a sample of the dataset and chooses the size of partitions; `manual`
        /// uses `num_of_partitions` or `size`.
        mode: PartitionMode = PartitionMode::Auto;
        /// Rows per partition. Manual mode: instead of `num_of_partitions`. Auto mode: used if the
        /// analysis fails.
        size: Option<u64> = None => at_least(1.0);
        /// Manual mode: the exact number of partitions (4 if neither this nor `size` is given;
        /// `auto` switches to auto mode). Auto mode: at most this many.
        num_of_partitions: Option<Count> = None => at_least(1.0);
        /// Auto mode: target size of a partition, in MB of memory for its rows (128, 256, 512, 1024
        /// or any other).
        target_size_mb: u64 = 256 => between(1.0, 1_048_576.0);
        /// Auto mode: largest size of a partition, in MB of input, if the analysis fails.
        max_size_mb: u64 = 256 => between(1.0, 1_048_576.0);
    }
}
options! {
    /// Checkpoints.
    Checkpoint {
        /// Whether checkpoints are written at all.
        enabled: bool = true;
        /// After which operators: each n-th (`every_n_ops`), each (`every_op`), those in `op_names`
        /// (`manual`), where redoing costs more than writing (`adaptive`), none (`disabled`).
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
        /// File format. With `jsonl`, a line is the row as it was then, with one more field,
        /// `__dj__row__`: for inspection, with `jq` for instance.
        format: StorageFormat = StorageFormat::Parquet;
        /// Compression; by default `snappy`, but `none` for `jsonl`, which other programs read.
        compression: Option<Compression> = None;
        /// Whether checkpoints of JSON rows hold every row, as `jsonl` always does. Otherwise they
        /// hold what differs from the input, and a resumed job reads the rest from the input again:
        /// faster, and far smaller.
        whole_rows: bool = false;
        /// Whether checkpoints are kept after the job is complete. If false, they are deleted
        /// whatever `retention_policy` says.
        preserve_intermediate_data: bool = true;
        /// What is kept at the end of the job: everything, only what a failed job needs to be
        /// resumed, or nothing once it is complete.
        retention_policy: Retention = Retention::KeepAll;
        /// Whether unpacked copies of inputs that cannot be read in pieces (archives, CSV, JSON
        /// arrays) are kept after the job is complete. They are as large as the unpacked dataset;
        /// without them, a job that continues later unpacks it again.
        keep_unpacked_inputs: bool = false;
    }
}

impl IntermediateStorage {
    /// Returns the compression in effect.
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
        /// Whether `events_*.jsonl` is written. Without it, `djhost monitor` only knows the job
        /// summary.
        enabled: bool = true;
    }
}
options! {
    /// Limits for each operator's sandbox; an entry of `process` may set its own with `limits`.
    OpLimits {
        /// Linear memory and tables of one instance, in MB. A selector that gets the keys of the
        /// whole dataset may use more: 32 bytes for each key, and four times the size of the keys,
        /// up to 4 GB in all.
        memory_mb: u64 = 256 => between(1.0, 4096.0);
        /// CPU time for one batch, in seconds. A batch larger than `batch_size_kb` gets more, in
        /// proportion.
        timeout_s: f64 = 60.0 => between(0.001, 86_400.0);
        /// CPU time for one row, in seconds: a batch of few rows gets at most this for each of
        /// them. A row larger than `batch_size_kb` gets more, in proportion.
        row_timeout_s: f64 = 10.0 => between(0.001, 86_400.0);
        /// Largest answer for a row, as a multiple of what the operator is given of it. Rows that
        /// it makes of one row, including the fields that they take over, may be as many times as
        /// large again, up to 256 MB. An answer to a batch that is this many times larger than both
        /// the batch and `batch_size_kb` is refused unread.
        output_ratio: f64 = 16.0 => between(1.0, 1024.0);
        /// What the answer for one row may have beyond that, in KB.
        row_output_kb: u64 = 1024 => between(1.0, 1_048_576.0);
        /// The job ends if everything that an operator has made of rows beyond `output_ratio` times
        /// each is more than `output_ratio` times the dataset and this, in MB.
        job_output_mb: u64 = 256 => between(1.0, 1_073_741_824.0);
    }
}
options! {
    /// Workers on a Ray cluster.
    Ray {
        /// How many there are; more than the cluster has room for start when it grows. `auto`: as
        /// many as it has room for when the job begins.
        workers: Count = Count::Auto => between(1.0, 100_000.0);
        /// CPUs that each reserves, and partitions that each works on at a time. `auto`: those of the
        /// smallest node, at most 16.
        cpus_per_worker: Count = Count::Auto => between(1.0, 1024.0);
        /// Memory that each reserves, in MB. `auto`: none is reserved.
        memory_per_worker_mb: Count = Count::Auto => between(1.0, 1_073_741_824.0);
        /// A Python with the package `ray`, of the version that the cluster has: a name or a path.
        python: String = "python3".into();
        /// The djhost program for the nodes, of the same version as this one; by default this one.
        binary: Option<String> = None;
        /// For how long nothing may be heard of a worker, in seconds. It is ended then, and others do
        /// its work.
        silence_seconds: u64 = 20 => between(2.0, 86_400.0);
    }
}
options! {
    /// Checks operators on the data itself: whether they give the same answer again.
    Determinism {
        /// Share of the batches that two fresh instances process, too, to compare the answers: 0 is
        /// none, 1 is all.
        check_ratio: f64 = 0.0 => between(0.0, 1.0);
        /// What happens if an operator gives another answer: `warn` reports it, `fail` ends the
        /// job.
        on_difference: OnDifference = OnDifference::Warn;
    }
}
options! {
    /// The description of the result for dataset hubs.
    Croissant {
        /// Whether `metadata/croissant.json` describes the result in the Croissant format (JSON-LD):
        /// its files with their SHA-256, its fields, sources, recipe and numbers of rows. The result
        /// is read once more for that.
        enabled: bool = false;
        /// Name of the dataset; by default that of the file.
        name: String = String::new();
        /// What it is.
        description: String = String::new();
        /// Its licences: names or addresses.
        license: Texts = Texts::default();
        /// Its address.
        url: String = String::new();
        /// Who made it.
        creator: Texts = Texts::default();
    }
}
options! {
    /// How a result is put on the Hugging Face hub.
    PushToHub {
        /// Whether the dataset is created if the hub has none of its name. Otherwise that is a mistake.
        create_repo: bool = false;
        /// Whether a dataset that is created is private.
        private: bool = true;
        /// Title of the commit; by default `Upload N files with djhost`.
        commit_message: Option<String> = None;
    }
}
options! {
    /// How web pages become rows.
    Warc {
        /// The types of records that become rows: `response`, `resource`, `conversion` (WET files),
        /// `metadata` (WAT files). The body of responses and resources is in the field that `html_key`
        /// names, that of the others in `text`.
        record_types: Several<RecordType> =
            Several(vec![RecordType::Response, RecordType::Conversion]);
        /// Media types of responses and resources that become rows: as the record identifies them
        /// (`WARC-Identified-Payload-Type`), or as the server sent them, or, if neither says anything,
        /// by how the body begins. `text/*` means all that begin so, `*/*` all.
        content_types: Texts = Texts(vec!["text/html".into(), "application/xhtml+xml".into()]);
        /// Fields of the rows beside the body: `url`, `date`, `record_type`, `content_type`, `status`,
        /// `record_id`, `digest`, `charset`. A field that a record lacks is null. Rows of HTML files
        /// have `url` and `charset` of these.
        fields: Several<PageField> = Several(vec![
            PageField::Url,
            PageField::Date,
            PageField::ContentType,
            PageField::Status,
            PageField::RecordId,
            PageField::Digest,
            PageField::Charset,
        ]);
        /// The field with the body of responses, resources and HTML files: `html`, or `text`, so that
        /// `html_extract_mapper: {html_key: text}` puts the text in the place of the page.
        html_key: PageKey = PageKey::Html;
        /// How rows have the body of responses, resources and HTML files: `text`, decoded from its
        /// charset, or `base64`, its bytes as they are once what the server packed is unpacked, in the
        /// field `bytes`: for images, PDF files and the like. `charset` is null then.
        body: PageBody = PageBody::Text;
        /// Largest record, in MB, as it is stored and after what its server packed was unpacked;
        /// larger ones go to quarantine. By default `max_row_mb`.
        max_record_mb: Option<u64> = None => between(1.0, 1024.0);
    }
}
options! {
    /// All options of a recipe. A key is a field's name, fields of sections joined by dots:
    /// `checkpoint.n_ops`.
    Config {
        /// Name of the project, for `job_summary.json`.
        project_name: String = "hello_world".into();
        /// The dataset: a file, a directory, a glob, or a list of them, each also in a bucket
        /// (`s3://BUCKET/KEY`), of a dataset on the hub (`hf://datasets/OWNER/NAME`), or a file behind
        /// a URL. Formats are JSONL (plain, .gz, .zst, .bz2, .xz), JSON, Parquet, Arrow IPC, CSV, TSV,
        /// TXT, and web pages: WARC and WET (plain, .gz, .zst), HTML.
        dataset_path: Texts = Texts::default();
        /// Data-Juicer's other way to name the dataset, for local files: `configs: [{type: local,
        /// path: a.jsonl}]`. Used if `dataset_path` is empty.
        dataset: Raw = Raw(Value::Null);
        /// Of a dataset as the Hugging Face hub has them (a directory or `hf://datasets/OWNER/NAME`) the
        /// configuration that is read. Needed if the dataset's card (`README.md`) declares several and no
        /// default.
        config_name: Option<String> = None;
        /// Of such a dataset the split that is read: `train`, several as `train+validation`, or `all`.
        /// Needed if there are several. Splits are those of the card, or those that the names of files and
        /// directories tell.
        split: Option<String> = None;
        /// What the first rows of each source must be like, checked before any work: a list.
        /// `{type: required_fields, required_fields: [text, meta.lang], field_types: {text: str},
        /// allow_missing: 0.1}`: the fields are there, absent or null in at most this share of the
        /// rows (none, by default), of these types (`str`, `int`, `float`, `bool`, `list`, `dict`).
        /// `{type: swift_messages, min_turns: 1, max_turns: 20}`: `messages` is a list of so many
        /// messages, each with a `role` (`system`, `user`, `assistant`) and a `content`.
        /// `{type: dj_conversation}`: `instruction`, `query` and `response` are texts, and `history`, if
        /// there is one, pairs of texts, with the same bounds. `sample_size` of each says how many
        /// rows are looked at: 100. Rows that are not so end the run with their places.
        validators: Raw = Raw(Value::Null);
        /// Path of the result, `s3://BUCKET/KEY`, or `hf://datasets/OWNER/NAME[@BRANCH]`: a dataset on
        /// the hub, put there by one commit. `{job_id}` and `{work_dir}` are replaced.
        export_path: String = "./outputs/hello_world/hello_world.jsonl".into();
        /// Data-Juicer's credentials for a result in S3: `{aws_access_key_id, aws_secret_access_key,
        /// aws_session_token, aws_region, endpoint_url}`, as a source of `dataset` may have them. Used
        /// where the environment (`AWS_ACCESS_KEY_ID`) says nothing, and never kept with the run.
        export_aws_credentials: Raw = Raw(Value::Null);
        /// Format of the result; by default what the suffix of `export_path` says. `hf`: a dataset as
        /// the Hugging Face hub has them: `export_path` is a directory, with Parquet files
        /// `data/train-00000-of-00012.parquet` and a card `README.md`, which `datasets.load_dataset`
        /// reads.
        export_type: Option<ExportType> = None;
        /// With a size (`256MiB`), the result is split into files of about this size; 0 gives one
        /// file, and with `export_type: hf` files of 500 MB.
        export_shard_size: Size = Size(0);
        /// Whether rows keep the stats that filters computed, under `__dj__stats__`.
        keep_stats_in_res_ds: bool = false;
        /// Whether filters use stats that rows of the dataset have under `__dj__stats__` instead of
        /// computing them, and operators may read stats that no earlier op computes. Only for a
        /// trusted dataset with stats of the same operators and parameters: a row with made-up
        /// stats passes any filter.
        reuse_input_stats: bool = false;
        /// Whether built-in filters of one text that follow one another run cheapest first, by the
        /// work that they declare. The rows that stay are the same; a row that several filters would
        /// remove is counted for the first that does. The order is the recipe's with
        /// `keep_stats_in_res_ds`, for filters of other fields, of plugins, and with `on_error: fail`.
        reorder: bool = true;
        /// Where run directories go: a directory, or `s3://BUCKET/PREFIX`; by default beside
        /// `export_path`, or in `./outputs` if that is in a bucket. The run directory is
        /// `work_dir/job_id`; `{job_id}` may be the last part.
        work_dir: Option<String> = None;
        /// Name of the job. An existing job of this name is continued. By default a new name: date,
        /// time and six hex digits.
        job_id: Option<String> = None;
        /// Name of a job to continue; an error if it does not exist.
        resume: Option<String> = None;
        /// Who works on partitions: `default` is this machine; `ray` and `ray_partitioned`, which are
        /// the same, are the workers of a Ray cluster, if `ray_address` leads to one. The result does
        /// not depend on it, and a job may change between them at any attempt.
        executor_type: ExecutorType = ExecutorType::Default;
        /// The Ray cluster. `HOST:6379`: this machine is a node of it. `http://HOST:8265`: the job is
        /// submitted to it from elsewhere. `auto`: the one that $RAY_ADDRESS or `ray start` on this
        /// machine names; if there is none, or with `local`, this machine works alone.
        ray_address: String = "auto".into();
        /// Workers on a Ray cluster.
        ray: Ray = Ray::default();
        /// Number of worker threads; by default one per core.
        np: Option<u64> = None => between(1.0, 1024.0);
        /// Number of processes among which the worker threads are divided, at least one for each; 0:
        /// all are threads of one process. If a process dies, for instance because memory runs out,
        /// another one takes its place and does again what that was doing; the job goes on.
        worker_processes: u64 = 0 => between(0.0, 256.0);
        /// The field that operators work on unless they name another with `text_key`; the first one
        /// of a list. Nested fields: `meta.text`.
        text_keys: Texts = Texts(vec!["text".into()]);
        /// The field with the list of image paths.
        image_key: String = "images".into();
        /// The field with the bytes of the images, a list or a single one, where they are inside of
        /// rows: a column of bytes, or of images as Hugging Face's `datasets` stores them. These
        /// images are not opened by their paths.
        image_bytes_key: String = "image_bytes".into();
        /// The field with the list of audio paths.
        audio_key: String = "audios".into();
        /// The field with the list of video paths.
        video_key: String = "videos".into();
        /// What stands for an image in the texts. Operators that look at images with the text around
        /// them take it, and the three below, unless they are given another one.
        image_special_token: String = "<__dj__image>".into();
        /// What stands for an audio file in the texts.
        audio_special_token: String = "<__dj__audio>".into();
        /// What stands for a video in the texts.
        video_special_token: String = "<__dj__video>".into();
        /// What ends a chunk of a text: its images belong to the text between two of these.
        eoc_special_token: String = "<|__dj__eoc|>".into();
        /// Data-Juicer's spelling of `on_error`: true means `quarantine`, false means `fail`.
        skip_op_error: Option<bool> = None;
        /// What happens to a row that an operator rejects or fails on: `quarantine` sets it aside
        /// with the reason, `drop` only counts it, `fail` ends the job. By default `quarantine`.
        on_error: Option<OnError> = None;
        /// The job fails if operators cannot process more than this share of the rows (of 1,000
        /// rows if there are fewer), or cannot process a single row: a broken operator is not bad
        /// data. With 1 it never fails for this reason.
        max_quarantine_ratio: f64 = 0.05 => between(0.0, 1.0);
        /// The job fails if more than this share of at least 1,000 rows, or all rows, cannot be
        /// read: they are malformed, or lack a field that an operator requires. By default 0.5, or
        /// `max_quarantine_ratio` if that is larger.
        max_unreadable_ratio: Option<f64> = None => between(0.0, 1.0);
        /// How often a failed partition is tried again before the job fails.
        task_retries: u64 = 2 => between(0.0, 100.0);
        /// What `trace/` in the run directory records of each row, for `djhost explain` and `djhost
        /// dropped`. `dropped`: each row that was dropped, merged or set aside, or became several,
        /// by which operator, and its stats there. `all`: also every row that a filter kept, with the
        /// stats that were computed for it: a filter that can decide without its stat leaves that out.
        /// `stats`: the same, and all stats are computed, so that it can be counted what any other
        /// threshold would keep; that takes longer than to decide, unless `keep_stats_in_res_ds` has
        /// them computed anyway. `off`: nothing.
        trace: TraceMode = TraceMode::Dropped;
        /// For how many rows the trace keeps what each mapper changed, before and after. They are
        /// chosen by a hash of the row's place.
        trace_samples: u64 = 10 => between(0.0, 1000.0);
        /// The mappers of which the trace keeps samples; if empty, all.
        trace_ops: Names = Names::default();
        /// Whether the job only computes stats: filters drop nothing, deduplicators, selectors and
        /// groupers are left out, and the result is empty. The trace then has the stats of all rows,
        /// and what each filter would do. `auto`: in place of `process`, all filters that need
        /// nothing but the text. `djhost analyze` sets it.
        analysis: AnalysisMode = AnalysisMode::Off;
        /// The share of the rows that an analysis looks at, chosen by a hash of the row's place.
        analysis_ratio: f64 = 1.0 => between(0.0, 1.0);
        /// What must hold at the end, each as a range: `{rows_out: {min: 1000}, kept: {min: 0.2},
        /// quarantined: {max: 0.01}, dropped.text_length_filter: {max: 0.5}, stat.num_words.p50: {min:
        /// 50}}`. `rows_in` and `rows_out` are numbers of rows, `kept` and `quarantined` shares of the
        /// rows of the input, `dropped.OP` the share of the rows that came to the operator;
        /// `stat.KEY.p50` is a percentile of the stat in the rows of the result (`p1` to `p99`, `min`,
        /// `max`). If something does not hold, the exit code is 5; with `block_export: true` nothing is
        /// exported then.
        expect: Raw = Raw(Value::Null);
        /// Size of the batches that pass through the operators, in KB. Batches that fit the
        /// processor's cache are fastest.
        batch_size_kb: u64 = 512 => between(16.0, 65_536.0);
        /// Largest row, in MB; larger rows go to quarantine. A worker takes about three times a
        /// huge row of memory while it passes, and about eight times where an operator changes it;
        /// what the operator takes of that is bounded by `op_limits.memory_mb`.
        max_row_mb: u64 = 256 => between(1.0, 1024.0);
        /// Largest window of a zstd file of the dataset, in MB: the memory that unpacking one file
        /// may take. Files of `zstd --long=31` need 2048.
        zstd_window_mb: u64 = 128 => between(8.0, 2048.0);
        /// Memory for the tables in which deduplicators look up the fingerprints of all rows, in
        /// MB. If not all rows fit, the keys are read from disk several times; beyond eight times
        /// they are sorted into files first.
        resolver_memory_mb: u64 = 1024 => between(1.0, 1_048_576.0);
        /// Seed of everything random, including the random numbers that operators see.
        seed: u64 = 42;
        /// Directories with operator components (`*.wasm`), searched recursively, on this machine or
        /// in buckets (`s3://BUCKET/PREFIX`). Several are a list,
        /// also in the variable: `DJHOST_PLUGINS='[first, second]'`.
        plugins: Texts = Texts::default();
        /// Whether a run is refused if the components of a plugin directory are not those that its
        /// `plugins.lock` pins (`djhost ops lock`).
        check_plugins_lock: bool = true;
        /// Operators of plugins that replace built-in ones of the same name:
        /// `[text_length_filter]`. A recipe that uses one that is not listed here is refused.
        allow_override: Names = Names::default();
        /// Directories with model files for the operators that use one, under the names that
        /// Data-Juicer has for them: `en.sp.model`, `en.arpa.bin`, `lid.176.bin`. Several are a list,
        /// or the option several times: `--model-dir DIR`. An address, such as `s3://BUCKET/models` or
        /// `hf://OWNER/NAME`, is one, too.
        model_dir: Texts = Texts::default();
        /// Model files by a name that parameters of operators may use in place of a path: `{quality:
        /// models/quality.bin}`, `{quality: hf://OWNER/NAME/quality.bin}`. A file with a name of
        /// Data-Juicer's, such as `en.arpa.bin`, is taken in place of the one in `model_dir`.
        models: Paths = Paths::default();
        /// The least severe messages in the log.
        log_level: LogLevel = LogLevel::Info;
        /// Which records of WARC files become rows, and with which fields.
        warc: Warc = Warc::default();
        /// How the dataset is split: partitions are the unit of work, of retry and of checkpoints.
        partition: Partition = Partition::default();
        /// After which operators the rows of each partition are saved, so that a job that was
        /// stopped or killed continues from there.
        checkpoint: Checkpoint = Checkpoint::default();
        /// How checkpoints are stored, and which of them are kept.
        intermediate_storage: IntermediateStorage = IntermediateStorage::default();
        /// The machine-readable event log.
        event_logging: EventLogging = EventLogging::default();
        /// Limits for the sandbox of each operator.
        op_limits: OpLimits = OpLimits::default();
        /// Whether operators are checked to give the same answer again.
        determinism: Determinism = Determinism::default();
        /// The description of the result for dataset hubs.
        croissant: Croissant = Croissant::default();
        /// How a result with `export_path: hf://datasets/OWNER/NAME` is put on the Hugging Face hub.
        push_to_hub: PushToHub = PushToHub::default();
        /// Whether a new job is refused if its disks have no room for what it would write if no row
        /// were dropped.
        check_free_space: bool = true;
        /// Directory for the logs; by default `logs` in the run directory. `{job_id}` and
        /// `{work_dir}` are replaced; if neither is used, the name of the job is added.
        event_log_dir: Option<String> = None;
        /// Directory for checkpoints, with the same replacements; by default `checkpoints` in the
        /// run directory. Otherwise the run directory has a link to it.
        checkpoint_dir: Option<String> = None;
        /// Directory for unpacked input, with the same replacements; by default `partitions` in the
        /// run directory.
        partition_dir: Option<String> = None;
        /// The operators, in order: a list of `- name:` with the parameters below it. Each may also
        /// have its own `limits: {memory_mb, timeout_s, row_timeout_s, output_ratio, row_output_kb,
        /// job_output_mb}`, `grants: {read_dirs, env, media, models, seed}` and `on_error`.
        process: Raw = Raw(json!([]));
    }
}

impl Config {
    /// Returns all options and sections with their current values, in the order of the declaration.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.visit("", "", ANY, &mut |entry| entries.push(entry));
        entries
    }

    /// Sets the option with a dotted key.
    pub fn set(&mut self, key: &str, given: &Given, append: bool) -> Result<(), SetError> {
        Node::set(self, key, given, append, ANY)
    }

    /// Returns all options as nested JSON, in the order of the declaration.
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

    /// Returns the number of worker threads.
    pub fn workers(&self) -> usize {
        match self.np {
            Some(np) => np as usize,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// Returns the field that operators work on unless they name another.
    pub fn text_key(&self) -> &str {
        self.text_keys.0.first().map_or("text", String::as_str)
    }

    /// Returns what happens to rows that an operator cannot process; takes `skip_op_error` into
    /// account.
    pub fn on_error(&self) -> OnError {
        self.on_error.unwrap_or(match self.skip_op_error {
            Some(false) => OnError::Fail,
            _ => OnError::Quarantine,
        })
    }

    /// Returns the strategy in effect; takes `checkpoint.enabled` into account.
    pub fn strategy(&self) -> Strategy {
        if self.checkpoint.enabled {
            self.checkpoint.strategy
        } else {
            Strategy::Disabled
        }
    }

    /// Returns the mode in effect: `num_of_partitions: auto` means auto.
    pub fn partition_mode(&self) -> PartitionMode {
        match self.partition.num_of_partitions {
            Some(Count::Auto) => PartitionMode::Auto,
            _ => self.partition.mode,
        }
    }

    /// Returns the options that decide how the input becomes rows, for lineage keys.
    pub fn reader_json(&self) -> Value {
        let mut reader = json!({ "max_row_mb": self.max_row_mb });
        // Keys of jobs that leave it alone stay as they were before there was this section.
        if self.warc != Warc::default() {
            reader["warc"] = self.to_json()["warc"].clone();
        }
        reader
    }
}
