//! Options from the command line and the environment.
//!
//! Command line: `--key value`, `--key=value`, `--key+=value` (adds to a list), and `--flag` alone
//! for true. Dashes and underscores are equivalent. Parameters of operators:
//! `--text_length_filter.min_len 5`, for all uses of that operator in `process`.
//!
//! Environment: `DJHOST_` or Data-Juicer's `DJ_PROCESS_`, then the key in capitals with `__` for
//! each dot: `DJHOST_CHECKPOINT__STRATEGY=manual`. If both are set, `DJHOST_` takes precedence.

use std::ffi::{OsStr, OsString};

use clap::Command;

use super::declare::{Entry, Given};
use super::options::Config;
use crate::error::{UserError, UserErrors};

/// One option that was given outside the recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Dotted key, with underscores.
    pub key: String,
    /// The value: text of a command line or the environment, or what a program gave.
    pub value: Given,
    /// Whether the value is added to a list.
    pub append: bool,
    /// The option or variable as errors name it: `--checkpoint.n_ops`, `DJHOST_NP`; a program's
    /// argument by its key.
    pub source: String,
}

impl Override {
    /// Creates an override by a text, as a command line has it.
    pub fn text(key: &str, text: String, source: String) -> Self {
        Self {
            key: key.to_owned(),
            value: Given::Text(text),
            append: false,
            source,
        }
    }

    /// Returns the text, if it is one of a command line or the environment.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Given::Text(text) => Some(text),
            Given::Value(_) => None,
        }
    }

    /// Creates an override that a program gives as a value of the recipe. Errors name its key.
    pub fn value(key: &str, value: serde_json::Value) -> Self {
        Self {
            key: key.to_owned(),
            value: Given::Value(value),
            append: false,
            source: key.to_owned(),
        }
    }
}

/// The arguments of a subcommand, separated into its own and the recipe's.
#[derive(Debug, Default)]
pub struct Split {
    /// Arguments for clap: positional ones and the options that the command declares.
    pub rest: Vec<OsString>,
    /// All other options, in order.
    pub overrides: Vec<Override>,
}

/// Separates the arguments after the subcommand's name. Options that `command` declares stay for
/// clap, unless they are also options of the recipe, which clap declares for its help only. Every
/// other `--…` is an override.
pub fn split_overrides(args: &[OsString], command: &Command) -> Result<Split, UserErrors> {
    let entries = Config::default().entries();
    let mut split = Split::default();
    let mut errors = Vec::new();
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        if arg == "--" {
            split.rest.push(arg.clone());
            split.rest.extend(args.cloned());
            break;
        }
        if arg.to_str().is_none() && arg.as_encoded_bytes().starts_with(b"--") {
            errors.push(UserError::new(
                arg.to_string_lossy(),
                "the option is not UTF-8 text",
            ));
            continue;
        }
        let Some((name, inline)) = arg.to_str().and_then(long_option) else {
            split.rest.push(arg.clone());
            continue;
        };
        let (name, append) = match name.strip_suffix('+') {
            Some(name) if inline.is_some() => (name, true),
            _ => (name, false),
        };
        let key = name.replace('-', "_");
        let entry = entries.iter().find(|e| e.key == key && !e.is_section);
        if entry.is_none()
            && let Some(takes_value) = own_option(command, &key)
        {
            split.rest.push(arg.clone());
            if takes_value && inline.is_none() {
                split.rest.extend(args.next().cloned());
            }
            continue;
        }
        let source = format!("--{name}");
        let text: Option<OsString> = match inline {
            Some(text) => Some(text.into()),
            None => value_after(entry, &mut args),
        };
        match text.as_deref().map(OsStr::to_str) {
            None => errors.push(
                UserError::new(source, "needs a value")
                    .hint(format!("`--{name} VALUE` or `--{name}=VALUE`")),
            ),
            Some(None) => errors.push(UserError::new(source, "the value is not UTF-8 text")),
            Some(Some(text)) => split.overrides.push(Override {
                append,
                ..Override::text(&key, text.to_owned(), source)
            }),
        }
    }
    collect_lists(&mut split.overrides, &entries);
    if errors.is_empty() {
        Ok(split)
    } else {
        Err(UserErrors(errors))
    }
}

