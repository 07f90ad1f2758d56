//! What each op may see of the world: `grants` of the recipe, parameters that name files, and media
//! beside the dataset.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::elsewhere::Elsewhere;
use super::granted_files::Files;
use super::lineage_key::{Key, KeyBuilder};
use crate::config::{Config, OpSpec, Resolved, carried, expand_home};
use crate::error::{UserError, UserErrors};
use crate::models::{Demand, Found, Lent, Library};
use crate::remote::address::is_address;
use crate::wasm::services::service;
use crate::wasm::{GrantedModel, Grants, OpEntry, Source};

/// The grants of one op, and what they add to its identity; None if nothing is granted.
pub(crate) struct Granted {
    pub(crate) grants: Grants,
    pub(crate) identity: Option<Key>,
}

/// Determines the grants of `spec`. `params` are its parameters with all defaults. A directory or
/// file that is missing or cannot be granted, and a service that is imported and not granted, is a
/// mistake of the user, reported at its place.
pub(crate) fn grant(
    resolved: &Resolved,
    entry: &OpEntry,
    spec: &OpSpec,
    params: &Map<String, Value>,
) -> Result<Granted, UserErrors> {
    let mut granting = Granting {
        grants: Grants::default(),
        key: KeyBuilder::new("grants"),
        errors: Vec::new(),
    };
    let host = &spec.host;
    for (i, dir) in host.read_dirs.iter().enumerate() {
        let (why, place) = (
            "grants.read_dirs",
            spec.place_of(&format!("grants.read_dirs[{i}]")),
        );
        match is_address(dir) {
            true => granting.elsewhere(vec![Elsewhere {
                written: dir.clone(),
                what: Names::Dir,
                why: why.to_owned(),
                place,
                if_missing: None,
            }]),
            false => granting.dir(dir, why, &place),
        }
    }
    granting.params(entry, &spec.params, &|at| spec.place_of(at));
    let models = library(&resolved.config);
    let asks = granting.models(entry, &spec.params, params, &models, &|at| {
        spec.place_of(at)
    });
    granting.services(entry, asks && host.models != Some(true), &spec.place);
    if host.media.unwrap_or(reads_media(entry)) {
        granting.media(&resolved.sources);
    }
    for (name, value) in &host.env {
        granting.variable(name, value, &spec.place_of(&format!("grants.env.{name}")));
    }
    if let Some(seed) = host.seed {
        granting.with(|key| key.with("seed").number(seed));
    }
    let Granting {
        grants,
        key,
        errors,
    } = granting;
    if !errors.is_empty() {
        return Err(UserErrors(errors));
    }
    let nothing = grants == Grants::default() && host.seed.is_none();
    Ok(Granted {
        grants,
        identity: (!nothing).then(|| key.key()),
    })
}

/// Returns where the user keeps models.
fn library(config: &Config) -> Library {
    Library {
        names: config
            .models
            .0
            .iter()
            .map(|(name, path)| (name.clone(), host_path(path)))
            .collect(),
        dirs: config.model_dir.0.iter().map(|d| host_path(d)).collect(),
    }
}

/// Returns the grants that an operator gets from its parameters outside a recipe; the working
/// directory takes the place of the dataset's. `full` are the parameters with all defaults; `place`
/// names where `params` were given.
pub(crate) fn grants_of_params(
    entry: &OpEntry,
    params: &Map<String, Value>,
    full: &Map<String, Value>,
    library: &Library,
    place: &str,
) -> Result<Grants, UserErrors> {
    let mut granting = Granting {
        grants: Grants::default(),
        key: KeyBuilder::new(""),
        errors: Vec::new(),
    };
    granting.params(entry, params, &|at| format!("{place}: {at}"));
    let asks = granting.models(entry, params, full, library, &|at| format!("{place}: {at}"));
    granting.services(entry, asks, place);
    if reads_media(entry) {
        granting.media(&[".".to_owned()]);
    }
    if granting.errors.is_empty() {
        Ok(granting.grants)
    } else {
        Err(UserErrors(granting.errors))
    }
}

/// Returns whether the operator reads media files by itself. Only operators that come with djhost
/// can: others are not trusted to say so.
pub(crate) fn reads_media(entry: &OpEntry) -> bool {
    entry.descriptor.needs.media && matches!(entry.component.source, Source::Builtin(_))
}

