//! The resolved configuration: all sources put together, checked as a whole, each value with its
//! origin.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::data_juicer_options::{FOREIGN, RENAMED, foreign};
use super::declare::{Entry, Given, SetError};
use super::home::Home;
use super::invalid_value::InvalidValue;
use super::job::{JobDirs, job_dirs};
use super::options::{Config, ExportType, PartitionMode, Strategy};
use super::overrides::{Override, env_overrides};
use super::recipe::{OpSpec, ParamOverride, looks_like_op, read_process, user_error};
use super::sources::read_sources;
use super::units::Count;
use super::yaml::{self, Document, join};
use crate::error::{UserError, UserErrors, did_you_mean};

/// Where a value comes from; later ones hold over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The declaration.
    Default,
    /// The recipe.
    File {
        /// Its name.
        name: String,
        /// The line, where known.
        line: Option<usize>,
    },
    /// A variable of the environment.
    Env(String),
    /// An option of the command line.
    CommandLine(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File {
                name,
                line: Some(line),
            } => write!(f, "{name}:{line}"),
            Self::File { name, line: None } => f.write_str(name),
            Self::Env(name) => write!(f, "environment {name}"),
            Self::CommandLine(name) => write!(f, "command line {name}"),
        }
    }
}

/// How much a configuration must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A dataset and a writable kind of result: it is going to be run.
    Runnable,
    /// Nothing in particular: it is only shown.
    Anything,
}

/// A configuration without mistakes.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// All options.
    pub config: Config,
    /// The operators of `process`, parameter overrides included.
    pub ops: Vec<OpSpec>,
    /// The dataset's paths.
    pub sources: Vec<String>,
    /// The format of the result.
    pub export_type: ExportType,
    /// The job's name and directories.
    pub dirs: JobDirs,
    /// The origin of every option that is not at its default, by dotted key.
    pub origins: BTreeMap<String, Origin>,
    /// What the user should know: options without effect, guesses made. Each names its place.
    pub notes: Vec<String>,
    /// The recipe.
    pub file: Option<PathBuf>,
}

impl Resolved {
    /// Where the value of an option comes from.
    pub fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// The place where an option was given, for mistakes found later: `recipe.yaml:3: np`, `--np`,
    /// `DJHOST_NP`.
    pub fn place(&self, key: &str) -> String {
        match self.origin(key) {
            Origin::Default => key.to_owned(),
            file @ Origin::File { .. } => format!("{file}: {key}"),
            Origin::Env(source) | Origin::CommandLine(source) => source,
        }
    }
}

/// Reads the recipe, then the environment, then the command line; each holds over the one before.
/// All mistakes come in one [`UserErrors`].
pub fn resolve(
    file: Option<&Path>,
    env: impl Iterator<Item = (OsString, OsString)>,
    overrides: &[Override],
    need: Need,
) -> Result<Resolved> {
    let env: Vec<(OsString, OsString)> = env.collect();
    let mut build = Builder {
        home: Home::of(&env),
        ..Builder::default()
    };
    match file.map(Document::read) {
        Some(Ok(document)) => build.document = document,
        Some(Err(errors)) => build.errors.extend(errors),
        None => {}
    }
    let mut env_given = Vec::new();
    match env_overrides(env.into_iter()) {
        Ok(overrides) => env_given = overrides,
        Err(errors) => build.errors.extend(errors.0),
    }
    // A recipe that cannot be read hides what the rest refers to; its mistakes come alone.
    if !build.errors.is_empty() {
        return Err(few(build.errors).into());
    }
    build.errors.append(&mut build.document.problems);
    build.entries = Config::default().entries();
    build.read_file();
    build.read_overrides(&env_given, overrides);
    build.finish(need, file)
}

/// The same for a recipe that is no file, with nothing but the recipe.
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
    build.finish(Need::Anything, None)
}

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
}

impl Builder {
    fn read_file(&mut self) {
        let root = std::mem::take(&mut self.document.root);
        for (key, value) in &root {
            let is_section = self.entries.iter().any(|e| e.is_section && e.key == *key);
            match value {
                // An empty section: all its lines are comments.
                Value::Null if is_section => {}
                Value::Object(fields) if is_section => {
                    for (field, value) in fields {
                        self.set_from_file(&join(key, field), value);
                    }
                }
                _ if is_section => {
                    let wrong = InvalidValue::expected("a mapping of options", value);
                    let names = self.fields(key);
                    self.errors.push(user_error(
                        self.document.place(key),
                        wrong.hint(format!("its options: {names}")),
                    ));
                }
                _ => self.set_from_file(key, value),
            }
        }
        self.document.root = root;
    }

