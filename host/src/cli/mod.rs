//! The subcommands: typed arguments and what they print.

pub mod config;
pub mod jobs;
pub mod logs;
pub mod monitor;
pub mod ops;
pub mod plan;
pub mod quarantine;
pub mod run;
pub mod stop;
mod watch;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Override, split_overrides};

/// Runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
#[derive(Parser)]
#[command(name = "djhost", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the job failed; it can be continued once the cause is mended
  2  the command line, recipe, dataset or a plugin is not usable; nothing was started
  3  stopped on request; it can be continued
  4  done, with rows in quarantine (only with --strict)
`djhost stop` has further ones: see `djhost stop --help`";

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Config(config::ConfigArgs),
    Ops(ops::OpsArgs),
    Monitor(monitor::MonitorArgs),
    Stop(stop::StopArgs),
    Jobs(jobs::JobsArgs),
    Logs(logs::LogsArgs),
    Quarantine(quarantine::QuarantineArgs),
}

/// Runs the program with the process's arguments; gives the exit code.
pub fn main(args: Vec<OsString>) -> anyhow::Result<u8> {
    let (args, overrides) = sort(args)?;
    let matches = match with_options_help(Cli::command()).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are no errors; clap prints each to where it belongs.
            let code = if error.use_stderr() { crate::error::exit::USAGE } else { crate::error::exit::DONE };
            return match error.print() {
                // What is wrong with the command line is wrong also if it cannot be said.
                Err(failed) if !error.use_stderr() && failed.kind() != std::io::ErrorKind::BrokenPipe => Err(failed.into()),
                _ => Ok(code),
            };
        }
    };
    match Cli::from_arg_matches(&matches)?.command {
        Command::Run(args) => run::run(&args, &overrides),
        Command::Plan(args) => plan::run(&args, &overrides),
        Command::Config(args) => config::config(&args, &overrides).map(|()| 0),
        Command::Ops(args) => ops::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Quarantine(args) => quarantine::run(&args),
    }
}

/// For subcommands that take a recipe: takes the recipe's options (`--checkpoint.n_ops 3`) out of the arguments.
fn sort(args: Vec<OsString>) -> anyhow::Result<(Vec<OsString>, Vec<Override>)> {
    let takes_recipe = args.get(1).and_then(|a| a.to_str()).filter(|a| ["run", "plan", "config"].contains(a));
    let Some(name) = takes_recipe else { return Ok((args, Vec::new())) };
    let cli = Cli::command();
    let Some(command) = cli.find_subcommand(name) else { return Ok((args, Vec::new())) };
    let split = split_overrides(&args[2..], command)?;
    let kept = args[..2].iter().cloned().chain(split.rest).collect();
    Ok((kept, split.overrides))
}

/// `djhost run --help` lists every option of a recipe.
fn with_options_help(mut cli: clap::Command) -> clap::Command {
    for name in ["run", "plan"] {
        cli = cli.mut_subcommand(name, |c| {
            c.after_long_help(crate::config::options_help())
                .override_usage(format!("djhost {name} CONFIG [--plugins DIR]… [OPTIONS] [--KEY VALUE]…"))
        });
    }
    cli
}

/// Prints to stdout; a reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use anyhow::Context;
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot write to standard output"),
        _ => Ok(()),
    }
}
