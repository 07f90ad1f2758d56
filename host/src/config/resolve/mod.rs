//! Resolves the configuration: combines all sources, keeps the origin of each value, and checks the
//! result as a whole.

mod conflicts;
mod export_type;
mod origin;
mod set;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value};

use super::choices::ExportType;
use super::declare::Entry;
use super::home::Home;
use super::job::{JobDirs, job_dirs};
use super::options::Config;
use super::overrides::{Override, env_overrides};
use super::ray::{self, Chosen as ChosenPlace};
use super::recipe::{OpSpec, ParamOverride, read_process, user_error};
use super::s3_settings::{self, S3Settings};
use super::sources::{Wanted, read_sources};
use super::validators::{Validator, read_validators};
use super::yaml::Document;
use crate::error::{UserError, UserErrors};
use export_type::export_type;
pub use origin::Origin;

/// How complete a configuration must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It has a dataset and a result that can be written: the job is going to run.
    Runnable,
    /// Nothing is required: it is only shown.
    Anything,
}

/// A configuration without mistakes, and everything derived from it.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// All options.
    pub config: Config,
    /// The operators of `process`, parameter overrides included.
    pub ops: Vec<OpSpec>,
    /// Paths of the dataset.
    pub sources: Vec<String>,
    /// What is read of each of them, if it has several configurations or splits.
    pub wanted: Vec<Wanted>,
    /// What the first rows of the dataset must be like.
    pub validators: Vec<Validator>,
    /// What stores of S3 are opened with where the environment says nothing.
    pub s3: S3Settings,
    /// Format of the result.
    pub export_type: ExportType,
    /// Who works on partitions.
    pub place: ChosenPlace,
    /// Name and directories of the job.
    pub dirs: JobDirs,
    /// Origin of every option that was given, by dotted key.
    pub origins: BTreeMap<String, Origin>,
    /// Notes for the user, such as options without effect and guesses. Each names its place.
    pub notes: Vec<String>,
    /// Path of the recipe.
    pub file: Option<PathBuf>,
    /// The recipe, if a program gave it as data.
    pub data: Option<Map<String, Value>>,
    /// Parameters of operators given outside of the recipe, each with its key
    /// (`text_length_filter.min_len`) and the place that gave it.
    pub params: Vec<(String, Value, String)>,
}

impl Resolved {
    /// Returns where the value of an option comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Returns the place where an option was given, for mistakes found later: `recipe.yaml:3: np`,
    /// `--np`, `DJHOST_NP`.
    pub fn place(&self, key: &str) -> String {
        match self.origin(key) {
            Origin::Default | Origin::Data => key.to_owned(),
            file @ Origin::File { .. } => format!("{file}: {key}"),
            Origin::Env(source) | Origin::CommandLine(source) => source,
        }
    }
}

/// A recipe before it is read.
#[derive(Debug, Clone, Default)]
pub enum Recipe {
    /// None: what is not given elsewhere has its default.
    #[default]
    None,
    /// A YAML file.
    File(PathBuf),
    /// What a YAML file would hold, given by a program. Places in errors are paths in it:
    /// `process[3].text_length_filter.min_len`.
    Data(Map<String, Value>),
}

impl Recipe {
    /// The recipe in `file`, if there is one.
    pub fn in_file(file: Option<&Path>) -> Self {
        file.map_or(Self::None, |file| Self::File(file.to_owned()))
    }
}

/// Reads the recipe in `file`, the environment and the command line; later sources take precedence.
/// Fails with one [`UserErrors`] that holds all mistakes.
pub fn resolve(
    file: Option<&Path>,
    env: impl Iterator<Item = (OsString, OsString)>,
    overrides: &[Override],
    need: Need,
) -> Result<Resolved> {
    resolve_recipe(&Recipe::in_file(file), env, overrides, need)
}

/// Does what [`resolve`] does, for a recipe of any kind.
pub fn resolve_recipe(
    recipe: &Recipe,
    env: impl Iterator<Item = (OsString, OsString)>,
    overrides: &[Override],
    need: Need,
) -> Result<Resolved> {
    let env: Vec<(OsString, OsString)> = env.collect();
    let mut build = Builder {
        home: Home::of(&env),
        ..Builder::default()
    };
    let document = match recipe {
        Recipe::None => Ok(Document::default()),
        Recipe::File(file) => Document::read(file),
        Recipe::Data(root) => Ok(Document::of_data(root.clone())),
    };
    match document {
        Ok(document) => build.document = document,
        Err(errors) => build.errors.extend(errors),
    }
    let mut env_given = Vec::new();
    build.env.clone_from(&env);
    match env_overrides(env.into_iter()) {
        Ok(overrides) => env_given = overrides,
        Err(errors) => build.errors.extend(errors.0),
    }
    // Later mistakes may only follow from a recipe that cannot be read, so report its own mistakes
    // alone.
    if !build.errors.is_empty() {
        return Err(few(build.errors).into());
    }
    build.errors.append(&mut build.document.problems);
    build.entries = Config::default().entries();
    build.read_file();
    build.read_overrides(&env_given, overrides);
    build.finish(need, recipe)
}

