//! Directories of the machine that runs a job, where this one runs tasks of it: what operators need of
//! them came with the program, and is elsewhere here.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Each directory, absolute, and the one in its place. Set once: a process works on one job.
static DIRS: OnceLock<Vec<(PathBuf, PathBuf)>> = OnceLock::new();

/// From now on `dirs` are elsewhere. Only the first call counts.
pub(crate) fn set_carried(mut dirs: Vec<(PathBuf, PathBuf)>) {
    // Of two that hold a path, the inner one is looked at first.
    dirs.sort_by_key(|(dir, _)| std::cmp::Reverse(dir.as_os_str().len()));
    let _ = DIRS.set(dirs);
}

/// Where `path` is on this machine: itself, unless it came with the program.
pub(crate) fn carried(path: PathBuf) -> PathBuf {
    match DIRS.get() {
        Some(dirs) => find(dirs, &path).unwrap_or(path),
        None => path,
    }
}

fn find(dirs: &[(PathBuf, PathBuf)], path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    dirs.iter().find_map(|(dir, here)| {
        let below = path.strip_prefix(dir).ok()?;
        let found = match below.as_os_str().is_empty() {
            true => here.clone(),
            false => here.join(below),
        };
        found.exists().then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_with_the_program_is_found_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().join("here");
        std::fs::create_dir(&here).unwrap();
        std::fs::write(here.join("words.txt"), "a").unwrap();
        let dirs = [(PathBuf::from("/far/words"), here.clone())];
        let found = |path: &str| find(&dirs, Path::new(path));
        assert_eq!(found("/far/words"), Some(here.clone()));
        assert_eq!(found("/far/words/words.txt"), Some(here.join("words.txt")));
        assert_eq!(found("/far/words/others.txt"), None);
        assert_eq!(found("/far/wordsmith"), None);
    }
}
