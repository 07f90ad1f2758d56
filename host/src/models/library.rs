//! Where models are found: names that the recipe gives them, paths, and model directories.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The places where the user keeps models.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Library {
    /// Files by name (`models` in a recipe).
    pub(crate) names: BTreeMap<String, PathBuf>,
    /// Directories with models, the first that has one counts (`--model-dir`).
    pub(crate) dirs: Vec<PathBuf>,
}

impl Library {
    /// Returns the file or directory that a parameter means: a name, a path, or a path in a model
    /// directory. None if there is none.
    pub(crate) fn find(&self, written: &str, path: &Path) -> Option<PathBuf> {
        match self.names.get(written) {
            Some(named) => named.exists().then(|| named.clone()),
            None if path.exists() => Some(path.to_owned()),
            None => self.in_dirs(written),
        }
    }

    /// Returns the file called `name` that an operator asks for where the recipe names none.
    pub(crate) fn find_default(&self, name: &str) -> Option<PathBuf> {
        match self.names.get(name) {
            Some(named) => named.exists().then(|| named.clone()),
            None => self.in_dirs(name),
        }
    }

    /// A name may lead into a directory, but not out of it.
    fn in_dirs(&self, name: &str) -> Option<PathBuf> {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || name.is_empty() {
            return None;
        }
        self.dirs
            .iter()
            .map(|dir| dir.join(name))
            .find(|path| path.exists())
    }

    /// Says where `name` was looked for.
    pub(crate) fn places(&self, name: &str) -> String {
        if let Some(named) = self.names.get(name) {
            return format!("`models` names `{}`, which does not exist", named.display());
        }
        if self.dirs.is_empty() {
            return "no model directory is given".into();
        }
        let dirs: Vec<String> = self
            .dirs
            .iter()
            .map(|dir| format!("`{}`", dir.display()))
            .collect();
        format!("it is not in {}", dirs.join(", "))
    }
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
        let find = |written: &str, path: &str| library.find(written, &at(path));
        assert_eq!(find("mine", "written.bin"), Some(at("named.bin")));
        assert_eq!(find("gone", "written.bin"), None);
        assert_eq!(find("written.bin", "written.bin"), Some(at("written.bin")));
        assert_eq!(find("x.bin", "x.bin"), Some(at("one/x.bin")));
        assert_eq!(find("org/y.bin", "org/y.bin"), Some(at("two/org/y.bin")));
        assert_eq!(library.find_default("written.bin"), None);
        for outside in ["../named.bin", "/etc/passwd", "", "."] {
            assert_eq!(library.find_default(outside), None, "{outside}");
        }
    }
}
