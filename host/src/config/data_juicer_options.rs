//! Options of Data-Juicer that djhost does not have, so that Data-Juicer's recipes run unchanged.
//! An option that changes no row is accepted with a note; one that would change the result is
//! refused as soon as it asks for something.

use serde_json::Value;

/// How djhost treats one of these options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    /// Accepted. The text says why it has no effect.
    Ignored(&'static str),
    /// Refused unless it is off (false, null, empty). The text says what to do instead.
    Refused(&'static str),
    /// A mapping: the listed keys are accepted with the first text, all others are refused with the
    /// second.
    Mapping(&'static [&'static str], &'static str, &'static str),
}

use Foreign::{Ignored, Mapping, Refused};

const GPU: Foreign = Ignored("there are no GPU operators");
const CACHE: Foreign = Ignored("rows stream from the input, so there is no cache");
const PYTHON: Foreign = Ignored("it is about Python processes");
const PACKAGES: Foreign = Ignored("operators are components, which need no Python packages");
const FUSION: Foreign = Ignored(
    "operators between two checkpoints always run fused, batch by batch; `reorder` decides whether cheap filters run first",
);
const ANALYZER: Foreign = Ignored("it is about Data-Juicer's analyzer");
const TRACE: Foreign = Ignored(
    "rows are always traced, unless `trace: off` says otherwise; `djhost explain` and `djhost dropped` show what became of them",
);
const CLUSTER: Foreign = Ignored("partitions are spread over this machine's threads (`np`)");
const SANDBOX: Foreign =
    Ignored("it is about Data-Juicer's sandbox, which trains and evaluates models");
const OPTIMIZER: Foreign = Ignored("operators run in the order of the recipe");
const STREAMS: Foreign =
    Ignored("intermediate files are written and read in batches of `batch_size_kb`");
const RETRIES: Foreign =
    Ignored("a failed partition is always tried again; `task_retries` says how often");
const EVENTS: Foreign = Ignored("an attempt's events are one file");
const THREADS: Foreign = Ignored("all operators run on `np` threads");
const CRYPT: Foreign =
    Refused("djhost does not encrypt; decrypt the input first, and encrypt the result afterwards");

