//! Plans a job: everything before its run directory is touched.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use arrow::datatypes::Fields;

use super::validate::validate;
use super::{places, room, shards};
use crate::config::{
    AnalysisMode, ENV_PREFIXES, ExportType, Need, Origin, Override, Place, Recipe, Resolved,
    carried, resolve_recipe,
};
use crate::data::columns::hugging_face::without_feature;
use crate::data::input::csv_header::check_headers;
use crate::data::{Dataset, ExportOptions, ExportTarget, PageSettings};
use crate::error::{UserError, of_plugins};
use crate::plan::{self, Plan, Prepared};
use crate::remote::given;
use crate::rundir::{ExportLock, RunPaths};
use crate::wasm::{Registry, Replace, check_dirs, check_locks, fetch_remote};

/// Resolves the recipe, loads the operators and looks at the dataset. Every mistake of the user is
/// reported from here, before any work.
pub fn prepare(recipe: Option<&Path>, overrides: &[Override]) -> Result<Prepared> {
    let recipe = Recipe::in_file(recipe);
    Draft::new(&recipe, overrides, Need::Runnable)?.prepare()
}

/// A job before its dataset is looked at. Recipe, options, operators and their parameters are
/// without mistakes.
///
/// A program that has the rows in memory [gives](Self::give) them to a draft: so it learns of
/// mistakes before it reads a row, and where the rows go.
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let work_dir = dir.path().to_str().unwrap();
/// use djhost::config::{Need, Override, Recipe};
/// use djhost::jobs::StopFlag;
/// use djhost::run::{Draft, GivenLines, Logs, RunOptions, Taken, result_files, run};
/// use serde_json::json;
///
/// let recipe = json!({"process": [{"text_length_filter": {"min_len": 10}}]});
/// let recipe = Recipe::Data(recipe.as_object().unwrap().clone());
/// let place = [Override::value("work_dir", work_dir.into())];
/// let mut draft = Draft::new(&recipe, &place, Need::Anything)?;
///
/// let paths = draft.run_dir()?;
/// let mut lines = GivenLines::new(&paths)?;
/// for text in ["a text of some length", "short"] {
///     lines.row(|out| anyhow::Ok(serde_json::to_writer(out, &json!({"text": text}))?))?;
/// }
/// draft.give(&lines.finish()?);
/// draft.take_result();
///
/// let logs = Logs::of_job(None, |warning| eprintln!("{warning}"))?;
/// let options = RunOptions { embedded: true, scratch: true, ..RunOptions::default() };
/// run(draft.prepare()?, &options, &logs, &StopFlag::new())?;
///
/// let files = result_files(&paths)?.expect("the job is complete");
/// let lines: Vec<u8> = Taken::open(&files)?.lines()?.collect::<Result<Vec<_>, _>>()?.concat();
/// assert_eq!(lines, b"{\"text\":\"a text of some length\"}\n");
/// # Ok(())
/// # }
/// ```
pub struct Draft {
    resolved: Resolved,
    plan: Plan,
    takes_result: bool,
    is_given: bool,
}

impl Draft {
    /// Resolves the recipe and loads the operators. With [`Need::Anything`] the dataset is still to
    /// be [given](Self::give); until then, operators find media in the working directory.
    pub fn new(recipe: &Recipe, overrides: &[Override], need: Need) -> Result<Self> {
        Self::of(
            resolve_recipe(recipe, std::env::vars_os(), overrides, need)?,
            need,
        )
    }

