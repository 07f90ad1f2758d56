//! What a cluster gets of a job that is submitted to it: the program, the recipe, and plugins; and the
//! command that runs it there.

use std::path::Path;

use anyhow::{Context, Result};
use xxhash_rust::xxh3::xxh3_128;

use super::zip::Zip;
use crate::config::Resolved;
use crate::error::UserError;
use crate::remote::address::is_address;
use crate::run::RunOptions;
use crate::wasm::this_program;

/// The largest package that Ray takes.
const MOST_BYTES: usize = 100 << 20;
const PROGRAM: &str = "djhost";
const RECIPE: &str = "recipe.yaml";
const PLUGINS: &str = "plugins";

/// A package.
pub(super) struct Package {
    /// What Ray calls it; the same for the same content.
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

impl Package {
    /// Of the job `resolved`, which is without mistakes.
    pub(super) fn of(resolved: &Resolved) -> Result<Self> {
        let mut zip = Zip::default();
        if resolved.config.ray.binary.is_none() {
            let own = this_program().context("the program cannot be found")?;
            let bytes =
                std::fs::read(&own).with_context(|| format!("cannot read `{}`", own.display()))?;
            zip.add(PROGRAM, 0o755, &bytes)?;
        }
        zip.add(RECIPE, 0o644, recipe(resolved).as_bytes())?;
        for (number, dir) in local_plugins(resolved).enumerate() {
            add_plugins(&mut zip, Path::new(dir), &format!("{PLUGINS}/{number}"))?;
        }
        let content = zip.finish()?;
        if content.len() > MOST_BYTES {
            return Err(UserError::new(
                resolved.place("ray_address"),
                format!(
                    "the package of the job has {} MiB, and Ray takes {}",
                    content.len() >> 20,
                    MOST_BYTES >> 20
                ),
            )
            .hint("put the program where all nodes see it, and name it by `ray.binary`; put plugins there, too, or into a bucket")
            .into());
        }
        Ok(Self {
            name: format!("_ray_pkg_{:032x}.zip", xxh3_128(&content)),
            content,
        })
    }
}

/// The recipe with all options, for the process that runs the job: plugins are in the package, and the
/// cluster is the one that it runs on.
fn recipe(resolved: &Resolved) -> String {
    let mut there = resolved.clone();
    let config = &mut there.config;
    config.ray_address = "auto".to_owned();
    config.plugins.0.retain(|dir| is_address(dir));
    there.to_yaml()
}

/// The directories of plugins on this machine.
fn local_plugins(resolved: &Resolved) -> impl Iterator<Item = &String> {
    let dirs = resolved.config.plugins.0.iter();
    dirs.filter(|dir| !is_address(dir))
}

/// Adds the components below `dir`, and what pins them.
fn add_plugins(zip: &mut Zip, dir: &Path, to: &str) -> Result<()> {
    let context = || format!("cannot read `{}`", dir.display());
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .with_context(context)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()
        .with_context(context)?;
    names.sort();
    for name in names {
        let path = dir.join(&name);
        let name = format!("{to}/{}", name.to_string_lossy());
        if path.is_dir() {
            add_plugins(zip, &path, &name)?;
        } else if name.ends_with(".wasm") || name.ends_with(".lock") {
            let bytes = std::fs::read(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            zip.add(&name, 0o644, &bytes)?;
        }
    }
    Ok(())
}

/// The command that runs the job in the unpacked package.
pub(super) fn run_command(resolved: &Resolved, options: &RunOptions) -> Result<String> {
    let mut words = vec![
        program(resolved)?,
        "run".to_owned(),
        format!("\"$PACKAGE/{RECIPE}\""),
    ];
    if resolved.config.resume.is_none() {
        words.extend(["--job_id".to_owned(), quoted(&resolved.dirs.job_id)?]);
    }
    for (number, _) in local_plugins(resolved).enumerate() {
        words.extend([
            "--plugins".to_owned(),
            format!("\"$PACKAGE/{PLUGINS}/{number}\""),
        ]);
    }
    for (flag, is_set) in [
        ("--fresh", options.fresh),
        ("--strict", options.strict),
        ("--quiet", options.quiet),
    ] {
        words.extend(is_set.then(|| flag.to_owned()));
    }
    Ok(format!("{}exec {}", begin(resolved)?, words.join(" ")))
}

/// The command that asks the job to stop.
pub(super) fn stop_command(resolved: &Resolved) -> Result<String> {
    let run_dir = resolved.dirs.run_dir.display().to_string();
    Ok(format!(
        "{}exec {} stop {} --timeout 0",
        begin(resolved)?,
        program(resolved)?,
        quoted(&run_dir)?
    ))
}

/// Goes to where the paths of the recipe begin, if that is there; it has to be if one does begin there.
fn begin(resolved: &Resolved) -> Result<String> {
    let directory = std::env::current_dir().context("there is no working directory")?;
    let directory = quoted(&directory.display().to_string())?;
    let otherwise = match has_relative_paths(resolved) {
        true => format!(
            "|| {{ echo \"error: machine $(hostname) does not see \"{directory}\", where the paths of the recipe begin\" >&2; exit 2; }}"
        ),
        false => "2>/dev/null || true".to_owned(),
    };
    Ok(format!(
        "PACKAGE=$PWD; chmod +x \"$PACKAGE/{PROGRAM}\" 2>/dev/null; cd {directory} {otherwise}; "
    ))
}

fn has_relative_paths(resolved: &Resolved) -> bool {
    let dirs = &resolved.dirs;
    let is_relative = |path: &str| !is_address(path) && Path::new(path).is_relative();
    resolved.sources.iter().any(|source| is_relative(source))
        || dirs.run_dir.is_relative()
        || dirs.export_path.is_relative() && dirs.export_address.is_none()
}

fn program(resolved: &Resolved) -> Result<String> {
    match &resolved.config.ray.binary {
        Some(binary) => quoted(binary),
        None => Ok(format!("\"$PACKAGE/{PROGRAM}\"")),
    }
}

fn quoted(text: &str) -> Result<String> {
    let quoted = shlex::try_quote(text).context("a name with a zero byte")?;
    Ok(quoted.into_owned())
}