/// Whether the operator is one of a built-in pack, or of a copy of one.
fn comes_with_djhost(entry: &OpEntry) -> bool {
    entry.component.comes_with_djhost()
}

pub(super) struct Granting {
    pub(super) grants: Grants,
    key: KeyBuilder,
    pub(super) errors: Vec<UserError>,
}

impl Granting {
    pub(super) fn with(&mut self, add: impl FnOnce(KeyBuilder) -> KeyBuilder) {
        let key = std::mem::replace(&mut self.key, KeyBuilder::new(""));
        self.key = add(key);
    }

    pub(super) fn wrong(&mut self, place: &str, message: impl Into<String>, hint: &str) {
        self.errors.push(UserError::new(place, message).hint(hint));
    }

    /// Grants the files and directories that parameters name.
    fn params(
        &mut self,
        entry: &OpEntry,
        params: &Map<String, Value>,
        place: &dyn Fn(&str) -> String,
    ) {
        let schema = &entry.descriptor.params_schema;
        let mut elsewhere = Vec::new();
        for (param, what) in file_params(schema) {
            let if_missing = schema["properties"][&param]["x-if-missing"].as_str();
            for (at, path) in texts(params, &param) {
                let (why, place) = (format!("parameter `{param}`"), place(&at));
                if is_address(path) {
                    elsewhere.push(Elsewhere {
                        written: path.to_owned(),
                        what,
                        why,
                        place,
                        if_missing: if_missing.map(str::to_owned),
                    });
                    continue;
                }
                match (what, if_missing) {
                    (_, Some(hint)) if host_path(path).symlink_metadata().is_err() => {
                        self.missing(path, &place, hint)
                    }
                    (Names::Dir, _) => self.dir(path, &why, &place),
                    (Names::Path, _) if host_path(path).is_dir() => self.dir(path, &why, &place),
                    (Names::File | Names::Path, _) => self.file(path, &why, &place),
                }
            }
        }
        self.elsewhere(elsewhere);
    }

