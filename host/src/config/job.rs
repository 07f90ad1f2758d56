//! The name and the directories of a job. The rules are Data-Juicer's, except that `{work_dir}`
//! always means the run directory.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::options::Config;
use crate::error::UserError;
use crate::remote::address::{Address, is_address};
use crate::rundir::RunPaths;
use crate::rundir::mirror::mirror_dir;

/// Where a job keeps its files. Paths are as the recipe has them: relative paths are relative to
/// the working directory.
#[derive(Debug, Clone, PartialEq)]
pub struct JobDirs {
    /// The job id.
    pub job_id: String,
    /// Whether the user chose the name (`job_id` or `resume`), so that an existing job is
    /// continued.
    pub named: bool,
    /// Whether the job must exist already (`resume`).
    pub must_exist: bool,
    /// The run directory, `{work_dir}/{job_id}`. If that is in a bucket, the copy of it in the
    /// user's cache.
    pub run_dir: PathBuf,
    /// The address of the run directory, if it is in a bucket.
    pub run_address: Option<PathBuf>,
    /// Path of the export.
    pub export_path: PathBuf,
    /// The address that the export gets in the end; `export_path` is in the run directory then.
    pub export_address: Option<PathBuf>,
    /// Directory for the logs.
    pub event_log_dir: PathBuf,
    /// Directory for checkpoints.
    pub checkpoint_dir: PathBuf,
    /// Directory for unpacked input and the table of partitions.
    pub partition_dir: PathBuf,
}