/// All options of the parser of Data-Juicer 1.6.1, and those of older recipes, that djhost does not
/// have.
pub(crate) const FOREIGN: &[(&str, Foreign)] = &[
    ("auto", ANALYZER),
    ("auto_num", ANALYZER),
    ("hpo_config", SANDBOX),
    ("percentiles", ANALYZER),
    ("export_original_dataset", ANALYZER),
    ("save_stats_in_one_file", ANALYZER),
    ("data_probe_algo", SANDBOX),
    ("data_probe_ratio", SANDBOX),
    ("open_insight_mining", ANALYZER),
    ("op_list_to_mine", ANALYZER),
    (
        "keep_hashes_in_res_ds",
        Ignored(
            "fingerprints are kept apart from the rows, in the run directory, and are not Data-Juicer's hashes",
        ),
    ),
    (
        "load_jsonl_lenient",
        Ignored("lines that are not JSON always go to quarantine"),
    ),
    ("use_dag", Ignored("the plan is always made and written")),
    (
        "strict_preflight",
        Ignored("the whole recipe is always checked before work starts"),
    ),
    (
        "generated_dataset_config",
        Refused("name the dataset with `dataset_path`"),
    ),
    (
        "load_dataset_kwargs",
        Mapping(
            &[
                "num_proc",
                "cache_dir",
                "chunksize",
                "download_mode",
                "keep_in_memory",
                "streaming",
                "token",
                "trust_remote_code",
                "verification_mode",
            ],
            "rows stream from the input on `np` threads",
            "formats and delimiters are recognised by the content of a file, and all columns are read: remove the key, and change the file before \
             if it must be read otherwise",
        ),
    ),
    (
        "dataset_config",
        Refused("write what it says below `dataset:`"),
    ),
    (
        "read_options",
        Ignored("rows stream from the input in batches of `batch_size_kb`"),
    ),
    (
        "override_num_blocks",
        Ignored("`partition` says how the dataset is split"),
    ),
    (
        "suffixes",
        Refused("name the files with a glob in `dataset_path`, like `data/*.jsonl`"),
    ),
    (
        "export_in_parallel",
        Ignored("the result is always encoded in parallel"),
    ),
    (
        "export_extra_args",
        Refused("there are no extra arguments for `jsonl`, `json`, `parquet` and `arrow`"),
    ),
    ("decrypt_after_reading", CRYPT),
    ("encrypt_before_export", CRYPT),
    ("encryption_key_path", CRYPT),
    ("turbo", PYTHON),
    ("use_cache", CACHE),
    ("ds_cache_dir", CACHE),
    ("cache_compress", CACHE),
    (
        "temp_dir",
        Ignored("temporary files are in the run directory"),
    ),
    (
        "open_monitor",
        Ignored("`djhost monitor` is always available"),
    ),
    (
        "use_checkpoint",
        Ignored("checkpoints are configured by `checkpoint`, and are on by default"),
    ),
    ("open_tracer", TRACE),
    (
        "trace_keys",
        Ignored("`djhost dropped --export` writes whole rows, with all of their fields"),
    ),
    ("min_common_dep_num_to_combine", PACKAGES),
    ("conflict_resolve_strategy", PACKAGES),
    ("op_fusion", FUSION),
    ("fusion_strategy", FUSION),
    ("mapper_fusion", FUSION),
    ("mapper_fusion_vram_limit", GPU),
    (
        "adaptive_batch_size",
        Ignored("batches are cut by bytes (`batch_size_kb`)"),
    ),
    ("elastic_juicer_adaptive_batching", GPU),
    ("elastic_juicer_profile_seed", GPU),
    ("auto_op_parallelism", THREADS),
    (
        "custom_operator_paths",
        Refused(
            "Python operators do not run here; build them as components and name their directory with `plugins`",
        ),
    ),
    ("debug", Ignored("use `log_level: debug`")),
    ("partition.partitions_per_node", CLUSTER),
    ("partition.max_concurrent_partitions", CLUSTER),
    ("partition.max_gpu_workers_per_device", GPU),
    ("partition.max_concurrent_gpu_probes", GPU),
    ("partition.gpu_preflight_enabled", GPU),
    ("partition.gpu_probe_timeout_seconds", GPU),
    ("partition.gpu_probe_warmup_batches", GPU),
    ("partition.gpu_probe_steady_batches", GPU),
    ("partition.gpu_probe_sample_offset", GPU),
    ("partition.gpu_probe_sample_shuffle", GPU),
    ("partition.gpu_probe_sample_seed", GPU),
    ("partition.execution_group_size", GPU),
    ("partition.max_initialization_overhead_ratio", GPU),
    (
        "add_suffix",
        Ignored(
            "rows do not get the suffix of their file as `__dj__suffix__`, and `suffix_filter` sees only what a row has; choose files by a glob \
             in `dataset_path`, like `data/*.txt`",
        ),
    ),
    // Options of earlier versions.
    (
        "notification",
        Ignored(
            "djhost sends no messages: it has no network; wait for the exit code, or watch the job with `djhost monitor`",
        ),
    ),
    (
        "annotation",
        Ignored(
            "there is no operator that talks to Label Studio; upload the result, and go on with what Label Studio exports",
        ),
    ),
    (
        "resource_optimization",
        Ignored("partitions are sized by themselves with `partition: {mode: auto}`"),
    ),
    ("partition.enable_fault_tolerance", RETRIES),
    ("partition.max_retries", RETRIES),
    ("partition.retry_backoff", RETRIES),
    ("partition.auto_configure", Ignored("use `partition.mode`")),
    (
        "partition.method",
        Ignored("rows keep their order, and partitions are consecutive"),
    ),
    ("enable_fault_tolerance", RETRIES),
    ("max_retries", RETRIES),
    ("enable_optimizer", OPTIMIZER),
    ("optimizer_strategies", OPTIMIZER),
    ("filter_list_to_mine", ANALYZER),
    ("data_process_type", SANDBOX),
    ("experiment_name", SANDBOX),
    ("data_eval_config", SANDBOX),
    ("eval_config", SANDBOX),
    ("model_eval_config", SANDBOX),
    ("model_infer_config", SANDBOX),
    ("model_train_config", SANDBOX),
    ("path_k_sigma_recipe", SANDBOX),
    ("path_model_feedback_recipe", SANDBOX),
    (
        "text_keys_to_load",
        Refused(
            "remove it: all fields of a row stay; `text_keys` names the one that operators read",
        ),
    ),
    (
        "fix_data_num",
        Refused("put `random_selector` with `select_num` first in `process`"),
    ),
    ("arrow_batch_size", STREAMS),
    ("arrow_memory_mapping", STREAMS),
    ("use_arrow_batches", STREAMS),
    ("intermediate_storage.arrow_batch_size", STREAMS),
    ("intermediate_storage.arrow_memory_mapping", STREAMS),
    ("intermediate_storage.parquet_batch_size", STREAMS),
    ("intermediate_storage.use_arrow_batches", STREAMS),
    (
        "intermediate_storage.max_retention_days",
        Ignored("`retention_policy` decides at the end of a job, and nothing runs later"),
    ),
    (
        "intermediate_storage.write_partitions",
        Ignored("partitions are byte ranges of the input and are not copied"),
    ),
    (
        "intermediate_storage.cleanup_temp_files",
        Ignored("temporary files never stay"),
    ),
    (
        "intermediate_storage.cleanup_on_success",
        Ignored("use `retention_policy`"),
    ),
    ("event_logging.max_log_size_mb", EVENTS),
    ("event_logging.backup_count", EVENTS),
    ("max_log_size_mb", EVENTS),
    ("backup_count", EVENTS),
    ("memory_limit", Ignored("use `op_limits.memory_mb`")),
];

