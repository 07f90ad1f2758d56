//! Notes for the user about the files that were found: a bounded number of sentences, however many
//! files there are.

use crate::term::counted;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Files named for each reason; the others are counted.
const NAMED: usize = 3;

/// Upper bound of sentences.
const MOST: usize = 50;

/// Collects the sentences.
#[derive(Default)]
pub(crate) struct Notes {
    sentences: Vec<String>,
    /// Sentences about files, grouped by their common part: what comes after the name, and the
    /// names.
    kinds: Vec<(String, Kind)>,
    passed_over: Vec<PathBuf>,
}

#[derive(Default)]
struct Kind {
    first: Vec<String>,
    count: usize,
}

impl Notes {
    /// Something about the dataset.
    pub(crate) fn sentence(&mut self, sentence: String) {
        self.sentences.push(sentence);
    }

    /// A file that is skipped.
    pub(crate) fn left_out(&mut self, path: PathBuf, why: &str) {
        self.add(
            &format!("{why} and was left out"),
            format!("`{}`", path.display()),
        );
    }

    /// A file that cannot hold rows.
    pub(crate) fn passed_over(&mut self, path: PathBuf) {
        self.passed_over.push(path);
    }

    /// The first file that was passed over.
    pub(crate) fn first_passed_over(&self) -> Option<&Path> {
        self.passed_over.first().map(PathBuf::as_path)
    }

    /// A file or directory that was already found as `first`.
    pub(crate) fn twice(&mut self, path: &Path, first: &Path) {
        let what = if path == first {
            "was found twice".to_owned()
        } else {
            format!("is the same as `{}`", first.display())
        };
        self.add("and is read once", format!("`{}` {what}", path.display()));
    }

    /// A file without content.
    pub(crate) fn empty(&mut self, path: &Path) {
        self.add(
            "is empty (0 bytes): it has no rows",
            format!("`{}`", path.display()),
        );
    }

    /// Something about one file.
    pub(crate) fn of_file(&mut self, path: &Path, what: &str) {
        self.add(what, format!("`{}`", path.display()));
    }

    /// A Hive partition directory: its name has a value that the rows may lack.
    pub(crate) fn hive_partition(&mut self, path: &Path) {
        self.add(
            "has a value in its name: rows get no field of it",
            format!("the directory `{}`", path.display()),
        );
    }

    /// The splits of a dataset.
    pub(crate) fn splits(&mut self, path: &Path, splits: &[PathBuf]) {
        let names: Vec<_> = splits
            .iter()
            .filter_map(|split| split.file_name())
            .map(|name| format!("`{}`", name.to_string_lossy()))
            .collect();
        let one = splits
            .first()
            .map(|split| {
                let name = split.file_name().unwrap_or_default().to_string_lossy();
                format!("; `split: {name}` (`--split {name}`) reads that one alone")
            })
            .unwrap_or_default();
        self.sentences.push(format!(
            "`{}` has the splits {}, which are read one after another{one}",
            path.display(),
            names.join(", ")
        ));
    }

    /// The snapshot chosen from a repository in the hub's cache.
    pub(crate) fn snapshot(&mut self, path: &Path, snapshot: &Path, of: usize) {
        if of > 1 {
            let name = snapshot.file_name().unwrap_or_default().to_string_lossy();
            self.sentences.push(format!(
                "`{}` has {of} snapshots: `{name}`, the current one, is read",
                path.display()
            ));
        }
    }

    /// A table whose log is not applied.
    pub(crate) fn delta_table(&mut self, path: &Path) {
        self.sentences.push(format!(
            "`{}` is a Delta table: its log is not read, so rows that it has removed or replaced are there, too",
            path.display()
        ));
    }

    fn add(&mut self, what: &str, who: String) {
        let at = self
            .kinds
            .iter()
            .position(|(known, _)| known == what)
            .unwrap_or_else(|| {
                self.kinds.push((what.to_owned(), Kind::default()));
                self.kinds.len() - 1
            });
        let kind = &mut self.kinds[at].1;
        kind.count += 1;
        if kind.first.len() < NAMED {
            kind.first.push(who);
        }
    }

    /// All sentences.
    pub(crate) fn sentences(self) -> Vec<String> {
        let mut sentences = self.sentences;
        for (what, kind) in self.kinds {
            let more = kind.count - kind.first.len();
            sentences.extend(kind.first.into_iter().map(|who| format!("{who} {what}")));
            if more > 0 {
                let last = sentences.last_mut().expect("one was named");
                let files = if more == 1 { "file" } else { "files" };
                let _ = write!(last, "; the same holds for {more} more {files}");
            }
        }
        // Each file may have a note of its own.
        if sentences.len() > MOST {
            let more = sentences.split_off(MOST).len();
            sentences.push(format!("and {more} more notes on the files of the dataset"));
        }
        if let Some(first) = self.passed_over.first() {
            sentences.push(format!(
                "{} {} passed over, for instance `{}`",
                counted(self.passed_over.len() as u64, "file"),
                if self.passed_over.len() == 1 {
                    "was"
                } else {
                    "were"
                },
                first.display()
            ));
        }
        sentences
    }
}