/// Resolves a recipe given as text, without environment and command line.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn resolve_text(text: &str) -> Result<Resolved> {
    let document = Document::parse("recipe.yaml", text).map_err(few)?;
    let mut build = Builder {
        document,
        entries: Config::default().entries(),
        ..Builder::default()
    };
    build.errors.append(&mut build.document.problems);
    build.read_file();
    build.finish(Need::Anything, &Recipe::None)
}

/// The configuration while its sources are read.
#[derive(Default)]
struct Builder {
    document: Document,
    entries: Vec<Entry>,
    config: Config,
    home: Home,
    origins: BTreeMap<String, Origin>,
    params: Vec<ParamOverride>,
    errors: Vec<UserError>,
    notes: Vec<String>,
    /// The environment.
    env: Vec<(OsString, OsString)>,
}

impl Builder {
    /// Returns the place where an option was given, for mistakes found later.
    fn place(&self, path: &str) -> String {
        let key = path.split('[').next().unwrap_or(path);
        let key = if self.origins.contains_key(key) {
            key
        } else {
            key.split('.').next().unwrap_or(key)
        };
        match self.origins.get(key) {
            Some(Origin::File { .. } | Origin::Data) => self.document.place(path),
            Some(Origin::Env(source) | Origin::CommandLine(source)) if path == key => {
                source.clone()
            }
            // A program's argument is called like the option.
            Some(Origin::CommandLine(source)) if source == key => path.to_owned(),
            Some(Origin::Env(source) | Origin::CommandLine(source)) => format!("{source}: {path}"),
            _ => path.to_owned(),
        }
    }

    /// Checks the whole configuration and derives everything else from it.
    fn finish(mut self, need: Need, recipe: &Recipe) -> Result<Resolved> {
        let (mut errors, mut notes) = (
            std::mem::take(&mut self.errors),
            std::mem::take(&mut self.notes),
        );
        let ops = read_process(
            &self.config.process.0,
            &self.params,
            &|path| self.place(&format!("process{path}")),
            &mut errors,
            &mut notes,
        );
        let mut config = std::mem::take(&mut self.config);
        let s3 = s3_settings::take(
            &mut config,
            &|option| {
                let origin = self.origins.get(option);
                matches!(origin, Some(Origin::CommandLine(source)) if source.starts_with("--"))
            },
            &|path| self.place(path),
            &mut errors,
            &mut notes,
        );
        self.config = config;
        let (mut sources, wanted) = read_sources(
            &self.config,
            &|path| self.place(path),
            &mut errors,
            &mut notes,
        );
        let validators = read_validators(
            &self.config.validators.0,
            &|path| self.place(path),
            &mut errors,
            &mut notes,
        );
        self.expand_homes(&mut sources, &mut errors);
        if need == Need::Runnable && sources.is_empty() && errors.is_empty() {
            errors.push(
                UserError::new(self.place("dataset_path"), "no dataset is given")
                    .hint("set `dataset_path` to a file, a directory or a glob"),
            );
        }
        let place = ray::choose(&self.config, &self.env).unwrap_or_else(|(message, hint)| {
            errors.push(UserError::new(self.place("ray_address"), message).hint(hint));
            ChosenPlace::default()
        });
        self.check_conflicts(&ops, &place.place, &mut errors, &mut notes);
        let dirs =
            job_dirs(&self.config).map_err(|wrong| {
                errors.extend(wrong.into_iter().map(|(key, message, hint)| {
                    UserError::new(self.place(key), message).hint(hint)
                }));
            });
        let export_path = self.place("export_path");
        let export_type = export_type(&self.config, &export_path, &mut notes)
            .map_err(|wrong| errors.push(user_error(export_path, wrong)));
        match (dirs, export_type) {
            (Ok(dirs), Ok(export_type)) if errors.is_empty() => Ok(Resolved {
                config: self.config,
                ops,
                sources,
                wanted,
                validators,
                s3,
                export_type,
                place,
                dirs,
                origins: self.origins,
                notes,
                file: match recipe {
                    Recipe::File(file) => Some(file.clone()),
                    _ => None,
                },
                data: match recipe {
                    Recipe::Data(root) => {
                        let mut root = root.clone();
                        s3_settings::forget(&mut root);
                        Some(root)
                    }
                    _ => None,
                },
                params: self.params.into_iter().map(ParamOverride::parts).collect(),
            }),
            _ => Err(few(errors).into()),
        }
    }
}

/// Keeps so few mistakes that the first does not scroll away.
fn few(mut errors: Vec<UserError>) -> UserErrors {
    const SHOWN: usize = 50;
    if errors.len() > SHOWN {
        let more = errors.split_off(SHOWN).len();
        errors.push(UserError::new("", format!("and {more} more mistakes")));
    }
    UserErrors(errors)
}