    /// The job `job_id` of which `recipe` has every option: the environment of this process gives none.
    pub(super) fn again(recipe: &Recipe, job_id: &str) -> Result<Self> {
        let is_option = |name: &OsStr| {
            let name = name.to_string_lossy();
            ENV_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        // Where another process has the work done is not this one's concern.
        let env = std::env::vars_os().filter(|(name, _)| !is_option(name) && name != "RAY_ADDRESS");
        let name = Override::value("job_id", job_id.into());
        let need = Need::Runnable;
        Self::of(resolve_recipe(recipe, env, &[name], need)?, need)
    }

    fn of(mut resolved: Resolved, need: Need) -> Result<Self> {
        given::give(&resolved.s3.0);
        if need == Need::Anything {
            resolved.sources = vec![".".to_owned()];
        }
        let registry = load(&resolved).map_err(of_plugins)?;
        plan::analysis::choose(&mut resolved, &registry)?;
        let plan = plan::build(&mut resolved, &registry)?;
        Ok(Self {
            resolved,
            plan,
            takes_result: false,
            is_given: false,
        })
    }

    /// Returns what the user should know of the recipe, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = [&self.resolved.notes, &self.plan.notes];
        notes.into_iter().flatten().cloned().collect()
    }

    /// Returns the run directory, which may not exist yet. Fails with a
    /// [`UserError`](crate::error::UserError) if something else is there.
    pub fn run_dir(&self) -> Result<RunPaths> {
        let paths = RunPaths::new(&self.resolved.dirs.run_dir);
        places::check_run_dir(&paths)?;
        Ok(paths)
    }

    /// Whether the job is for [`submit`](super::submit): it runs on a cluster that this machine is no
    /// node of.
    pub fn is_for_submitting(&self) -> bool {
        matches!(self.resolved.place.place, Place::Submit { .. })
    }

    pub(super) fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Makes `rows`, a file, the dataset.
    pub fn give(&mut self, rows: &Path) {
        let path = rows.display().to_string();
        self.resolved.config.dataset_path.0 = vec![path.clone()];
        self.resolved.sources = vec![path];
        self.resolved.wanted = Vec::new();
        self.is_given = true;
        let origin = Origin::CommandLine("--dataset_path".to_owned());
        self.resolved
            .origins
            .insert("dataset_path".to_owned(), origin);
    }

    /// Puts the result into the run directory, where the program takes it: an Arrow stream if the
    /// dataset has columns, or else JSON lines.
    pub fn take_result(&mut self) {
        self.takes_result = true;
    }

    /// Looks at the dataset and at the places that the job will write to.
    pub fn prepare(self) -> Result<Prepared> {
        self.look(true)
    }

    /// Looks at the dataset of a job that another process runs, and has checked.
    pub(super) fn prepare_again(self) -> Result<Prepared> {
        self.look(false)
    }