/// Splits `--name` and `--name=value`; None for anything else.
fn long_option(arg: &str) -> Option<(&str, Option<&str>)> {
    let arg = arg.strip_prefix("--")?;
    Some(
        arg.split_once('=')
            .map_or((arg, None), |(name, value)| (name, Some(value))),
    )
}

/// Returns None if `command` does not declare the option, or else whether it takes a value.
fn own_option(command: &Command, key: &str) -> Option<bool> {
    let same = |name: &str| name.replace('-', "_") == key;
    if matches!(key, "help" | "version") {
        return Some(false);
    }
    let arg = command.get_arguments().find(|a| {
        a.get_long().is_some_and(same)
            || a.get_all_aliases()
                .is_some_and(|names| names.into_iter().any(same))
    })?;
    Some(arg.get_action().takes_values())
}

/// Returns the value in the next argument. A flag takes it only if it can be a boolean:
/// `--keep_stats_in_res_ds recipe.yaml` is a flag and a file.
fn value_after<'a>(
    entry: Option<&Entry>,
    args: &mut std::iter::Peekable<impl Iterator<Item = &'a OsString>>,
) -> Option<OsString> {
    let is_flag = entry.is_some_and(|e| e.is_flag);
    let next = args.next_if(|next| {
        let bytes = next.as_encoded_bytes();
        let option = bytes.starts_with(b"--") && bytes.len() > 2;
        let word = || {
            next.to_str().is_some_and(|s| {
                ["true", "false", "yes", "no", "on", "off", "null"]
                    .contains(&s.to_ascii_lowercase().as_str())
            })
        };
        !option && (!is_flag || word())
    });
    match next {
        Some(value) => Some(value.clone()),
        None if is_flag => Some("true".into()),
        None => None,
    }
}

/// Merges repeated list options: `--plugins a --plugins b`.
fn collect_lists(overrides: &mut [Override], entries: &[Entry]) {
    let mut seen = Vec::new();
    for item in overrides {
        let is_list = entries
            .iter()
            .any(|e| e.key == item.key && e.value.is_array());
        if is_list && seen.contains(&item.key) {
            item.append = true;
        }
        seen.push(item.key.clone());
    }
}

/// Prefixes of environment variables; later ones take precedence.
pub const ENV_PREFIXES: [&str; 2] = ["DJ_PROCESS_", "DJHOST_"];

/// Variables with such a prefix that are not options: the cache of compiled components, and
/// settings of tests, benches and the build scripts of the SDKs.
const OTHER_VARIABLES: [&str; 4] = [
    "DJHOST_CACHE_DIR",
    "DJHOST_TEST_",
    "DJHOST_BENCH_",
    "DJHOST_SDK_",
];

