//! `djhost ops …`: the operators, and tools for those who write them.

mod build;
mod check;
mod example;
mod list;
mod lock;
mod new;
mod run;
mod show;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value};

use crate::config::{ENV_PREFIXES, Need, expand_home, resolve};
use crate::error::{UserError, UserErrors};
use crate::wasm::{OpEntry, Registry, Replace, check_dirs};

/// List, show, try, check and make operators
#[derive(Debug, Clone, clap::Args)]
pub struct OpsArgs {
    #[command(subcommand)]
    command: OpsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum OpsCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Run(run::RunArgs),
    Check(check::CheckArgs),
    New(new::NewArgs),
    Build(build::BuildArgs),
    Lock(lock::LockArgs),
}

#[derive(Debug, Clone, Default, clap::Args)]
struct Plugins {
    /// Directory with operator components (*.wasm), searched recursively, or one such file; may be
    /// given several times [default: those of DJHOST_PLUGINS]
    #[arg(long = "plugins", value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Operator of a plugin that takes the place of the built-in one of the same name; may be given
    /// several times
    #[arg(
        long,
        alias = "allow_override",
        value_name = "NAME",
        value_delimiter = ','
    )]
    allow_override: Vec<String>,
}

/// Where operators come from, after the environment was taken into account.
struct Given {
    dirs: Vec<PathBuf>,
    /// Where these were named.
    place: String,
    replace: Vec<String>,
}

impl Plugins {
    /// Returns what the arguments say, or else the variables that also apply to a recipe:
    /// `DJHOST_PLUGINS`, `DJHOST_ALLOW_OVERRIDE`.
    fn given(&self) -> Result<Given> {
        let mut given = given()?;
        if !self.dirs.is_empty() {
            // No shell puts the home directory into `--plugins=~/ops`.
            let expanded = |dir: &PathBuf| match dir.to_str() {
                Some(text) => PathBuf::from(&*expand_home(text)),
                None => dir.clone(),
            };
            given.dirs = self.dirs.iter().map(expanded).collect();
            "--plugins".clone_into(&mut given.place);
        }
        check_dirs(&given.dirs, &given.place)?;
        if !self.allow_override.is_empty() {
            given.replace.clone_from(&self.allow_override);
        }
        Ok(given)
    }
}

/// Returns what the environment says.
fn given() -> Result<Given> {
    const KEYS: [&str; 2] = ["PLUGINS", "ALLOW_OVERRIDE"];
    let is_meant = |name: &OsStr| {
        ENV_PREFIXES.iter().any(|prefix| {
            KEYS.iter()
                .any(|key| name == OsStr::new(&format!("{prefix}{key}")))
        })
    };
    let variables = std::env::vars_os().filter(|(name, _)| is_meant(name));
    let resolved = resolve(None, variables, &[], Need::Anything)?;
    let (place, config) = (resolved.place("plugins"), resolved.config);
    Ok(Given {
        place,
        dirs: config.plugins.0.iter().map(PathBuf::from).collect(),
        replace: config.allow_override.0,
    })
}

impl Given {
    /// Loads all operators.
    fn load_all(&self) -> Result<Registry> {
        Registry::load(&self.dirs, Replace::These(&self.replace))
    }

    /// Loads these operators, and others in the same components.
    fn load(&self, names: &[&str]) -> Result<Registry> {
        Registry::load_for(&self.dirs, Replace::These(&self.replace), names)
    }
}

/// Runs the subcommand and returns the exit code.
pub fn run(args: &OpsArgs) -> Result<u8> {
    match &args.command {
        OpsCommand::List(args) => list::run(args),
        OpsCommand::Show(args) => show::run(args),
        OpsCommand::Run(args) => run::run(args),
        OpsCommand::Check(args) => check::run(args),
        OpsCommand::New(args) => new::run(args),
        OpsCommand::Build(args) => build::run(args),
        OpsCommand::Lock(args) => lock::run(args),
    }
}

/// Fails unless there is a file: a pipe would make everybody wait, and ends after the first reader.
fn check_is_file(path: &Path) -> Result<(), UserError> {
    let what = match std::fs::metadata(path) {
        Ok(there) if there.is_file() => return Ok(()),
        Ok(there) if there.is_dir() => "this is a directory, not a file".to_owned(),
        Ok(_) => "this is a pipe, a device or a socket, not a file".to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            "there is no such file".to_owned()
        }
        Err(error) => format!("this file cannot be read: {error}"),
    };
    Err(UserError::new(path.display().to_string(), what))
}

/// Parses the object given with `--params`.
fn read_params(text: Option<&str>) -> Result<Map<String, Value>, UserError> {
    let Some(text) = text else {
        return Ok(Map::new());
    };
    let hint = "give an object, for instance --params '{\"min_len\": 10}'";
    match serde_json::from_str(text) {
        Ok(Value::Object(params)) => Ok(params),
        Ok(other) => {
            Err(UserError::new("--params", format!("`{other}` is not a JSON object")).hint(hint))
        }
        Err(error) => {
            Err(UserError::new("--params", format!("`{text}` is not JSON: {error}")).hint(hint))
        }
    }
}

/// Returns the parameters for an operator's `create`: checked, with the schema's defaults and the
/// common parameters.
fn full_params(
    entry: &OpEntry,
    params: &Map<String, Value>,
) -> Result<Map<String, Value>, UserErrors> {
    // The check knows the flags and the seed among the common parameters. Keys of fields are set by
    // recipes.
    let (keys, own): (Map<_, _>, Map<_, _>) = params
        .clone()
        .into_iter()
        .partition(|(name, _)| is_key(entry, name));
    let checked = crate::config::check_params(&entry.descriptor.params_schema, &own, |name| {
        format!("--params {name}")
    })
    .map_err(UserErrors)?;
    let mut full = crate::config::common_params(checked);
    full.extend(keys);
    Ok(full)
}

fn is_key(entry: &OpEntry, name: &str) -> bool {
    let declared = entry
        .descriptor
        .params_schema
        .get("properties")
        .is_some_and(|p| p.get(name).is_some());
    !declared && ["text_key", "image_key", "audio_key", "video_key"].contains(&name)
}

/// Returns what an operator and its component say about themselves.
fn to_json(entry: &OpEntry) -> Value {
    let c = &entry.component;
    serde_json::json!({
        "name": entry.descriptor.name, "kind": entry.descriptor.kind, "summary": entry.descriptor.summary, "cost": entry.descriptor.cost,
        "params_schema": entry.descriptor.params_schema, "source": c.source.to_string(), "digest": c.digest, "wit_version": c.wit_version,
    })
}
