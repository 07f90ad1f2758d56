//! `djhost ops …`: the operators, and tools for those who write them.

mod build;
mod check;
mod list;
mod lock;
mod new;
mod run;
mod show;

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value};

use crate::config::expand_home;
use crate::error::UserError;
use crate::models::Library;
use crate::ops::Given;

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

impl Plugins {
    /// Returns what the arguments say, or else the variables that also apply to a recipe:
    /// `DJHOST_PLUGINS`, `DJHOST_ALLOW_OVERRIDE`.
    fn given(&self) -> Result<Given> {
        Given::new(&self.dirs, &self.allow_override, "--plugins")
    }
}

#[derive(Debug, Clone, Default, clap::Args)]
struct Models {
    /// Directory with models for operators that use one, such as `lid.176.bin`; may be given several
    /// times [default: those of DJHOST_MODEL_DIR]
    #[arg(long = "model-dir", alias = "model_dir", value_name = "DIR")]
    model_dirs: Vec<String>,
}

impl Models {
    /// Returns the directories that the arguments name, or else `or`, those of the environment.
    fn library(&self, or: Vec<String>) -> (Vec<String>, Library) {
        // (Arguments are told by the names of fields, and `Plugins` has `dirs`.)
        let dirs = if self.model_dirs.is_empty() {
            or
        } else {
            self.model_dirs.clone()
        };
        let library = Library {
            dirs: dirs
                .iter()
                .map(|d| expand_home(d).as_ref().into())
                .collect(),
            ..Library::default()
        };
        (dirs, library)
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
