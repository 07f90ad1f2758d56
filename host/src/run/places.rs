//! Checks where the result and the job's own files will go: an obstacle must show before the work,
//! not hours later at its end.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use anyhow::Result;

use crate::config::Resolved;
use crate::data::export::target::is_hub_shard;
use crate::data::{Dataset, ExportTarget, InputFile};
use crate::error::UserError;
use crate::remote::address::{Address, Scheme, is_address, of_path};
use crate::remote::{check_writable, hub};
use crate::rundir::{RunPaths, mirror};
use crate::threads::inherit;

/// Longest path of the system, minus room for the names inside a run directory.
const MAX_PATH: usize = 4096 - 256;

/// Checks all places that the job will write to. Fails with a [`UserError`].
pub(crate) fn check(target: &ExportTarget, dataset: &Dataset, resolved: &Resolved) -> Result<()> {
    check_export(target, dataset, &resolved.sources)?;
    let dirs = &resolved.dirs;
    let kept = dirs.run_address.as_deref().and_then(of_path);
    // Each waits for some answers of a server.
    std::thread::scope(|scope| {
        let kept = kept.map(|address| scope.spawn(inherit(move || mirror::check(&address))));
        if let Some(address) = &target.remote {
            let creates = resolved.config.push_to_hub.create_repo;
            check_address(address, target, dataset, &resolved.sources, creates)?;
        }
        match kept.map(ScopedJoinHandle::join) {
            None => anyhow::Ok(()),
            Some(Ok(checked)) => Ok(checked?),
            Some(Err(panic)) => std::panic::resume_unwind(panic),
        }
    })?;
    check_own_names(target, resolved)?;
    let places = [
        ("work_dir", &dirs.run_dir),
        ("event_log_dir", &dirs.event_log_dir),
        ("checkpoint_dir", &dirs.checkpoint_dir),
        ("partition_dir", &dirs.partition_dir),
    ];
    for (key, dir) in places {
        check_directory(
            &format!("{key} `{}`", dir.display()),
            &std::path::absolute(dir)?,
        )?;
    }
    Ok(())
}

/// Checks that the run directory is used by jobs only: a job removes files there that have the
/// names of its own.
pub(crate) fn check_run_dir(paths: &RunPaths) -> Result<()> {
    let is_filled =
        |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    let foreign = paths.directories().into_iter().find(|dir| is_filled(dir));
    let Some(foreign) = foreign.filter(|_| !paths.summary().exists() && !paths.lock().exists())
    else {
        return Ok(());
    };
    let message = format!(
        "the run directory would be `{}`, but `{}` in it does not belong to a job",
        paths.root().display(),
        foreign.display()
    );
    Err(UserError::new("work_dir", message)
        .hint("name the job otherwise (`job_id`), or give run directories a place of their own (`work_dir`)")
        .into())
}

