//! Finds a job by its path, its id, or the beginning of its id.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::error::{UserError, did_you_mean};
use crate::remote::Bucket;
use crate::remote::address::{Address, is_address, of_path};
use crate::rundir::own_files::read_document;
use crate::rundir::{RunPaths, Storage};

/// Where the run directories of jobs without a `work_dir` are, relative to the current directory.
const DEFAULT_ROOT: &str = "outputs";

/// How deep run directories are searched below an output root: `outputs/{recipe}/{job_id}` and one
/// more level.
const DEPTH: usize = 3;

/// Number of candidates that an error lists.
const SHOWN: usize = 8;

/// Finds the run directories of jobs.
#[derive(Debug, Clone, Default)]
pub struct JobFinder {
    roots: Vec<PathBuf>,
    registry: Option<PathBuf>,
}

/// An entry of the registry: one small file per job, so that a job is found by its id from any
/// directory.
#[derive(Debug, Serialize, Deserialize)]
struct Registered {
    format_version: u32,
    job_id: String,
    work_dir: PathBuf,
}

/// Version of the format of registry entries.
const REGISTRY_VERSION: u32 = 1;

impl JobFinder {
    /// Creates a finder that looks below `base_dir`. If it is None, the finder looks at all jobs
    /// that this user started on this machine and below `./outputs`.
    pub fn new(base_dir: Option<&Path>) -> Self {
        match base_dir {
            Some(base) => Self {
                roots: vec![base.to_owned()],
                registry: None,
            },
            None => Self {
                roots: vec![PathBuf::from(DEFAULT_ROOT)],
                registry: registry_dir(),
            },
        }
    }

    /// Returns the run directory of `job`, which is a path, a job id, or the unique beginning of
    /// one. Fails with a [`UserError`] that lists candidates.
    pub fn find(&self, job: &str) -> Result<RunPaths> {
        if is_address(job) {
            return in_bucket(job);
        }
        let path = Path::new(job);
        // `outputs/x` is a path; a plain name is an id first.
        if path.components().count() > 1 || job.starts_with('.') || path.is_absolute() {
            let named = RunPaths::new(path);
            if is_run_directory(path) {
                return Ok(named);
            }
            let inside = self
                .roots
                .iter()
                .map(|root| root.join(path))
                .find(|p| is_run_directory(p));
            return inside.map(RunPaths::new).ok_or_else(|| {
                let what = if path.exists() {
                    "is not the run directory of a job"
                } else {
                    "does not exist"
                };
                UserError::new(job, format!("`{job}` {what}"))
                    .hint("`djhost jobs --all` lists the jobs")
                    .into()
            });
        }
        let jobs = self.all()?;
        let exact: Vec<_> = jobs.iter().filter(|paths| paths.job_id() == job).collect();
        let fitting = if exact.is_empty() {
            jobs.iter()
                .filter(|paths| !job.is_empty() && paths.job_id().starts_with(job))
                .collect()
        } else {
            exact
        };
        match fitting[..] {
            [one] => match one.address() {
                Some(address) => in_bucket(&address.text),
                None => Ok(one.clone()),
            },
            [] if is_run_directory(path) => Ok(RunPaths::new(path)),
            [] => Err(self.unknown(job, &jobs).into()),
            _ => Err(ambiguous(job, &fitting).into()),
        }
    }

