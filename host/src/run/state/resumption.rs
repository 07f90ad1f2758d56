//! The command that resumes a job.

use crate::config::{AnalysisMode, ENV_PREFIXES, Origin};
use crate::plan::Prepared;

/// Options that `djhost analyze` sets by itself.
const OF_ANALYSES: [&str; 7] = [
    "analysis",
    "analysis_ratio",
    "expect",
    "export_path",
    "export_shard_size",
    "export_type",
    "process",
];

/// Returns the command that resumes the job, quoted for a shell.
pub(super) fn resumption(prepared: &Prepared) -> String {
    let resolved = &prepared.resolved;
    let is_analysis = prepared.plan.analysis.is_some();
    let command = if is_analysis { "analyze" } else { "run" };
    let mut words = vec!["djhost".to_owned(), command.to_owned()];
    words.extend(
        resolved
            .file
            .as_ref()
            .map(|file| file.display().to_string()),
    );
    words.extend(
        resolved
            .config
            .plugins
            .0
            .iter()
            .flat_map(|plugin| ["--plugins".to_owned(), plugin.clone()]),
    );
    for (key, origin) in &resolved.origins {
        if !matches!(origin, Origin::CommandLine(_))
            || matches!(key.as_str(), "job_id" | "resume" | "plugins")
            || is_analysis && OF_ANALYSES.contains(&key.as_str())
        {
            continue;
        }
        if let Some(entry) = resolved
            .config
            .entries()
            .into_iter()
            .find(|entry| entry.key == *key)
        {
            words.push(format!("--{key}"));
            words.push(
                entry
                    .value
                    .as_str()
                    .map_or_else(|| entry.value.to_string(), str::to_owned),
            );
        }
    }
    // Those of the environment are there again.
    for (key, value, place) in &resolved.params {
        if !ENV_PREFIXES.iter().any(|prefix| place.starts_with(prefix)) {
            words.push(format!("--{key}={value}"));
        }
    }
    if resolved.config.analysis == AnalysisMode::Auto {
        words.push("--auto".to_owned());
    }
    if let Some(ratio) = prepared.plan.analysis.filter(|ratio| *ratio < 1.0) {
        words.extend(["--sample".to_owned(), ratio.to_string()]);
    }
    words.extend(["--job_id".to_owned(), resolved.dirs.job_id.clone()]);
    // Joining fails only for NUL bytes, which no argument of a command can hold.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}
