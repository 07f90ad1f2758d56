//! Where models are found: names that the recipe gives them, paths, and model directories.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use djhost_inference::Kind;

use super::lent::files_inside;
use crate::error::UserError;
use crate::remote::address::{Address, is_address};
use crate::remote::{fetch_to_cache, is_empty};

/// The places where the user keeps models. Each may be an address, which is fetched once for this
/// machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Library {
    /// Files by name (`models` in a recipe).
    pub(crate) names: BTreeMap<String, PathBuf>,
    /// Directories with models, the first that has one counts (`--model-dir`).
    pub(crate) dirs: Vec<PathBuf>,
}

/// A model that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// A file or directory on this machine.
    pub(crate) path: PathBuf,
    /// Where it was fetched from; of the hub, at which commit.
    pub(crate) address: Option<Address>,
}

impl Library {
    /// Returns the file or directory that a parameter means: a name, a path, or a path in a model
    /// directory. None if there is none. The error of a server names no place.
    pub(crate) fn find(
        &self,
        written: &str,
        path: &Path,
        kind: Kind,
    ) -> Result<Option<Found>, UserError> {
        if let Some(named) = self.names.get(written) {
            return look(named, kind);
        }
        match look(path, kind)? {
            None if !is_address(written) => self.in_dirs(written, kind),
            found => Ok(found),
        }
    }

    /// Returns the file called `name` that an operator asks for where the recipe names none.
    pub(crate) fn find_default(&self, name: &str, kind: Kind) -> Result<Option<Found>, UserError> {
        match self.names.get(name) {
            Some(named) => look(named, kind),
            None => self.in_dirs(name, kind),
        }
    }

    /// A name may lead into a directory, but not out of it.
    fn in_dirs(&self, name: &str, kind: Kind) -> Result<Option<Found>, UserError> {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || name.is_empty() {
            return Ok(None);
        }
        for dir in &self.dirs {
            if let Some(found) = look(&dir.join(name), kind)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Says where `name` was looked for.
    pub(crate) fn places(&self, name: &str) -> String {
        if let Some(named) = self.names.get(name) {
            return format!("`models` names `{}`, which does not exist", named.display());
        }
        if is_address(name) {
            return "there is no such file".into();
        }
        if self.dirs.is_empty() {
            return "no model directory is given".into();
        }
        let shown = |dir: &PathBuf| match is_missing(dir) {
            Ok(true) => format!("`{}` (there is no such directory)", dir.display()),
            _ => format!("`{}`", dir.display()),
        };
        let dirs: Vec<String> = self.dirs.iter().map(shown).collect();
        format!("it is not in {}", dirs.join(", "))
    }

    /// Returns a model directory that does not exist. The error is that of a server, at its address.
    pub(crate) fn missing_dir(&self) -> Result<Option<&Path>, UserError> {
        for dir in &self.dirs {
            if is_missing(dir)? {
                return Ok(Some(dir));
            }
        }
        Ok(None)
    }
}

/// Whether there is no such directory. In a bucket it is there if anything is below it; a server of
/// the web cannot be asked.
fn is_missing(dir: &Path) -> Result<bool, UserError> {
    let Some(text) = dir.to_str().filter(|text| is_address(text)) else {
        return Ok(!dir.is_dir());
    };
    let address = Address::parse_file(text).map_err(|e| UserError {
        place: text.to_owned(),
        ..e
    })?;
    is_empty(&address).map_err(|e| e.at(text))
}

/// What is at `path`, which may be an address; None if nothing is.
fn look(path: &Path, kind: Kind) -> Result<Option<Found>, UserError> {
    let Some(text) = path.to_str().filter(|text| is_address(text)) else {
        return Ok(path.exists().then(|| Found {
            path: path.to_owned(),
            address: None,
        }));
    };
    let address = Address::parse_file(text)?;
    let mut fetched = fetch_to_cache(&address)?;
    for name in files_inside(kind) {
        if fetched.is_none() {
            // As a directory on a disk, which a bucket does not have.
            let key = format!("{}/{name}", address.key.trim_end_matches('/'));
            fetched = fetch_to_cache(&address.beside(key.trim_start_matches('/')))?;
        }
    }
    Ok(fetched.map(|fetched| Found {
        path: fetched.path,
        address: Some(fetched.address),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_paths_and_paths_before_directories() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in [
            "named.bin",
            "written.bin",
            "one/x.bin",
            "two/x.bin",
            "two/org/y.bin",
        ] {
            std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
            std::fs::write(at(name), "").unwrap();
        }
        let library = Library {
            names: [("mine", "named.bin"), ("gone", "no.bin")]
                .map(|(name, path)| (name.to_owned(), at(path)))
                .into(),
            dirs: vec![at("one"), at("two")],
        };
        let path = |found: Result<Option<Found>, UserError>| found.unwrap().map(|found| found.path);
        let find = |written: &str, name: &str| path(library.find(written, &at(name), Kind::Kenlm));
        let find_default = |name: &str| path(library.find_default(name, Kind::Kenlm));
        assert_eq!(find("mine", "written.bin"), Some(at("named.bin")));
        assert_eq!(find("gone", "written.bin"), None);
        assert_eq!(find("written.bin", "written.bin"), Some(at("written.bin")));
        assert_eq!(find("x.bin", "x.bin"), Some(at("one/x.bin")));
        assert_eq!(find("org/y.bin", "org/y.bin"), Some(at("two/org/y.bin")));
        assert_eq!(find_default("written.bin"), None);
        for outside in ["../named.bin", "/etc/passwd", "", "."] {
            assert_eq!(find_default(outside), None, "{outside}");
        }
    }
}