/// Old names of options that djhost has, with their present names.
pub(crate) const RENAMED: &[(&str, &str)] = &[
    ("partition_size", "partition.size"),
    ("num_partitions", "partition.num_of_partitions"),
    ("partition.rows", "partition.size"),
    ("partition.size_in_mb", "partition.target_size_mb"),
    ("max_partition_size_mb", "partition.max_size_mb"),
    (
        "preserve_intermediate_data",
        "intermediate_storage.preserve_intermediate_data",
    ),
    ("storage_format", "intermediate_storage.format"),
    ("text_key_to_process", "text_keys"),
    ("trace_num", "trace_samples"),
    ("op_list_to_trace", "trace_ops"),
];

impl Foreign {
    /// Returns what an option given as `value` leads to: a note (Ok), advice for an error (Err), or
    /// nothing if the value asks for nothing.
    pub(crate) fn given(self, value: &Value) -> Option<Result<String, String>> {
        if is_off(value) {
            return None;
        }
        Some(match self {
            Ignored(why) => Ok(format!("has no effect here: {why}")),
            Refused(instead) => Err(instead.to_owned()),
            Mapping(accepted, why, instead) => match value
                .as_object()
                .and_then(|map| map.keys().find(|k| !accepted.contains(&k.as_str())))
            {
                Some(key) => Err(format!("`{key}`: {instead}")),
                None => Ok(format!("has no effect here: {why}")),
            },
        })
    }
}

/// Returns how `key` is treated if it is an option of Data-Juicer or lies below one:
/// `notification.email.enabled`.
pub(crate) fn foreign(key: &str) -> Option<Foreign> {
    let is_it = |name: &str| {
        key.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    FOREIGN
        .iter()
        .find(|(name, _)| is_it(name))
        .map(|(_, what)| *what)
}

/// Parameters that all operators of Data-Juicer have and djhost's do not.
const OF_EVERY_OP: &[(&str, Foreign)] = &[
    ("accelerator", GPU),
    (
        "adaptive_batching",
        Ignored("batches are cut by bytes (`batch_size_kb`)"),
    ),
    ("auto_op_parallelism", THREADS),
    ("batch_mode", PYTHON),
    ("batch_size", PYTHON),
    ("cpu_required", THREADS),
    ("gpu_required", GPU),
    (
        "index_key",
        Refused("no operator numbers rows: write the numbers to a field beforehand"),
    ),
    (
        "input_columns",
        Ignored("an operator says itself which fields it reads"),
    ),
    ("mem_required", Ignored("use `limits: {memory_mb: N}`")),
    ("memory", Ignored("use `limits: {memory_mb: N}`")),
    (
        "notification_config",
        Ignored(
            "djhost sends no messages: it has no network; wait for the exit code, or watch the job with `djhost monitor`",
        ),
    ),
    ("num_cpus", THREADS),
    ("num_gpus", GPU),
    ("num_proc", THREADS),
    (
        "output_columns",
        Ignored("an operator says itself which fields it writes"),
    ),
    ("ray_execution_mode", THREADS),
    ("runtime_env", PACKAGES),
    (
        "stats_export_path",
        Ignored("use `keep_stats_in_res_ds`, which keeps the stats in the rows of the result"),
    ),
    ("turbo", PYTHON),
    (
        "work_dir",
        Ignored("the job's `work_dir` applies to all operators"),
    ),
];

/// Returns how a parameter is treated that every operator of Data-Juicer takes.
pub(crate) fn of_every_op(param: &str) -> Option<Foreign> {
    OF_EVERY_OP
        .iter()
        .find(|(name, _)| *name == param)
        .map(|(_, what)| *what)
}

/// Field names that Data-Juicer accepts for every operator, though few operators read them. They
/// are not part of [`of_every_op`], since a plugin may have a parameter of this name. An operator
/// that does not have it gets a note.
const FIELD_KEYS: [&str; 6] = [
    "history_key",
    "instruction_key",
    "prompt_key",
    "query_key",
    "response_key",
    "system_key",
];

/// Returns whether `param` names a field for the operators that read it and does nothing for all
/// others.
pub fn is_field_key(param: &str) -> bool {
    FIELD_KEYS.contains(&param)
}

/// Returns whether `param` names a directory into which Data-Juicer downloads word lists if they are not
/// there.
pub fn is_filled_by_data_juicer(param: &str) -> bool {
    matches!(param, "stopwords_dir" | "flagged_words_dir")
}

/// Returns whether a value asks for nothing.
pub(crate) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    }
}