fn check_export(target: &ExportTarget, dataset: &Dataset, sources: &[String]) -> Result<()> {
    let place = || format!("export_path `{}`", target.shown());
    if target.split.is_some() {
        check_dataset(&place(), &target.path)?;
    } else if target.path.is_dir() {
        return Err(UserError::new(place(), "this is a directory")
            .hint("give the path of a file")
            .into());
    }
    let is_special = |there: std::fs::Metadata| !there.is_file() && !there.is_dir();
    if target.path.metadata().is_ok_and(is_special) {
        return Err(
            UserError::new(place(), "this is a device, a pipe or a socket, not a file")
                .hint("give the path of a file: the result appears there whole, by a rename")
                .into(),
        );
    }
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let there = real(&target.path);
    let is_written = match target.shard_size {
        None => there.is_some() && dataset.files.iter().any(|f| real(&f.path) == there),
        Some(_) => dataset.files.iter().any(|f| target.is_shard(&f.path)),
    };
    if is_written {
        return Err(UserError::new(place(), "this is a file of the dataset")
            .hint("write the result to another file")
            .into());
    }
    // A continued job, or the next one, would read the result as input.
    let path = std::path::absolute(&target.path)?;
    let above = path.ancestors().skip(1).find_map(real);
    let directories = sources
        .iter()
        .map(Path::new)
        .filter(|source| source.is_dir())
        .filter_map(real);
    if let Some(directory) = above.and_then(|above| {
        directories
            .into_iter()
            .find(|directory| above.starts_with(directory))
    }) {
        return Err(UserError::new(
            place(),
            format!(
                "this is in the dataset's directory `{}`",
                directory.display()
            ),
        )
        .hint("write the result elsewhere, or name the files with a pattern such as `data/*.jsonl`")
        .into());
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    check_directory(&place(), directory)?;
    // The file names that the export will have.
    let mut names = vec![path.file_name().unwrap_or_default().to_owned()];
    if let Some(size) = target.shard_size.filter(|_| target.has_shards()) {
        // A guess: rows may grow on their way, here up to tenfold.
        let most = usize::try_from(10 * (dataset.bytes() / size.max(1) + 1)).unwrap_or(usize::MAX);
        names = vec![target.shard(most, most).into()];
    }
    let above = existing(directory);
    names
        .iter()
        .try_for_each(|name| check_name(&place(), name, above))?;
    if target.shard_size.is_none()
        && let Some(there) = &there
    {
        check_replaceable(&place(), there)?;
    }
    Ok(())
}

/// Checks that a dataset can be put in the place of what is at `path`: nothing, an empty directory,
/// or an earlier dataset. Whatever else is there would be lost.
fn check_dataset(place: &str, path: &Path) -> Result<()> {
    let hint = "choose another name, or remove it";
    if path.metadata().is_ok_and(|there| !there.is_dir()) {
        let message = "this is a file, and `export_type: hf` writes a directory";
        return Err(UserError::new(place, message).hint(hint).into());
    }
    let mut open = vec![(path.to_owned(), String::new())];
    while let Some((dir, name)) = open.pop() {
        let entries = match std::fs::read_dir(&dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => {
                let message = format!("`{}` cannot be read: {e}", dir.display());
                return Err(UserError::new(place, message).into());
            }
            Ok(entries) => entries,
        };
        for entry in entries {
            let entry = entry?;
            let own = entry.file_name().to_string_lossy().into_owned();
            let is_dir = entry.file_type()?.is_dir();
            let name = format!("{name}{own}");
            match is_dir {
                true if name == "data" => open.push((entry.path(), "data/".to_owned())),
                false if name == "README.md" || is_hub_shard(&name, None) => {}
                _ => {
                    let message = format!(
                        "`{name}` in this directory is no part of an earlier export, and would be lost"
                    );
                    return Err(UserError::new(place, message)
                        .hint("give the path of a directory that does not exist yet")
                        .into());
                }
            }
        }
    }
    Ok(())
}

/// Fails if the dataset of the hub that is written to is one that is read.
fn check_other_dataset(address: &Address, sources: &[String]) -> Result<(), UserError> {
    let branch = |address: &Address| {
        let (name, branch) = address
            .host
            .split_once('@')
            .unwrap_or((&address.host, "main"));
        (name.to_owned(), branch.to_owned())
    };
    let is_it = |source: &&String| {
        let source = is_address(source)
            .then(|| Address::parse(source).ok())
            .flatten();
        source.is_some_and(|s| s.scheme == Scheme::Hub && branch(&s) == branch(address))
    };
    match sources.iter().find(is_it) {
        // A continued job would find its own result where its input was.
        Some(source) => Err(UserError::new(
            format!("export_path `{address}`"),
            format!("this is the dataset that is read (`{source}`)"),
        )
        .hint("write to another branch or dataset, or read a commit: `hf://datasets/OWNER/NAME@COMMIT`")),
        None => Ok(()),
    }
}

/// Checks that the result can be put to its address, and is no part of the dataset there.
fn check_address(
    address: &Path,
    target: &ExportTarget,
    dataset: &Dataset,
    sources: &[String],
    creates: bool,
) -> Result<()> {
    let there = Address::parse_target(&address.to_string_lossy())?;
    let (text, address) = (&there.text, Path::new(&there.text));
    let place = || format!("export_path `{text}`");
    let above = |path: &Path| {
        let text = path.to_string_lossy();
        text.rsplit_once('/').map(|(above, _)| above.to_owned())
    };
    let is_written = |file: &InputFile| match target.shard_size {
        None => file.path == address,
        Some(_) => {
            let name = file.path.file_name().unwrap_or_default();
            target.is_shard_name(&name.to_string_lossy()) && above(&file.path) == above(address)
        }
    };
    if dataset.files.iter().any(is_written) {
        return Err(UserError::new(place(), "this is a file of the dataset")
            .hint("write the result to another object")
            .into());
    }
    let is_above = |source: &&String| {
        is_address(source)
            && Address::parse(source).is_ok_and(|source| {
                text.strip_prefix(source.text.trim_end_matches('/'))
                    .is_some_and(|rest| rest.starts_with('/'))
            })
    };
    if let Some(source) = sources.iter().find(is_above) {
        // A continued job, or the next one, would read the result as input.
        return Err(UserError::new(place(), format!("this is below the dataset's prefix `{source}`"))
            .hint("write the result elsewhere, or name the objects with a pattern such as `s3://BUCKET/data/*.jsonl`")
            .into());
    }
    if there.scheme == Scheme::Hub {
        check_other_dataset(&there, sources)?;
        return Ok(hub::check_writable(&there, creates).map_err(|e| e.at(place()))?);
    }
    Ok(check_writable(&there).map_err(|e| e.at(place()))?)
}

/// Checks that the result does not have the name of something that the job writes or removes.
fn check_own_names(target: &ExportTarget, resolved: &Resolved) -> Result<()> {
    let paths = RunPaths::new(&resolved.dirs.run_dir);
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let result = absolute(&target.path);
    let dirs = &resolved.dirs;
    let elsewhere = [
        dirs.checkpoint_dir.clone(),
        dirs.partition_dir.clone(),
        dirs.event_log_dir.clone(),
    ];
    let taken = paths
        .directories()
        .into_iter()
        .chain(elsewhere)
        .find(|dir| result.starts_with(absolute(dir)));
    let files = [
        paths.summary(),
        paths.plan(),
        paths.lock(),
        paths.stop_request(),
    ];
    let is_log = result
        .file_name()
        .is_some_and(|name| RunPaths::is_event_file(&name.to_string_lossy()))
        && result.parent() == Some(&absolute(paths.root()));
    let taken = taken
        .or_else(|| files.into_iter().find(|file| absolute(file) == result))
        .or(is_log.then(|| result.clone()));
    match taken {
        Some(own) => {
            Err(UserError::new(format!("export_path `{}`", target.path.display()), format!("`{}` is the job's own", own.display()))
                .hint("write the result to another directory: the job removes and replaces what is in its own")
                .into())
        }
        None => Ok(()),
    }
}

/// Returns the deepest ancestor of an absolute path that exists.
fn existing(path: &Path) -> &Path {
    path.ancestors()
        .find(|p| p.symlink_metadata().is_ok())
        .unwrap_or(Path::new("/"))
}

/// Checks that a directory exists or can be created.
fn check_directory(place: &str, path: &Path) -> Result<()> {
    let above = existing(path);
    if !above.is_dir() {
        return Err(
            UserError::new(place, format!("`{}` is not a directory", above.display())).into(),
        );
    }
    if let Err(error) = rustix::fs::access(above, rustix::fs::Access::WRITE_OK) {
        return Err(UserError::new(
            place,
            format!("`{}` cannot be written to: {error}", above.display()),
        )
        .into());
    }
    check_makes_files(place, above)?;
    let length = path.as_os_str().len();
    if length > MAX_PATH {
        return Err(UserError::new(
            place,
            format!("the path is too long: {length} bytes, and at most {MAX_PATH} can be used"),
        )
        .hint("choose a shorter path")
        .into());
    }
    let to_make = path.strip_prefix(above).unwrap_or(Path::new(""));
    to_make
        .iter()
        .try_for_each(|name| check_name(place, name, above))
}

/// File systems of the kernel (`linux/magic.h`), which hold what it shows and no files of others.
const SHOWN_BY_THE_KERNEL: [(rustix::fs::FsWord, &str); 14] = [
    (0x9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x27_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x1cd1, "devpts"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0xcafe_4a11, "bpf"),
    (0x6165_676c, "pstore"),
    (0xde5e_81e4, "efivarfs"),
    (0x6265_6570, "configfs"),
    (0x1980_0202, "mqueue"),
];

/// Whether files can be made in `directory`, which its permissions do not say.
fn check_makes_files(place: &str, directory: &Path) -> Result<()> {
    let shown = directory.display();
    if let Ok(fs) = rustix::fs::statfs(directory)
        && let Some((_, name)) = SHOWN_BY_THE_KERNEL
            .iter()
            .find(|(magic, _)| *magic == fs.f_type)
    {
        let message = format!(
            "`{shown}` is on a file system of the kernel ({name}), where no files can be made"
        );
        return Err(UserError::new(place, message)
            .hint("choose a directory on a disk")
            .into());
    }
    // Some file systems say that there are none while they make them as they are needed.
    let has_none =
        rustix::fs::statvfs(directory).is_ok_and(|fs| fs.f_files > 0 && fs.f_favail == 0);
    if has_none && let Err(error) = tempfile::tempfile_in(directory) {
        let message = format!("no further file can be made in `{shown}`: {error}");
        return Err(UserError::new(place, message)
            .hint("the file system has no inodes left (`df -i`): remove files, or choose another directory")
            .into());
    }
    Ok(())
}

/// Checks that the file system of `directory` allows a file of this name.
fn check_name(place: &str, name: &OsStr, directory: &Path) -> Result<()> {
    let longest = rustix::fs::statvfs(directory).map_or(255, |fs| fs.f_namemax);
    let length = name.len() as u64;
    if longest > 0 && length > longest {
        let start: String = name.to_string_lossy().chars().take(40).collect();
        return Err(UserError::new(
            place,
            format!(
                "the name `{start}…` has {length} bytes, and at most {longest} are possible there"
            ),
        )
        .hint("choose a shorter name")
        .into());
    }
    Ok(())
}

/// Checks that a file can be replaced by a rename.
fn check_replaceable(place: &str, file: &Path) -> Result<()> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .any(|mount| unescaped(mount) == file)
    {
        return Err(UserError::new(
            place,
            "something is mounted at this file, so no other file can take its place",
        )
        .hint("mount a directory, and give the path of a file in it")
        .into());
    }
    const STICKY: u32 = 0o1000;
    if let (Ok(there), Some(Ok(directory))) = (file.metadata(), file.parent().map(Path::metadata)) {
        let me = rustix::process::geteuid().as_raw();
        if directory.mode() & STICKY != 0 && ![0, there.uid(), directory.uid()].contains(&me) {
            return Err(UserError::new(place, "this file belongs to somebody else, and in its directory only the owner can replace it")
                .hint("choose another name or directory")
                .into());
        }
    }
    Ok(())
}

