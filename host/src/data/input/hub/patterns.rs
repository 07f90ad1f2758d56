//! Which files a pattern of a card names, and which splits names tell where no card does: the rules
//! of `datasets`.

use super::tree::Tree;

/// Files that no pattern names unless it ends in their name.
const IGNORED: [&str; 6] = [
    "README.md",
    "config.json",
    "dataset_info.json",
    "dataset_infos.json",
    "dummy_data.zip",
    "dataset_dict.json",
];

/// Splits that names tell, and the words for them.
const SPLITS: [(&str, &[&str]); 3] = [
    ("train", &["train", "training"]),
    ("validation", &["validation", "valid", "dev", "val"]),
    ("test", &["test", "testing", "eval", "evaluation"]),
];

/// What may stand before and after such a word.
const BESIDE: &str = "[-._ 0-9]";

/// A split and the patterns of its files.
pub(super) type Split = (String, Vec<String>);

/// The files of `tree` that `pattern` names, below `base` (empty, or a directory with a slash at its
/// end), in the order of their names.
pub(super) fn matching<'t>(
    tree: &'t Tree<'_>,
    base: &str,
    pattern: &str,
) -> Result<Vec<&'t str>, glob::PatternError> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    let compiled = glob::Pattern::new(pattern)?;
    let is_named = |name: &str| {
        let own = name.rsplit('/').next().unwrap_or(name);
        compiled.matches_with(name, options)
            && (!IGNORED.contains(&own) || own == last)
            && hidden(name) == hidden(pattern)
            && special(name) == special(pattern)
    };
    let files = tree.files.iter().map(String::as_str);
    Ok(files
        .filter(|file| file.strip_prefix(base).is_some_and(is_named))
        .collect())
}

/// Whether `pattern` names more than one file.
pub(super) fn is_wild(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// How many parts of a path are hidden: a pattern finds them only if it has as many.
fn hidden(path: &str) -> usize {
    let is_hidden = |part: &&str| part.starts_with('.') && !part.trim_matches('.').is_empty();
    path.split('/').filter(is_hidden).count()
}

/// The same of directories such as `__pycache__`.
fn special(path: &str) -> usize {
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    above
        .split('/')
        .filter(|part| part.starts_with("__"))
        .count()
}

/// The splits that the names of the files below `base` tell: those of `data/train-00000-of-00004…`,
/// or else of directories, or else of files; or all files are `train`.
pub(super) fn of_names(tree: &Tree<'_>, base: &str) -> Vec<Split> {
    let sharded = of_shards(tree, base);
    if !sharded.is_empty() {
        return sharded;
    }
    let in_directories = |word: &str| {
        vec![
            format!("**/{word}/**"),
            format!("**/{word}{BESIDE}*/**"),
            format!("**/*{BESIDE}{word}/**"),
            format!("**/*{BESIDE}{word}{BESIDE}*/**"),
        ]
    };
    let in_files = |word: &str| {
        vec![
            format!("**/{word}{BESIDE}*"),
            format!("**/*{BESIDE}{word}{BESIDE}*"),
        ]
    };
    let is_there = |(_, patterns): &Split| {
        let mut patterns = patterns.iter();
        patterns.any(|pattern| matching(tree, base, pattern).is_ok_and(|files| !files.is_empty()))
    };
    for by in [&in_directories as &dyn Fn(&str) -> Vec<String>, &in_files] {
        let splits = SPLITS.map(|(split, words)| {
            (
                split.to_owned(),
                words.iter().flat_map(|word| by(word)).collect(),
            )
        });
        let found: Vec<Split> = splits.into_iter().filter(is_there).collect();
        if !found.is_empty() {
            return found;
        }
    }
    vec![("train".to_owned(), vec!["**".to_owned()])]
}

/// The splits of `data/SPLIT-00000-of-00004.parquet`, as the hub's own exports are called.
fn of_shards(tree: &Tree<'_>, base: &str) -> Vec<Split> {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let split_of = |file: &str| {
        let name = file.strip_prefix(base)?.strip_prefix("data/")?;
        let (before, after) = name.split_once("-of-")?;
        let (split, index) = before.rsplit_once('-')?;
        let (count, end) = (after.get(..5)?, after.get(5..)?);
        let is_name = |text: &str| {
            let mut parts = text.split('.');
            parts.all(|part| {
                !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            })
        };
        let is_shard = digits(index) && digits(count) && end.contains('.') && !name.contains('/');
        (is_shard && is_name(split)).then(|| split.to_owned())
    };
    let mut names: Vec<String> = tree
        .files
        .iter()
        .filter_map(|file| split_of(file))
        .collect();
    let place = |name: &str| SPLITS.iter().position(|(split, _)| *split == name);
    names.sort_by_key(|name| (place(name).unwrap_or(SPLITS.len()), name.clone()));
    names.dedup();
    let five = "[0-9]".repeat(5);
    names
        .into_iter()
        .map(|name| {
            let pattern = format!("data/{name}-{five}-of-{five}*.*");
            (name, vec![pattern])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> Tree<'static> {
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        Tree::new("here".to_owned(), files, |_| {
            Err(std::io::ErrorKind::NotFound.into())
        })
    }

    fn splits(files: &[&str]) -> Vec<(String, Vec<String>)> {
        let tree = tree(files);
        let found = of_names(&tree, "");
        let files = |patterns: &[String]| {
            let mut all: Vec<String> = patterns
                .iter()
                .flat_map(|pattern| matching(&tree, "", pattern).unwrap())
                .map(str::to_owned)
                .collect();
            all.sort();
            all.dedup();
            all
        };
        found
            .into_iter()
            .map(|(split, patterns)| {
                let files = files(&patterns);
                (split, files)
            })
            .collect()
    }

    #[test]
    fn names_tell_splits() {
        let expect = |files: &[&str], wanted: &[(&str, &[&str])]| {
            let wanted: Vec<(String, Vec<String>)> = wanted
                .iter()
                .map(|(split, files)| {
                    let files = files.iter().map(|file| (*file).to_owned());
                    ((*split).to_owned(), files.collect())
                })
                .collect();
            assert_eq!(splits(files), wanted, "{files:?}");
        };
        expect(
            &[
                "data/en-00000-of-00002.parquet",
                "data/en-00001-of-00002.parquet",
                "data/test-00000-of-00001.parquet",
                "train.csv",
            ],
            &[
                ("test", &["data/test-00000-of-00001.parquet"]),
                (
                    "en",
                    &[
                        "data/en-00000-of-00002.parquet",
                        "data/en-00001-of-00002.parquet",
                    ],
                ),
            ],
        );
        expect(
            &[
                "README.md",
                "my/train/a.jsonl",
                "my/train/deep/b.jsonl",
                "my/dev_2/a.jsonl",
                "x/contest/c.jsonl",
            ],
            &[
                ("train", &["my/train/a.jsonl", "my/train/deep/b.jsonl"]),
                ("validation", &["my/dev_2/a.jsonl"]),
            ],
        );
        expect(
            &[
                "my-train-0.jsonl",
                "eval.jsonl",
                "contest.jsonl",
                ".train.jsonl",
            ],
            &[("train", &["my-train-0.jsonl"]), ("test", &["eval.jsonl"])],
        );
        expect(
            &[
                "a.jsonl",
                "b/c.jsonl",
                ".git/x",
                "__pycache__/y",
                "dataset_info.json",
            ],
            &[("train", &["a.jsonl", "b/c.jsonl"])],
        );
    }
}