    /// Lends the models that parameters name, or that the operator asks for by a file name. Only
    /// operators that come with djhost may ask: from others that would be a default that grants.
    /// Returns whether it has parameters, in force here, that take a model.
    fn models(
        &mut self,
        entry: &OpEntry,
        given: &Map<String, Value>,
        params: &Map<String, Value>,
        library: &Library,
        place: &dyn Fn(&str) -> String,
    ) -> bool {
        let demands = match Demand::of_schema(&entry.descriptor.params_schema, params) {
            Ok(demands) => demands,
            Err(wrong) => {
                let source = entry.component.source.to_string();
                self.wrong(&source, wrong, "its author must mend the schema");
                return false;
            }
        };
        let asks = !demands.is_empty();
        for mut demand in demands {
            if !comes_with_djhost(entry) {
                demand.file = None;
            }
            let place = place(&demand.parameter);
            let written = given
                .get(&demand.parameter)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty());
            let found = match (written, &demand.file) {
                (Some(written), _) => library.find(written, &host_path(written), demand.kind),
                (None, Some(file)) => library.find_default(file, demand.kind),
                (None, None) => Ok(None),
            };
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    self.errors.push(UserError { place, ..error });
                    continue;
                }
            };
            let Some(Found { path, address }) = found else {
                if written.is_some() || !demand.optional {
                    self.errors
                        .push(missing_model(&demand, written, library, &place));
                }
                continue;
            };
            match Lent::open(&path, demand.kind) {
                Ok(model) => {
                    self.with(|key| {
                        key.with("model")
                            .with(&demand.parameter)
                            .with(&model.digest)
                    });
                    self.grants.models.push(GrantedModel {
                        parameter: demand.parameter,
                        address: address.map(|address| address.text),
                        model,
                    });
                }
                Err(wrong) => {
                    // The user knows nothing of the copy.
                    let wrong = match &address {
                        Some(address) => wrong.replace(&*path.to_string_lossy(), &address.text),
                        None => wrong,
                    };
                    self.wrong(&place, wrong, &another_file(&demand));
                }
            }
        }
        self.grants
            .models
            .sort_by(|a, b| a.parameter.cmp(&b.parameter));
        asks
    }

    /// Refuses an operator of a plugin that imports a service of the host, wants something of it
    /// (`asks`) and is granted nothing. Others in the same component are not its concern: one that asks
    /// for no model can open none.
    fn services(&mut self, entry: &OpEntry, asks: bool, place: &str) {
        if comes_with_djhost(entry) || !asks || !self.errors.is_empty() {
            return;
        }
        for import in &entry.component.imports {
            if let Some(service) = service(import)
                && !(service.is_given)(&self.grants)
            {
                let message = format!(
                    "`{}` imports `{import}`, {}, and the recipe grants it none",
                    entry.descriptor.name, service.gives
                );
                let hint = format!(
                    "{}, or add `grants: {{{}: true}}` to let it run without any",
                    service.how, service.grant
                );
                self.wrong(place, message, &hint);
            }
        }
    }

    /// Grants the directory `written`. Its content becomes part of the identity.
    fn dir(&mut self, written: &str, why: &str, place: &str) {
        let Some(host) = self.existing(written, Path::is_dir, "a directory", place) else {
            return;
        };
        let Some(files) = self.look(&host, written, place) else {
            return;
        };
        if files.too_many {
            return self.wrong(
                place,
                format!("`{written}` holds more than 100,000 files"),
                "grant a directory with less in it",
            );
        }
        match files.digest() {
            Ok(digest) => self.with(|key| key.with("dir").with(written).with(digest.as_str())),
            Err(error) => self.wrong(place, format!("{error:#}"), READABLE),
        }
        self.grants.sources.push(host.clone());
        self.grants.add_dir(written, host, why);
    }

    /// Grants the directory of the file `written`. Only the content of the file becomes part of the
    /// identity.
    fn file(&mut self, written: &str, why: &str, place: &str) {
        let Some(file) = self.existing(written, Path::is_file, "a file", place) else {
            return;
        };
        let parent = Path::new(written)
            .parent()
            .and_then(Path::to_str)
            .unwrap_or_default();
        let parent = if parent.is_empty() { "." } else { parent };
        let Ok(host) = std::path::absolute(host_path(parent)) else {
            return;
        };
        if std::fs::canonicalize(&host).is_ok_and(|real| real.parent().is_none()) {
            return self.wrong(
                place,
                format!("`{written}` is in the root directory, all of which would be granted"),
                OWN_DIRECTORY,
            );
        }
        // A directory with more than 100,000 files is not examined further: it may have nothing to
        // do with the operator.
        if self.look(&host, parent, place).is_none() {
            return;
        }
        match Files::of(&file).and_then(|files| files.digest()) {
            Ok(digest) => self.with(|key| key.with("file").with(written).with(digest.as_str())),
            Err(error) => self.wrong(place, format!("{error:#}"), READABLE),
        }
        self.grants.sources.push(file);
        self.grants.add_dir(parent, host, why);
    }

    /// Grants the directories of the dataset: under the paths as written, as absolute paths, and,
    /// if there is only one, as `.`, so that paths relative to the dataset work. Their content is
    /// not part of the identity: there may be millions of files.
    fn media(&mut self, sources: &[String]) {
        const WHY: &str = "media of the dataset";
        let mut folders: Vec<(String, PathBuf)> = Vec::new();
        for folder in sources.iter().map(|source| folder_of(source)) {
            // A missing directory is reported when the dataset is opened, with a better message.
            if let Ok(host) = std::path::absolute(&folder)
                && host.is_dir()
                && !folders.iter().any(|(_, h)| *h == host)
            {
                folders.push((folder, host));
            }
        }
        self.with(|key| key.with("media"));
        if let [(_, host)] = &folders[..] {
            self.grants.add_dir(".", host.clone(), WHY);
        }
        for (written, host) in folders {
            self.grants.add_dir(written, host.clone(), WHY);
            if let Some(absolute) = host.to_str() {
                self.grants.add_dir(absolute, host.clone(), WHY);
            }
        }
    }

    fn variable(&mut self, name: &str, value: &str, place: &str) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return self.wrong(
                place,
                format!(
                    "`{}` cannot be a variable of an environment",
                    name.escape_debug()
                ),
                "give it another name",
            );
        }
        self.with(|key| key.with("env").with(name).with(value));
        self.grants.env.push((name.to_owned(), value.to_owned()));
    }

    fn missing(&mut self, written: &str, place: &str, hint: &str) {
        self.wrong(
            place,
            format!("there is no `{}`", written.escape_debug()),
            hint,
        );
    }

    fn existing(
        &mut self,
        written: &str,
        fits: impl Fn(&Path) -> bool,
        what: &str,
        place: &str,
    ) -> Option<PathBuf> {
        let path = host_path(written);
        if path.symlink_metadata().is_err() {
            self.missing(written, place, BASE);
        } else if !fits(&path) {
            self.wrong(
                place,
                format!("`{written}` is not {what}"),
                &format!("name {what}; {BASE}"),
            );
        } else if let Ok(absolute) = std::path::absolute(path) {
            return Some(absolute);
        }
        None
    }

    fn look(&mut self, host: &Path, written: &str, place: &str) -> Option<Files> {
        match Files::of(host) {
            Ok(Files {
                special: Some(special),
                ..
            }) => {
                let message = format!(
                    "`{written}` cannot be granted: `{}` is a pipe, a socket or a device",
                    special.display()
                );
                self.wrong(place, message, OWN_DIRECTORY);
                None
            }
            Ok(files) => Some(files),
            Err(error) => {
                self.wrong(
                    place,
                    format!("`{written}` cannot be granted: {error:#}"),
                    READABLE,
                );
                None
            }
        }
    }
}

