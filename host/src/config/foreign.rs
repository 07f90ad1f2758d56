//! Data-Juicer's options that mean nothing here. Its recipes run as they are: an option that changes no row is accepted with a note; one
//! that would change the result is refused as soon as it asks for something.

use serde_json::Value;

/// What becomes of an option of Data-Juicer that djhost has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    /// Accepted; the text says why it has no effect.
    Ignored(&'static str),
    /// Refused unless it is off (false, null, empty); the text says what to do instead.
    Refused(&'static str),
}

use Foreign::{Ignored, Refused};

const GPU: Foreign = Ignored("there are no GPU operators");
const CACHE: Foreign = Ignored("rows stream from the input, so there is no cache");
const PYTHON: Foreign = Ignored("it is about Python processes");
const FUSION: Foreign = Ignored("operators between two checkpoints always run fused, batch by batch");
const ANALYZER: Foreign = Ignored("it is about Data-Juicer's analyzer");
const TRACE: Foreign = Ignored("counts per operator are in `job_summary.json`, rejected rows in `quarantine/`");
const CLUSTER: Foreign = Ignored("partitions are spread over this machine's threads (`np`)");
const CRYPT: Foreign = Refused("djhost does not encrypt; decrypt the input first, and encrypt the result afterwards");

/// The options of the parser of Data-Juicer 1.6.1, and those of older recipes, that are not options of djhost.
pub(super) const FOREIGN: &[(&str, Foreign)] = &[
    ("auto", ANALYZER),
    ("auto_num", ANALYZER),
    ("hpo_config", ANALYZER),
    ("percentiles", ANALYZER),
    ("export_original_dataset", ANALYZER),
    ("save_stats_in_one_file", ANALYZER),
    ("data_probe_algo", ANALYZER),
    ("data_probe_ratio", ANALYZER),
    ("open_insight_mining", ANALYZER),
    ("op_list_to_mine", ANALYZER),
    ("keep_hashes_in_res_ds", Ignored("fingerprints are kept apart from the rows, in the run directory")),
    ("load_jsonl_lenient", Ignored("lines that are not JSON always go to quarantine")),
    ("use_dag", Ignored("the plan is always made and written")),
    ("strict_preflight", Ignored("the whole recipe is always checked before work starts")),
    ("generated_dataset_config", Refused("name the dataset with `dataset_path`")),
    ("validators", Refused("check rows with filters in `process`")),
    ("load_dataset_kwargs", Ignored("formats are recognised by their content")),
    ("read_options", Ignored("rows stream from the input in batches of `batch_size_kb`")),
    ("override_num_blocks", Ignored("`partition` says how the dataset is split")),
    ("suffixes", Refused("name the files with a glob in `dataset_path`, like `data/*.jsonl`")),
    ("export_in_parallel", Ignored("the result is always encoded in parallel")),
    ("export_extra_args", Refused("there are no extra arguments for `jsonl`, `json`, `parquet` and `arrow`")),
    ("export_aws_credentials", Refused("export to a local path and copy from there")),
    ("decrypt_after_reading", CRYPT),
    ("encrypt_before_export", CRYPT),
    ("encryption_key_path", CRYPT),
    ("image_bytes_key", Ignored("operators read media from files")),
    ("image_special_token", Ignored("no operator uses it")),
    ("audio_special_token", Ignored("no operator uses it")),
    ("video_special_token", Ignored("no operator uses it")),
    ("eoc_special_token", Ignored("no operator uses it")),
    ("turbo", PYTHON),
    ("use_cache", CACHE),
    ("ds_cache_dir", CACHE),
    ("cache_compress", CACHE),
    ("temp_dir", Ignored("temporary files are in the run directory")),
    ("open_monitor", Ignored("`djhost monitor` is always available")),
    ("use_checkpoint", Ignored("checkpoints are configured by `checkpoint`, and are on by default")),
    ("open_tracer", TRACE),
    ("op_list_to_trace", TRACE),
    ("trace_num", TRACE),
    ("trace_keys", TRACE),
    ("min_common_dep_num_to_combine", PYTHON),
    ("conflict_resolve_strategy", PYTHON),
    ("op_fusion", FUSION),
    ("fusion_strategy", FUSION),
    ("mapper_fusion", FUSION),
    ("mapper_fusion_vram_limit", GPU),
    ("adaptive_batch_size", Ignored("batches are cut by bytes (`batch_size_kb`)")),
    ("elastic_juicer_adaptive_batching", GPU),
    ("elastic_juicer_profile_seed", GPU),
    ("auto_op_parallelism", Ignored("all operators run on `np` threads")),
    (
        "custom_operator_paths",
        Refused("Python operators do not run here; build them as components and name their directory with `plugins`"),
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
    // Of older versions' recipes.
    ("partition.enable_fault_tolerance", Ignored("a failed partition is always tried again (`task_retries`)")),
    ("partition.max_retries", Ignored("use `task_retries`")),
    ("intermediate_storage.write_partitions", Ignored("partitions are byte ranges of the input and are not copied")),
    ("intermediate_storage.cleanup_temp_files", Ignored("temporary files never stay")),
    ("intermediate_storage.cleanup_on_success", Ignored("use `retention_policy`")),
    ("event_logging.max_log_size_mb", Ignored("an attempt's events are one file")),
    ("event_logging.backup_count", Ignored("an attempt's events are one file")),
    ("memory_limit", Ignored("use `op_limits.memory_mb`")),
];

/// Old names of options that djhost has.
pub(super) const RENAMED: &[(&str, &str)] = &[("partition_size", "partition.size"), ("num_partitions", "partition.num_of_partitions")];

/// What becomes of `key`, if it is one of Data-Juicer's.
pub(super) fn foreign(key: &str) -> Option<Foreign> {
    FOREIGN.iter().find(|(name, _)| *name == key).map(|(_, what)| *what)
}

/// Whether a value asks for nothing.
pub(super) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    }
}