    /// Returns the run directories of all jobs, each once, sorted by path. Those in buckets are not
    /// looked at, unless `base_dir` is one.
    pub fn all(&self) -> Result<Vec<RunPaths>> {
        let mut found = BTreeMap::new();
        let add = |found: &mut BTreeMap<PathBuf, RunPaths>, path: PathBuf| {
            // Two paths may lead to the same directory.
            let key = std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            found.entry(key).or_insert(RunPaths::new(path));
        };
        for root in &self.roots {
            if let Some(text) = root.to_str().filter(|text| is_address(text)) {
                found.extend(below(text)?);
                continue;
            }
            let mut add = |path: PathBuf| add(&mut found, path);
            if is_run_directory(root) {
                add(root.clone());
            }
            scan(root, DEPTH, &mut add)?;
        }
        if let Some(registry) = &self.registry {
            for entry in read_dir(registry)? {
                let registered = read_document(&entry)
                    .ok()
                    .and_then(|bytes| serde_json::from_slice::<Registered>(&bytes).ok());
                let Some(job) = registered else {
                    continue;
                };
                if let Some(address) = of_path(&job.work_dir) {
                    // Without settings for its store it cannot be looked at.
                    if let Ok(paths) = RunPaths::at(&address) {
                        found.entry(job.work_dir).or_insert(paths);
                    }
                } else if is_run_directory(&job.work_dir) {
                    // A directory that was removed or moved is no longer a job.
                    add(&mut found, job.work_dir);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    fn unknown(&self, job: &str, jobs: &[RunPaths]) -> UserError {
        // Several directories may hold jobs of one name; each name is said once, the last first.
        let mut ids: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for id in jobs.iter().rev().map(RunPaths::job_id) {
            if seen.insert(id.clone()) {
                ids.push(id);
            }
        }
        let roots = self
            .roots
            .iter()
            .map(|r| format!("`{}`", r.display()))
            .collect::<Vec<_>>()
            .join(", ");
        let searched = if self.registry.is_some() {
            format!("{roots} and the jobs of this user")
        } else {
            roots
        };
        let error = UserError::new("", format!("there is no job `{job}` in {searched}"));
        match did_you_mean(job, ids.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if ids.is_empty() => error.hint("give `--base-dir`, the directory that holds the job's directory, or the path itself"),
            None => error.hint(format!("there are {}", list(ids.iter().map(|id| format!("`{id}`"))))),
        }
    }
}

fn ambiguous(job: &str, fitting: &[&RunPaths]) -> UserError {
    UserError::new(
        "",
        format!(
            "`{job}` fits {}",
            crate::term::counted(fitting.len() as u64, "job")
        ),
    )
    .hint(format!(
        "give one of {}",
        list(
            fitting
                .iter()
                .map(|paths| format!("`{}`", paths.show(paths.root())))
        )
    ))
}

fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown = names.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}

/// Adds the job to the registry, so that it is found by its id from anywhere. Called when a run
/// begins; a failure is no reason to end the run.
pub fn register(paths: &RunPaths, job_id: &str) -> Result<()> {
    match registry_dir() {
        Some(registry) => register_in(&registry, paths, job_id),
        None => Ok(()),
    }
}

fn register_in(registry: &Path, paths: &RunPaths, job_id: &str) -> Result<()> {
    std::fs::create_dir_all(registry)
        .with_context(|| format!("cannot create `{}`", registry.display()))?;
    let work_dir = PathBuf::from(paths.show(paths.root()));
    // The name contains a hash of the path: jobs with the same id may be in different places.
    let name = format!(
        "{job_id}-{:016x}.json",
        xxhash_rust::xxh3::xxh3_64(work_dir.as_os_str().as_encoded_bytes())
    );
    let entry = Registered {
        format_version: REGISTRY_VERSION,
        job_id: job_id.to_owned(),
        work_dir,
    };
    Storage::new().replace_json(&registry.join(name), &entry)
}

/// Returns `$XDG_STATE_HOME/djhost/jobs`, or else `~/.local/state/djhost/jobs` (XDG Base Directory
/// Specification).
fn registry_dir() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    let state = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(state.join("djhost/jobs"))
}

/// The job at an address.
fn in_bucket(text: &str) -> Result<RunPaths> {
    let address = Address::parse_directory(text)?;
    let paths = RunPaths::at(&address)?;
    paths
        .refresh()
        .map_err(|e| UserError::new(text, format!("{e:#}")))?;
    match is_run_directory(paths.root()) {
        true => Ok(paths),
        false => Err(
            UserError::new(text, "there is no run directory of a job at this address")
                .hint("`djhost jobs --all --base-dir s3://BUCKET/PREFIX` lists the jobs below a prefix")
                .into(),
        ),
    }
}

/// The jobs below a prefix of a bucket, each with its address.
fn below(text: &str) -> Result<Vec<(PathBuf, RunPaths)>> {
    let address = Address::parse_prefix(text)?;
    let bucket = Bucket::new(&address).map_err(|e| e.at(text))?;
    let listed = bucket.list("", true).map_err(|e| e.at(text))?;
    let dirs = listed.iter().filter_map(|l| RunPaths::of_summary(&l.key));
    dirs.map(|dir| {
        let address = bucket.address(dir);
        Ok((PathBuf::from(&address.text), RunPaths::at(&address)?))
    })
    .collect()
}

fn is_run_directory(path: &Path) -> bool {
    let paths = RunPaths::new(path);
    paths.summary().is_file()
        || (paths.lock().is_file() && paths.event_files().is_ok_and(|files| !files.is_empty()))
}

fn scan(dir: &Path, depth: usize, add: &mut impl FnMut(PathBuf)) -> Result<()> {
    for path in read_dir(dir)? {
        if !path.is_dir() || path.is_symlink() {
            continue;
        }
        if is_run_directory(&path) {
            add(path);
        } else if depth > 1 {
            scan(&path, depth - 1, add)?;
        }
    }
    Ok(())
}

/// Returns the entries of a directory, sorted; empty if the directory does not exist.
fn read_dir(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot list `{}`", dir.display()));
        }
    };
    let mut paths = entries
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("cannot list `{}`", dir.display()))?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(root: &Path, name: &str) {
        std::fs::create_dir_all(root.join(name)).unwrap();
        std::fs::write(root.join(name).join("job_summary.json"), "{}").unwrap();
    }

    #[test]
    fn jobs_are_found_by_id_prefix_and_path() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["alpha_1", "alpha_12", "deep/er/beta_1"] {
            job(dir.path(), name);
        }
        std::fs::create_dir_all(dir.path().join("alpha_3")).unwrap();
        let finder = JobFinder::new(Some(dir.path()));
        let id = |job: &str| {
            finder
                .find(job)
                .map(|paths| paths.job_id())
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            id("alpha_1").unwrap(),
            "alpha_1",
            "an exact id wins over longer ones"
        );
        assert_eq!(id("b").unwrap(), "beta_1");
        assert_eq!(id("deep/er/beta_1").unwrap(), "beta_1");
        assert_eq!(
            id(dir.path().join("alpha_12").to_str().unwrap()).unwrap(),
            "alpha_12"
        );
        let ambiguous = id("alpha").unwrap_err();
        assert!(
            ambiguous.contains("alpha_1`") && ambiguous.contains("alpha_12`"),
            "{ambiguous}"
        );
        assert!(id("betta_1").unwrap_err().contains("did you mean `beta_1`"));
        assert!(
            id("alpha_3").unwrap_err().contains("no job `alpha_3`"),
            "a directory without a job is no job"
        );
        assert!(id("").is_err());
    }

    #[test]
    fn registered_jobs_are_found_from_anywhere_until_their_directory_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let registry = dir.path().join("registry");
        for place in ["a", "b"] {
            let root = dir.path().join(place);
            job(&root, "same_id");
            register_in(&registry, &RunPaths::new(root.join("same_id")), "same_id").unwrap();
        }
        let finder = JobFinder {
            roots: Vec::new(),
            registry: Some(registry),
        };
        assert!(finder.find("same_id").unwrap_err().is::<UserError>());
        let unknown = finder.find("other").unwrap_err().to_string();
        assert!(unknown.ends_with("there are `same_id`"), "{unknown}");
        std::fs::remove_dir_all(dir.path().join("a")).unwrap();
        assert_eq!(
            finder.find("same").unwrap().root(),
            dir.path().join("b/same_id")
        );
    }
}