/// Decodes a path of `mountinfo`, where blanks and the like are octal numbers.
fn unescaped(text: &str) -> PathBuf {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let code = more
            .get(..3)
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match (first, code) {
            (b'\\', Some(code)) => {
                out.push(code);
                rest = &more[3..];
            }
            _ => {
                out.push(*first);
                rest = more;
            }
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_have_a_longest() {
        let here = Path::new("/");
        assert!(check_name("p", OsStr::new(&"x".repeat(255)), here).is_ok());
        assert!(
            check_name("p", OsStr::new(&"x".repeat(300)), here)
                .unwrap_err()
                .to_string()
                .contains("300 bytes")
        );
        let deep = Path::new("/").join("tmp").join("a/".repeat(3000));
        assert!(
            check_directory("p", &deep)
                .unwrap_err()
                .to_string()
                .contains("too long")
        );
        let name = format!("/tmp/new/{}/x", "y".repeat(256));
        assert!(
            check_directory("p", Path::new(&name))
                .unwrap_err()
                .to_string()
                .contains("256 bytes")
        );
    }

    #[test]
    fn mounts_are_read_as_they_are_written() {
        assert_eq!(unescaped("/a\\040b\\134c/d"), Path::new("/a b\\c/d"));
        assert_eq!(unescaped("/plain\\"), Path::new("/plain\\"));
    }
}