/// The mistake of a model that is nowhere: which file, where it was looked for, where to get it.
fn missing_model(
    demand: &Demand,
    written: Option<&str>,
    library: &Library,
    place: &str,
) -> UserError {
    let Demand {
        parameter,
        kind,
        file,
        wish,
        ..
    } = demand;
    let message = match (written, file) {
        (Some(written), _) => format!(
            "there is no {} `{}`: {}",
            kind.noun(),
            written.escape_debug(),
            library.places(written)
        ),
        (None, Some(file)) => format!(
            "{}the {} `{file}` is needed, and {}",
            wish.as_ref()
                .map(|wish| format!("for `{wish}` "))
                .unwrap_or_default(),
            kind.noun(),
            library.places(file)
        ),
        (None, None) => format!("`{parameter}` must name {}", kind.with_article()),
    };
    let how = match file {
        Some(file) => format!(
            "put `{file}` into a directory and name that with `--model-dir DIR`, or name another file with `{parameter}`"
        ),
        None => "name a path, a name of `models`, or a file in a `--model-dir`".to_owned(),
    };
    let source = demand
        .published
        .as_ref()
        .map(|address| format!("; {}", is_published(address)))
        .unwrap_or_default();
    UserError::new(place, message).hint(format!("{how}{source}"))
}

fn another_file(demand: &Demand) -> String {
    let name = format!("name {}", demand.kind.with_article());
    match &demand.published {
        Some(address) => format!("{name}; {}", is_published(address)),
        None => name,
    }
}

/// Where a model is published, as a sentence.
fn is_published(address: &str) -> String {
    match address.strip_prefix("for instance ") {
        Some(one) => format!("one is published at {one}"),
        None => format!("the original is published at {address}"),
    }
}

/// Returns where a path leads on this machine; the operator sees it as it is written.
fn host_path(written: &str) -> PathBuf {
    carried(PathBuf::from(&*expand_home(written)))
}

const BASE: &str = "paths are relative to the directory in which djhost is started";
const READABLE: &str =
    "the operator could not read it either: change its permissions, or grant another directory";
const OWN_DIRECTORY: &str = "put the files that the operator needs into a directory of their own";

/// What a parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Dir,
    File,
    /// A file or a directory, whichever it turns out to be.
    Path,
}

/// Returns the parameters at the top of a schema whose `format` is `read-dir`, `read-file` or
/// `read-path`, also in a choice of `anyOf` or in the items of a list.
fn file_params(schema: &Value) -> Vec<(String, Names)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    // The schema of a plugin may refer to itself.
    let mut steps = 10_000;
    properties
        .into_iter()
        .flatten()
        .filter_map(|(name, p)| Some((name.clone(), named(schema, p, 0, &mut steps)?)))
        .collect()
}