/// Returns the overrides in the environment, weakest first. Fails if a value is not UTF-8.
pub fn env_overrides(
    vars: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<Override>, UserErrors> {
    let mut found = Vec::new();
    let mut errors = Vec::new();
    for (name, value) in vars.filter(|(_, value)| !value.is_empty()) {
        let Some(name) = name
            .to_str()
            .filter(|n| !OTHER_VARIABLES.iter().any(|other| n.starts_with(other)))
        else {
            continue;
        };
        let Some(rank) = ENV_PREFIXES
            .iter()
            .position(|prefix| name.starts_with(prefix))
        else {
            continue;
        };
        let key = name[ENV_PREFIXES[rank].len()..]
            .to_lowercase()
            .replace("__", ".");
        match value.into_string() {
            Ok(text) => found.push((rank, Override::text(&key, text, name.to_owned()))),
            Err(_) => errors.push(UserError::new(name, "the value is not UTF-8 text")),
        }
    }
    found.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
    if errors.is_empty() {
        Ok(found.into_iter().map(|(_, o)| o).collect())
    } else {
        Err(UserErrors(errors))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    fn text(given: &Override) -> &str {
        match &given.value {
            Given::Text(text) => text,
            Given::Value(_) => panic!("no text"),
        }
    }

    fn split(args: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
        let command = Command::new("run")
            .arg(Arg::new("path"))
            .arg(Arg::new("config").long("config"))
            .arg(Arg::new("base-dir").long("base-dir"))
            .arg(Arg::new("np").long("np"))
            .arg(Arg::new("fresh").long("fresh").action(ArgAction::SetTrue));
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let split = split_overrides(&args, &command).map_err(|e| e.to_string())?;
        let shown = |o: &Override| {
            let equals = if o.append { "+=" } else { "=" };
            format!("{}{equals}{}", o.key, text(o))
        };
        Ok((
            split
                .rest
                .into_iter()
                .map(|a| a.into_string().unwrap())
                .collect(),
            split.overrides.iter().map(shown).collect(),
        ))
    }

    #[test]
    fn arguments_are_sorted() {
        for (args, rest, overrides) in [
            (&["r.yaml", "--np", "4"][..], &["r.yaml"][..], &["np=4"][..]),
            (
                &["--np=4", "r.yaml", "--fresh"],
                &["r.yaml", "--fresh"],
                &["np=4"],
            ),
            (
                &["--config", "r.yaml", "--job-id", "x"],
                &["--config", "r.yaml"],
                &["job_id=x"],
            ),
            (
                &["--config=r.yaml", "--base_dir", "out"],
                &["--config=r.yaml", "--base_dir", "out"],
                &[],
            ),
            (
                &["--keep-stats-in-res-ds", "r.yaml"],
                &["r.yaml"],
                &["keep_stats_in_res_ds=true"],
            ),
            (
                &["--keep_stats_in_res_ds", "no", "r.yaml"],
                &["r.yaml"],
                &["keep_stats_in_res_ds=no"],
            ),
            (
                &["--event_logging.enabled", "--seed", "1"],
                &[],
                &["event_logging.enabled=true", "seed=1"],
            ),
            (
                &["--a_filter.min", "-5", "-v"],
                &["-v"],
                &["a_filter.min=-5"],
            ),
            (
                &["--a_filter.text=", "--work_dir", "a=b"],
                &[],
                &["a_filter.text=", "work_dir=a=b"],
            ),
            (
                &["--plugins", "a", "--plugins=b"],
                &[],
                &["plugins=a", "plugins+=b"],
            ),
            (
                &["--checkpoint.op_names+=a"],
                &[],
                &["checkpoint.op_names+=a"],
            ),
            (&["--help"], &["--help"], &[]),
            (
                &["r.yaml", "--", "--np", "4"],
                &["r.yaml", "--", "--np", "4"],
                &[],
            ),
        ] {
            let (got_rest, got) = split(args).unwrap();
            assert_eq!(
                (got_rest, got),
                (
                    rest.iter().map(|s| (*s).to_owned()).collect(),
                    overrides.iter().map(|s| (*s).to_owned()).collect()
                ),
                "{args:?}"
            );
        }
        assert!(
            split(&["--np"])
                .unwrap_err()
                .starts_with("--np: needs a value")
        );
    }

    #[test]
    fn our_prefix_holds_over_data_juicers() {
        let vars = [
            ("DJHOST_NP", "2"),
            ("PATH", "/bin"),
            ("DJ_PROCESS_NP", "4"),
            ("DJ_PROCESS_PARTITION__SIZE", "10"),
        ];
        let found = env_overrides(vars.iter().map(|(k, v)| (k.into(), v.into()))).unwrap();
        let shown: Vec<String> = found
            .iter()
            .map(|o| format!("{}={} ({})", o.key, text(o), o.source))
            .collect();
        assert_eq!(
            shown,
            [
                "np=4 (DJ_PROCESS_NP)",
                "partition.size=10 (DJ_PROCESS_PARTITION__SIZE)",
                "np=2 (DJHOST_NP)"
            ]
        );
    }
}