    fn look(self, checks_places: bool) -> Result<Prepared> {
        let Self {
            mut resolved,
            mut plan,
            takes_result,
            is_given,
        } = self;
        let config = resolved.config.clone();
        let mut dataset = Dataset::open_wanted(
            &resolved.sources,
            &resolved.wanted,
            Path::new("."),
            config.zstd_window_mb << 20,
        )?;
        dataset.pages = PageSettings::new(&config.warc);
        if is_given {
            // The file is not the user's.
            dataset.notes.clear();
        }
        check_headers(&dataset)?;
        if checks_places && dataset.is_splittable() {
            validate(&resolved, &dataset)?;
        }
        if takes_result {
            put_result(&mut resolved, dataset.is_columnar());
        }
        let mut target = ExportTarget::new(
            &resolved.dirs.export_path,
            Some(resolved.export_type.word()),
            config.export_shard_size.0,
        )?;
        target.remote.clone_from(&resolved.dirs.export_address);
        if target.split.is_some()
            && let Some(split) = single_split(&resolved)
        {
            target.split = Some(split);
        }
        if checks_places {
            check_program(&resolved)?;
            places::check(&target, &dataset, &resolved)?;
        }
        let export = ExportOptions::new(
            &dataset,
            target.format,
            config.keep_stats_in_res_ds,
            plan.makes_json_rows(),
        )?;
        let signatures = plan.ops.iter().map(|op| op.pool.signature());
        let made = signatures.flat_map(|signature| &signature.writes);
        let export = export.with_made(made.map(|field| (field.path.clone(), field.ty)));
        if checks_places {
            room::check(&resolved, &plan, &dataset, &target)?;
            plan.notes.extend(rival(&target, &resolved)?);
        }
        if let Some(schema) = export.schema() {
            if target.split.is_some() {
                plan.notes.extend(unreadable(schema.fields()));
            }
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
}

/// Fails if other processes are to run tasks and nobody has said how to start one.
fn check_program(resolved: &Resolved) -> Result<()> {
    if let Place::Cluster(address) = &resolved.place.place {
        let is_alone =
            || crate::wasm::program().is_some_and(|program| program == ["/proc/self/exe"]);
        return match &resolved.config.ray.binary {
            Some(binary) if !Path::new(binary).is_file() => Err(UserError::new(
                resolved.place("ray.binary"),
                format!("`{binary}` is not a file"),
            )
            .hint("name the djhost program that the nodes are to run, or remove it: they get this one")
            .into()),
            None if !is_alone() => Err(UserError::new(
                resolved.place("ray_address"),
                format!("the nodes of `{address}` cannot run this program, which is not djhost itself"),
            )
            .hint("name a djhost program of the same version by `ray.binary`, or set `ray_address: local`")
            .into()),
            _ => Ok(()),
        };
    }
    if resolved.config.worker_processes > 0 && crate::wasm::program().is_none() {
        return Err(UserError::new(
            resolved.place("worker_processes"),
            "this program has not said how djhost is started, which runs tasks in other processes",
        )
        .hint("set it to 0, or call `djhost::run::compile_with` first")
        .into());
    }
    Ok(())
}

/// A sentence about another job that writes to the same place.
fn rival(target: &ExportTarget, resolved: &Resolved) -> Result<Option<String>> {
    let run_dir = std::path::absolute(&resolved.dirs.run_dir)?;
    let writer = ExportLock::holder(&target.beside("lock"))
        .filter(|owner| owner.run_dir != run_dir)
        .or_else(|| shards::rival(target, &run_dir));
    Ok(writer.map(|writer| {
        format!(
            "job `{}` is writing to `{}` just now: until it has ended, a run is refused",
            writer.job_id,
            writer.export_path.display()
        )
    }))
}

/// The split that is read, if it is one: the result is that split, too.
fn single_split(resolved: &Resolved) -> Option<String> {
    let first = resolved.wanted.first()?;
    let is_one = resolved.wanted.iter().all(|wanted| wanted == first);
    let split = first.split.clone().filter(|_| is_one)?;
    let is_name = split
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    (is_name && split != "all").then_some(split)
}

/// A sentence about columns that `datasets` cannot read.
fn unreadable(fields: &Fields) -> Option<String> {
    let columns = without_feature(fields);
    (!columns.is_empty()).then(|| {
        format!(
            "`datasets` has no feature for the type of {}: `load_dataset` will refuse the result, other readers of Parquet will not",
            columns.join(", ")
        )
    })
}

fn load(resolved: &Resolved) -> Result<Registry> {
    let config = &resolved.config;
    let plugins = config.plugins.0.iter().map(PathBuf::from);
    let plugins: Vec<PathBuf> = plugins.map(carried).collect();
    let plugins = fetch_remote(&plugins, &resolved.place("plugins"))?;
    check_dirs(&plugins, &resolved.place("plugins"))?;
    if config.check_plugins_lock {
        check_locks(&plugins)?;
    }
    let names: Vec<&str> = resolved.ops.iter().map(|op| op.name.as_str()).collect();
    let replace = Replace::These(&config.allow_override.0);
    match config.analysis {
        AnalysisMode::Auto => Registry::load(&plugins, replace),
        _ => Registry::load_for(&plugins, replace, &names),
    }
}

/// Sets the place of the result, and its format.
fn put_result(resolved: &mut Resolved, is_columnar: bool) {
    let (ty, ext) = match is_columnar {
        true => (ExportType::Arrow, "arrow"),
        false => (ExportType::Jsonl, "jsonl"),
    };
    let path = RunPaths::new(&resolved.dirs.run_dir).taken_result(ext);
    resolved.export_type = ty;
    resolved.config.export_path = path.display().to_string();
    resolved.dirs.export_path = path;
    resolved.dirs.export_address = None;
    let origin = Origin::CommandLine("--export_path".to_owned());
    resolved.origins.insert("export_path".to_owned(), origin);
}