fn named(root: &Value, schema: &Value, depth: usize, steps: &mut u32) -> Option<Names> {
    *steps = steps.checked_sub(1)?;
    if depth > 8 {
        return None;
    }
    match schema.get("format").and_then(Value::as_str) {
        Some("read-dir") => return Some(Names::Dir),
        Some("read-file") => return Some(Names::File),
        Some("read-path") => return Some(Names::Path),
        _ => {}
    }
    let target = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.strip_prefix('#'))
        .and_then(|p| root.pointer(p));
    let choices = ["anyOf", "oneOf", "allOf"]
        .iter()
        .filter_map(|k| schema.get(k)?.as_array())
        .flatten();
    target
        .into_iter()
        .chain(choices)
        .chain(schema.get("items"))
        .find_map(|s| named(root, s, depth + 1, steps))
}

/// Returns the texts given for a parameter with the place of each. Empty texts name nothing, and a
/// default grants nothing, since it comes from the plugin.
fn texts<'a>(params: &'a Map<String, Value>, param: &str) -> Vec<(String, &'a str)> {
    let mut texts = match params.get(param) {
        Some(Value::String(one)) => vec![(param.to_owned(), one.as_str())],
        Some(Value::Array(several)) => several
            .iter()
            .enumerate()
            .filter_map(|(i, v)| Some((format!("{param}[{i}]"), v.as_str()?)))
            .collect(),
        _ => Vec::new(),
    };
    texts.retain(|(_, text)| !text.is_empty());
    texts
}

/// Returns the directory of a source: the source itself, the directory of a file, or the part of a
/// glob before its first pattern.
fn folder_of(source: &str) -> String {
    let path = Path::new(source);
    if path.is_dir() {
        return source.to_owned();
    }
    let is_pattern = |part: &std::ffi::OsStr| part.to_string_lossy().contains(['*', '?', '[']);
    let plain: PathBuf = match path.exists() {
        true => path.to_owned(),
        false => path
            .components()
            .take_while(|c| !is_pattern(c.as_os_str()))
            .collect(),
    };
    let folder = if plain.is_dir() {
        plain
    } else {
        plain.parent().map(Path::to_owned).unwrap_or_default()
    };
    if folder.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        folder.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_that_name_files() {
        let schema = json!({
            "properties": {
                "words": { "type": "string", "format": "read-file" },
                "lists": { "anyOf": [{ "type": "array", "items": { "$ref": "#/$defs/dir" } }, { "type": "null" }] },
                "model": { "type": ["string", "null"], "format": "read-path" },
                "n": { "type": "integer", "format": "uint64" },
                "circle": { "$ref": "#/properties/circle" },
                "nested": { "type": "object", "properties": { "words": { "type": "string", "format": "read-file" } } },
            },
            "$defs": { "dir": { "type": "string", "format": "read-dir" } },
        });
        let mut found = file_params(&schema);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            found,
            [
                ("lists".to_owned(), Names::Dir),
                ("model".to_owned(), Names::Path),
                ("words".to_owned(), Names::File)
            ]
        );
        assert_eq!(file_params(&json!({})), []);
    }

    #[test]
    fn a_schema_with_many_circles_ends() {
        let choices: Vec<Value> = (0..200)
            .map(|_| json!({ "$ref": "#/properties/p" }))
            .collect();
        assert_eq!(
            file_params(&json!({ "properties": { "p": { "anyOf": choices } } })),
            []
        );
    }

    #[test]
    fn folders_of_sources() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::create_dir(at("data")).unwrap();
        std::fs::write(at("data/a.jsonl"), "").unwrap();
        assert_eq!(folder_of(&at("data")), at("data"));
        assert_eq!(folder_of(&at("data/a.jsonl")), at("data"));
        assert_eq!(folder_of(&at("data/*.jsonl")), at("data"));
        assert_eq!(
            folder_of(&at("d*/[ab].jsonl")),
            at("").trim_end_matches('/')
        );
        assert_eq!(folder_of("missing.jsonl"), ".");
        assert_eq!(folder_of("*.jsonl"), ".");
    }
}