    fn fields(&self, section: &str) -> String {
        let prefix = format!("{section}.");
        self.entries
            .iter()
            .filter_map(|e| e.key.strip_prefix(&prefix))
            .map(|k| format!("`{k}`"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn set_from_file(&mut self, key: &str, value: &Value) {
        let place = self.document.place(key);
        let origin = Origin::File {
            name: self.document.name.clone(),
            line: self.document.line(key),
        };
        self.set(key, &Given::Value(value.clone()), false, &place, origin);
    }

    fn read_overrides(&mut self, env: &[Override], command_line: &[Override]) {
        // The command line may name operators of the recipe and of a `--process` of its own.
        for (given, is_env) in env
            .iter()
            .map(|o| (o, true))
            .chain(command_line.iter().map(|o| (o, false)))
        {
            let source = given.source.clone();
            let origin = if is_env {
                Origin::Env(source.clone())
            } else {
                Origin::CommandLine(source.clone())
            };
            let head = given.key.split('.').next().unwrap_or(&given.key);
            let is_section = self.entries.iter().any(|e| e.is_section && e.key == head);
            let op = !is_section
                && given.key.contains('.')
                && (self.in_process(head) || looks_like_op(head));
            if op {
                let (op, param) = given.key.split_once('.').expect("has a dot");
                match yaml::value_of_text(&given.text) {
                    Ok(value) => self.params.push(ParamOverride {
                        op: op.to_owned(),
                        param: param.to_owned(),
                        value,
                        source,
                    }),
                    Err(wrong) => self.errors.push(user_error(source, wrong)),
                }
            } else if is_env && self.is_unknown(&given.key) {
                // Other programs may use the prefix too, so this is no error.
                self.notes.push(format!(
                    "{source}: no option of this name, the variable is ignored{}",
                    self.near(&given.key)
                ));
            } else {
                self.set(
                    &given.key,
                    &Given::Text(given.text.clone()),
                    given.append,
                    &source,
                    origin,
                );
            }
        }
    }

    fn in_process(&self, name: &str) -> bool {
        self.config.process.0.as_array().is_some_and(|ops| {
            ops.iter().any(|op| match op {
                Value::String(s) => s == name,
                Value::Object(map) => map.contains_key(name),
                _ => false,
            })
        })
    }

    fn is_unknown(&self, key: &str) -> bool {
        !self.entries.iter().any(|e| e.key == key)
            && foreign(key).is_none()
            && !RENAMED.iter().any(|(old, _)| *old == key)
    }

    fn set(&mut self, key: &str, given: &Given, append: bool, place: &str, origin: Origin) {
        if let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == key) {
            if self.origins.contains_key(*new) {
                self.notes.push(format!(
                    "{place}: is an old name of `{new}`, which is given as well: ignored"
                ));
                return;
            }
            self.notes
                .push(format!("{place}: is an old name of `{new}`"));
            return self.set(new, given, append, place, origin);
        }
        match self.config.set(key, given, append) {
            Ok(()) => drop(self.origins.insert(key.to_owned(), origin)),
            Err(SetError::InvalidValue(wrong)) => self.errors.push(user_error(place, wrong)),
            Err(SetError::UnknownKey) => self.set_foreign(key, given, place),
        }
    }

    fn set_foreign(&mut self, key: &str, given: &Given, place: &str) {
        let value = match given {
            Given::Value(value) => value.clone(),
            Given::Text(text) => yaml::value_of_text(text).unwrap_or(Value::String(text.clone())),
        };
        match foreign(key).map(|foreign| foreign.given(&value)) {
            Some(None) => {}
            Some(Some(Ok(note))) => self.notes.push(format!("{place}: {note}")),
            Some(Some(Err(instead))) => self
                .errors
                .push(UserError::new(place, "is not supported").hint(instead)),
            None => {
                let error = UserError::new(place, "no option of this name");
                let hint = if looks_like_op(key) {
                    "operators are listed below `process:`, each with `- ` before its name"
                        .to_owned()
                } else {
                    match (self.near(key), key.split_once('.')) {
                        (near, _) if !near.is_empty() => near.trim_start_matches(", ").to_owned(),
                        (_, Some((section, _)))
                            if self
                                .entries
                                .iter()
                                .any(|e| e.is_section && e.key == section) =>
                        {
                            format!("options of `{section}`: {}", self.fields(section))
                        }
                        _ => "`djhost config` lists all options".to_owned(),
                    }
                };
                self.errors.push(error.hint(hint));
            }
        }
    }

    /// `, did you mean …?`, or nothing. A key may be misspelt, or stand in the wrong section, or
    /// lack its section.
    fn near(&self, key: &str) -> String {
        let known = || self.entries.iter().map(|e| e.key.as_str());
        let last = key.rsplit('.').next().unwrap_or(key);
        let moved = known().find(|k| k.rsplit('.').next() == Some(last));
        let foreign = FOREIGN.iter().map(|(k, _)| *k);
        match moved.or_else(|| did_you_mean(key, known().chain(foreign))) {
            Some(near) => format!(", did you mean `{near}`?"),
            None => String::new(),
        }
    }

    /// The place where an option was given, for mistakes found later.
    fn place(&self, path: &str) -> String {
        let key = path.split('[').next().unwrap_or(path);
        let key = if self.origins.contains_key(key) {
            key
        } else {
            key.split('.').next().unwrap_or(key)
        };
        match self.origins.get(key) {
            Some(Origin::File { .. }) => self.document.place(path),
            Some(Origin::Env(source) | Origin::CommandLine(source)) if path == key => {
                source.clone()
            }
            Some(Origin::Env(source) | Origin::CommandLine(source)) => format!("{source}: {path}"),
            _ => path.to_owned(),
        }
    }

    fn finish(mut self, need: Need, file: Option<&Path>) -> Result<Resolved> {
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
        let mut sources = read_sources(
            &self.config,
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
        self.check_conflicts(&ops, &mut errors, &mut notes);
        let dirs =
            job_dirs(&self.config).map_err(|wrong| {
                errors.extend(wrong.into_iter().map(|(key, message, hint)| {
                    UserError::new(self.place(key), message).hint(hint)
                }));
            });
        let place = self.place("export_path");
        let export_type = export_type(&self.config, &place, &mut notes)
            .map_err(|wrong| errors.push(user_error(place, wrong)));
        match (dirs, export_type) {
            (Ok(dirs), Ok(export_type)) if errors.is_empty() => Ok(Resolved {
                config: self.config,
                ops,
                sources,
                export_type,
                dirs,
                origins: self.origins,
                notes,
                file: file.map(Path::to_owned),
            }),
            _ => Err(few(errors).into()),
        }
    }

    /// Puts the home directory in place of `~` wherever a path is given.
    fn expand_homes(&mut self, sources: &mut [String], errors: &mut Vec<UserError>) {
        let config = &mut self.config;
        let places = [
            ("work_dir", &mut config.work_dir),
            ("event_log_dir", &mut config.event_log_dir),
            ("checkpoint_dir", &mut config.checkpoint_dir),
            ("partition_dir", &mut config.partition_dir),
        ];
        let mut paths: Vec<(&str, &mut String)> = places
            .into_iter()
            .filter_map(|(key, path)| Some((key, path.as_mut()?)))
            .collect();
        paths.push(("export_path", &mut config.export_path));
        paths.extend(config.plugins.0.iter_mut().map(|path| ("plugins", path)));
        paths.extend(sources.iter_mut().map(|path| ("dataset_path", path)));
        let mut wrong = Vec::new();
        for (key, path) in paths {
            match self.home.expand(path) {
                Ok(expanded) => *path = expanded.into_owned(),
                Err(why) => wrong.push((key, why)),
            }
        }
        errors.extend(
            wrong
                .into_iter()
                .map(|(key, why)| user_error(self.place(key), why)),
        );
    }

    /// Values that are valid by themselves and not together.
    fn check_conflicts(
        &self,
        ops: &[OpSpec],
        errors: &mut Vec<UserError>,
        notes: &mut Vec<String>,
    ) {
        let config = &self.config;
        let partition = &config.partition;
        if config.partition_mode() == PartitionMode::Manual {
            match (partition.size, partition.num_of_partitions) {
                (Some(size), Some(Count::Exactly(count))) => errors.push(
                    UserError::new(
                        self.place("partition.num_of_partitions"),
                        format!("in manual mode `num_of_partitions` ({count}) and `size` ({size}) exclude each other, and both are given"),
                    )
                    .hint(format!("remove one of them; `size` is given at {}", self.place("partition.size"))),
                ),
                (None, None) => {
                    notes.push(format!("{}: neither `num_of_partitions` nor `size` is given: 4 partitions", self.place("partition.mode")))
                }
                _ => {}
            }
        }
        let names = &config.checkpoint.op_names.0;
        match config.strategy() {
            Strategy::Manual if names.is_empty() => errors.push(
                UserError::new(self.place("checkpoint.strategy"), "the strategy `manual` needs `checkpoint.op_names`, which is empty")
                    .hint("name the operators after which a checkpoint is written, or choose another strategy"),
            ),
            Strategy::Manual => {
                for name in names.iter().filter(|name| !ops.iter().any(|op| op.name == **name)) {
                    let error = UserError::new(self.place("checkpoint.op_names"), format!("`{name}` is not in `process`"));
                    let hint = match did_you_mean(name, ops.iter().map(|op| op.name.as_str())) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "name operators as they are written in `process`".to_owned(),
                    };
                    errors.push(error.hint(hint));
                }
            }
            _ if !names.is_empty() => {
                notes.push(format!("{}: is only used by the strategy `manual`", self.place("checkpoint.op_names")));
            }
            _ => {}
        }
        if !matches!(config.ray_address.as_str(), "auto" | "local" | "") {
            errors.push(
                UserError::new(
                    self.place("ray_address"),
                    format!("`{}`: djhost does not run on a cluster", config.ray_address),
                )
                .hint("remove it, or set `auto`: all work is done by this machine's threads"),
            );
        }
        if config.text_keys.0.len() > 1 {
            notes.push(format!(
                "{}: operators use the first, `{}`",
                self.place("text_keys"),
                config.text_key()
            ));
        }
        if config.skip_op_error.is_some() && config.on_error.is_some() {
            notes.push(format!(
                "{}: `on_error` is given as well, and holds",
                self.place("skip_op_error")
            ));
        }
    }
}

/// All mistakes, unless there are so many that the first would scroll away.
fn few(mut errors: Vec<UserError>) -> UserErrors {
    const SHOWN: usize = 50;
    if errors.len() > SHOWN {
        let more = errors.split_off(SHOWN).len();
        errors.push(UserError::new("", format!("and {more} more mistakes")));
    }
    UserErrors(errors)
}

/// The format of the result: `export_type`, or what the path's end says.
fn export_type(
    config: &Config,
    place: &str,
    notes: &mut Vec<String>,
) -> Result<ExportType, InvalidValue> {
    let path = &config.export_path;
    if let Some((scheme, _)) = path.split_once("://") {
        return Err(
            InvalidValue::new(format!("`{path}` is not a local path")).hint(format!(
                "`{scheme}://` is not supported: copy the result there afterwards"
            )),
        );
    }
    if path.ends_with('/') || path.ends_with("/.") {
        return Err(InvalidValue::new(format!(
            "`{path}` names a directory, and the result is a file"
        ))
        .hint(format!(
            "write `{}/result.jsonl`, or another name that ends in the format",
            path.trim_end_matches("/.").trim_end_matches('/')
        )));
    }
    if Path::new(path).file_name().is_none() {
        return Err(InvalidValue::new(format!("`{path}` does not name a file"))
            .hint("write a path like `outputs/result.jsonl`"));
    }
    if let Some(chosen) = config.export_type {
        return Ok(chosen);
    }
    // JSON may be packed; what else ends so is refused with the path.
    let name = path.to_ascii_lowercase();
    let unpacked = [".gz", ".zst", ".zstd"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name);
    match Path::new(unpacked).extension().and_then(|e| e.to_str()) {
        // Data-Juicer's Ray executors take a directory's name here, and write JSONL.
        None => {
            notes.push(format!("{place}: the end of `{path}` does not say a format: JSONL is written"));
            Ok(ExportType::Jsonl)
        }
        Some("jsonl") => Ok(ExportType::Jsonl),
        Some("json") => Ok(ExportType::Json),
        Some("parquet") => Ok(ExportType::Parquet),
        Some("arrow") => Ok(ExportType::Arrow),
        Some(other) => Err(InvalidValue::new(format!("the end of `{path}` says no known format: `{other}`")).hint(
            "end it in `.jsonl`, `.json`, `.parquet` or `.arrow`, the first two also in `.jsonl.gz` or `.json.zst`, or set `export_type`",
        )),
    }
}