/// Key, message and hint of a mistake.
type Mistake = (&'static str, String, String);

/// Returns the directories that `config` asks for, or the mistakes as (key, message, hint).
pub(crate) fn job_dirs(config: &Config) -> Result<JobDirs, Vec<Mistake>> {
    let mut wrong = Vec::new();
    let named = config.resume.is_some() || config.job_id.is_some();
    let job_id = job_id(config, &mut wrong);
    let work_dir = work_dir(config, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let export = config.export_path.replace("{job_id}", &job_id);
    let mut run_dir = PathBuf::from(work_dir.replace("{job_id}", &job_id));
    if run_dir
        .file_name()
        .is_none_or(|name| name != job_id.as_str())
    {
        run_dir.push(&job_id);
    }
    let mut run_address = None;
    let text = run_dir.to_string_lossy().into_owned();
    if is_address(&text) {
        match in_bucket(config, &text) {
            Ok((address, mirror)) => {
                run_address = Some(PathBuf::from(address.text));
                run_dir = mirror;
            }
            Err(mistake) => return Err(vec![mistake]),
        }
    }
    let run_text = run_dir.to_string_lossy().into_owned();
    let place = |given: &Option<String>, name: &str| match given {
        Some(dir) => {
            let mut place = PathBuf::from(
                dir.replace("{job_id}", &job_id)
                    .replace("{work_dir}", &run_text),
            );
            // A job removes files in these directories, so no other job may use them.
            let is_own =
                dir.contains("{job_id}") || dir.contains("{work_dir}") && !dir.contains("..");
            if !is_own {
                place.push(&job_id);
            }
            place
        }
        None => run_dir.join(name),
    };
    let export = export.replace("{work_dir}", &run_text);
    let (export_path, export_address) = match is_address(&export) {
        true => {
            // Of all of a dataset its name, without the branch.
            let name = export
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let name = match export.starts_with("hf:") {
                true => name.split('@').next().unwrap_or(name),
                false => name,
            };
            let staged = RunPaths::new(&run_dir).staged_export(name);
            (staged, Some(PathBuf::from(&export)))
        }
        false => (PathBuf::from(&export), None),
    };
    Ok(JobDirs {
        export_path,
        export_address,
        event_log_dir: place(&config.event_log_dir, "logs"),
        checkpoint_dir: place(&config.checkpoint_dir, "checkpoints"),
        partition_dir: place(&config.partition_dir, "partitions"),
        named,
        must_exist: config.resume.is_some(),
        run_dir,
        run_address,
        job_id,
    })
}

/// Returns the address of a run directory, and where its copy is.
fn in_bucket(config: &Config, text: &str) -> Result<(Address, PathBuf), Mistake> {
    let mistake = |e: UserError| -> Mistake { ("work_dir", e.message, e.hint.unwrap_or_default()) };
    let elsewhere = [
        ("event_log_dir", &config.event_log_dir),
        ("checkpoint_dir", &config.checkpoint_dir),
        ("partition_dir", &config.partition_dir),
    ];
    if let Some((key, Some(dir))) = elsewhere.into_iter().find(|(_, dir)| dir.is_some()) {
        return Err((
            key,
            format!("`{dir}`: with `work_dir` in a bucket all of the run directory is there"),
            format!("leave out `{key}`"),
        ));
    }
    if config.export_path.contains("{work_dir}") {
        return Err((
            "export_path",
            "the result cannot be in a run directory that is in a bucket".to_owned(),
            "name another place, such as `s3://BUCKET/result.jsonl`".to_owned(),
        ));
    }
    let address = Address::parse_directory(text).map_err(mistake)?;
    let dir = mirror_dir(&address).map_err(mistake)?;
    Ok((address, dir))
}

/// Returns the name that the user chose, or a new one.
fn job_id(config: &Config, wrong: &mut Vec<Mistake>) -> String {
    if let (Some(resume), Some(job_id)) = (&config.resume, &config.job_id)
        && resume != job_id
    {
        wrong.push((
            "resume",
            format!("`resume` names the job `{resume}`, `job_id` the job `{job_id}`"),
            "give one of them".to_owned(),
        ));
    }
    let (key, chosen) = match &config.resume {
        Some(resume) => ("resume", Some(resume)),
        None => ("job_id", config.job_id.as_ref()),
    };
    let job_id = chosen.cloned().unwrap_or_else(new_job_id);
    if let Err(why) = check_job_id(&job_id) {
        wrong.push((
            key,
            format!("`{job_id}` cannot be a job's name: {why}"),
            "use letters, digits, `_`, `-` and `.`".to_owned(),
        ));
    }
    job_id
}

/// Returns where the run directory goes; may end in `{job_id}`.
fn work_dir(config: &Config, wrong: &mut Vec<Mistake>) -> String {
    let work_dir = match &config.work_dir {
        Some(dir) => dir.clone(),
        // Beside nothing on this machine.
        None if is_address(&config.export_path) => "./outputs".to_owned(),
        None => match Path::new(&config.export_path).parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_string_lossy().into_owned(),
            _ => ".".into(),
        },
    };
    if config.work_dir.is_none() && config.export_path.contains("{work_dir}") {
        wrong.push((
            "export_path",
            "`{work_dir}` is used, but `work_dir` is not given".to_owned(),
            "give `work_dir`".to_owned(),
        ));
    }
    if work_dir.contains("{job_id}") && !work_dir.trim_end_matches('/').ends_with("{job_id}") {
        let key = if config.work_dir.is_some() {
            "work_dir"
        } else {
            "export_path"
        };
        wrong.push((
            key,
            format!(
                "`{{job_id}}` must be the last part of the work directory, which is `{work_dir}`"
            ),
            "write `path/to/dir/{job_id}`, or leave it out: it is added by itself".to_owned(),
        ));
    }
    work_dir
}

/// Returns a new job id such as `20260801_101530_3f9a1c`: the time in UTC, and six hex digits to
/// tell two jobs of the same second apart.
pub fn new_job_id() -> String {
    let random = RandomState::new().hash_one(std::process::id()) & 0xff_ffff;
    format!(
        "{}_{random:06x}",
        Timestamp::now().strftime("%Y%m%d_%H%M%S")
    )
}

/// Checks that a text can be a job id. It becomes the name of a directory, so it must be a single
/// component of a path; with a leading `-` it would look like an option.
pub fn check_job_id(job_id: &str) -> Result<(), &'static str> {
    if job_id.is_empty() {
        Err("it is empty")
    } else if job_id.len() > 200 {
        Err("it is longer than 200 bytes")
    } else if job_id.starts_with(['.', '-']) {
        Err("it starts with `.` or `-`")
    } else if job_id.contains(['/', '\\', ':', '{', '}']) || job_id.chars().any(|c| c.is_control())
    {
        Err("it is not a plain file name")
    } else if job_id.trim() != job_id {
        Err("it starts or ends with a blank")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs(export: &str, work: Option<&str>) -> Result<(String, String), String> {
        let config = Config {
            export_path: export.into(),
            work_dir: work.map(str::to_owned),
            job_id: Some("j1".into()),
            checkpoint_dir: Some("{work_dir}/ck".into()),
            ..Config::default()
        };
        let dirs = job_dirs(&config).map_err(|wrong| wrong[0].1.clone())?;
        assert_eq!(dirs.checkpoint_dir, dirs.run_dir.join("ck"));
        assert_eq!(dirs.partition_dir, dirs.run_dir.join("partitions"));
        Ok((
            dirs.run_dir.display().to_string(),
            dirs.export_path.display().to_string(),
        ))
    }

    #[test]
    fn the_run_directory_ends_in_the_jobs_name() {
        for (export, work, run_dir, result) in [
            ("out/a/r.jsonl", None, "out/a/j1", "out/a/r.jsonl"),
            ("r.jsonl", None, "./j1", "r.jsonl"),
            ("/r.jsonl", None, "/j1", "/r.jsonl"),
            ("out/r.jsonl", Some("work"), "work/j1", "out/r.jsonl"),
            (
                "out/r.jsonl",
                Some("work/{job_id}"),
                "work/j1",
                "out/r.jsonl",
            ),
            (
                "out/r.jsonl",
                Some("work/{job_id}/"),
                "work/j1/",
                "out/r.jsonl",
            ),
            ("out/r.jsonl", Some("work/j1"), "work/j1", "out/r.jsonl"),
            ("out/{job_id}/r.jsonl", None, "out/j1", "out/j1/r.jsonl"),
            (
                "{work_dir}/r_{job_id}.jsonl",
                Some("work"),
                "work/j1",
                "work/j1/r_j1.jsonl",
            ),
        ] {
            assert_eq!(
                dirs(export, work),
                Ok((run_dir.into(), result.into())),
                "{export} {work:?}"
            );
        }
        assert!(
            dirs("out/{job_id}/sub/r.jsonl", None)
                .unwrap_err()
                .contains("must be the last part")
        );
        assert!(
            dirs("{work_dir}/r.jsonl", None)
                .unwrap_err()
                .contains("`work_dir` is not given")
        );
    }

    #[test]
    fn names_are_one_part_of_a_path() {
        for good in ["my_experiment_001", "007", "a.b-c", "größe", &new_job_id()] {
            assert_eq!(check_job_id(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "-rf",
            " a",
            "a\n",
            "a:b",
            "{job_id}",
            &"x".repeat(300),
        ] {
            assert!(check_job_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn new_names_have_date_time_and_six_hex_digits() {
        let name = new_job_id();
        let parts: Vec<&str> = name.split('_').collect();
        assert_eq!(
            parts.iter().map(|p| p.len()).collect::<Vec<_>>(),
            [8, 6, 6],
            "{name}"
        );
        assert!(
            parts[..2]
                .iter()
                .all(|p| p.bytes().all(|b| b.is_ascii_digit()))
        );
        assert!(parts[2].bytes().all(|b| b.is_ascii_hexdigit()));
    }
}
