//! Plans a job: everything before its run directory is touched.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{places, room, shards};
use crate::config::{AnalysisMode, Need, Override, resolve};
use crate::data::input::csv_header::check_headers;
use crate::data::{Dataset, ExportOptions, ExportTarget};
use crate::plan::{self, Prepared};
use crate::rundir::ExportLock;
use crate::wasm::{Registry, Replace, check_dirs, check_locks};

/// Resolves the recipe, loads the operators and looks at the dataset. Every mistake of the user is
/// reported from here, before any work.
pub fn prepare(recipe: Option<&Path>, overrides: &[Override]) -> Result<Prepared> {
    let mut resolved = resolve(recipe, std::env::vars_os(), overrides, Need::Runnable)?;
    let config = resolved.config.clone();
    let plugins: Vec<PathBuf> = config.plugins.0.iter().map(PathBuf::from).collect();
    check_dirs(&plugins, &resolved.place("plugins"))?;
    if config.check_plugins_lock {
        check_locks(&plugins)?;
    }
    let names: Vec<&str> = resolved.ops.iter().map(|op| op.name.as_str()).collect();
    let replace = Replace::These(&config.allow_override.0);
    let registry = match config.analysis {
        AnalysisMode::Auto => Registry::load(&plugins, replace)?,
        _ => Registry::load_for(&plugins, replace, &names)?,
    };
    plan::analysis::choose(&mut resolved, &registry)?;
    let mut plan = plan::build(&mut resolved, &registry)?;
    let dataset = Dataset::open_with(
        &resolved.sources,
        Path::new("."),
        config.zstd_window_mb << 20,
    )?;
    check_headers(&dataset)?;
    let target = ExportTarget::new(
        &resolved.dirs.export_path,
        Some(resolved.export_type.word()),
        config.export_shard_size.0,
    )?;
    places::check(&target, &dataset, &resolved)?;
    let export = ExportOptions::new(
        &dataset,
        target.format,
        config.keep_stats_in_res_ds,
        plan.makes_json_rows(),
    )?;
    room::check(&resolved, &plan, &dataset, &target)?;
    let run_dir = std::path::absolute(&resolved.dirs.run_dir)?;
    let writer = ExportLock::holder(&target.beside("lock"))
        .filter(|owner| owner.run_dir != run_dir)
        .or_else(|| shards::rival(&target, &run_dir));
    if let Some(writer) = writer {
        plan.notes.push(format!(
            "job `{}` is writing to `{}` just now: until it has ended, a run is refused",
            writer.job_id,
            writer.export_path.display()
        ));
    }
    if let Some(schema) = export.schema() {
        plan::check_places(&plan, schema)?;
    }
    plan.notes.extend(export.notes());
    Ok(Prepared {
        plan,
        dataset,
        target,
        export,
        resolved,
    })
}
