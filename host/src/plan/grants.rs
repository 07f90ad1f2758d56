//! What each op may see of the world: `grants` of the recipe, parameters that name files, and media
//! beside the dataset.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::elsewhere::Elsewhere;
use super::file_params::{Names, file_params, texts};
use super::granted_files::Files;
use super::granted_models::library;
use super::lineage_key::{Key, KeyBuilder};
use crate::config::{OpSpec, Resolved, carried, expand_home};
use crate::error::{UserError, UserErrors};
use crate::models::Library;
use crate::remote::address::is_address;
use crate::wasm::services::service;
use crate::wasm::{Grants, OpEntry, Source};

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
pub(super) fn comes_with_djhost(entry: &OpEntry) -> bool {
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
        self.content(file, written, place);
        self.grants.add_dir(parent, host, why);
    }

    /// Makes the content of a file, called `name`, part of the identity.
    fn content(&mut self, file: PathBuf, name: &str, place: &str) {
        match Files::of(&file).and_then(|files| files.digest()) {
            Ok(digest) => self.with(|key| key.with("file").with(name).with(digest.as_str())),
            Err(error) => self.wrong(place, format!("{error:#}"), READABLE),
        }
        self.grants.sources.push(file);
    }

    /// Grants the directory `dir` under the name `written`, of whose files the operator reads those
    /// called `names`, as far as they are there. Only these become part of the identity.
    pub(super) fn files_in(
        &mut self,
        dir: &Path,
        written: &str,
        names: &[String],
        why: &str,
        place: &str,
    ) {
        let Ok(host) = std::path::absolute(dir) else {
            return;
        };
        if self.look(&host, written, place).is_none() {
            return;
        }
        for name in names {
            let file = host.join(name);
            if file.is_file() {
                self.content(file, name, place);
            }
        }
        self.grants.add_dir(written, host, why);
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

/// Returns where a path leads on this machine; the operator sees it as it is written.
pub(super) fn host_path(written: &str) -> PathBuf {
    carried(PathBuf::from(&*expand_home(written)))
}

const BASE: &str = "paths are relative to the directory in which djhost is started";
const READABLE: &str =
    "the operator could not read it either: change its permissions, or grant another directory";
const OWN_DIRECTORY: &str = "put the files that the operator needs into a directory of their own";

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
    use super::*;

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
