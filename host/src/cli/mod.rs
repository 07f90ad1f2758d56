//! The subcommands: typed arguments and what they print.

mod again;
mod allocator;
pub mod analyze;
pub mod clean;
pub mod config;
pub mod dropped;
pub mod explain;
pub mod jobs;
mod loading;
pub mod logs;
pub mod monitor;
pub mod ops;
pub mod plan;
pub mod quarantine;
pub mod report;
pub mod run;
pub mod stop;
pub mod task;
mod watch;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{Override, split_overrides};
use crate::error::UserError;
use crate::term::{Color, ColorChoice, Style, say, wrap};

/// Runs Data-Juicer style recipes whose operators are sandboxed WebAssembly components.
#[derive(Parser)]
#[command(name = "djhost", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Widest help text, and its width if there is no terminal.
const HELP_WIDTH: usize = 100;

const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "done"),
    (
        "1",
        "the job failed; it can be continued once the cause is fixed",
    ),
    (
        "2",
        "the command line, recipe, dataset or a plugin is not usable; nothing was started",
    ),
    ("3", "stopped on request; it can be continued"),
    ("4", "done, with rows in quarantine (only with --strict)"),
    (
        "5",
        "done, but the result is not as `expect` in the recipe demands",
    ),
];

/// Returns the text below the list of subcommands.
fn exit_codes(width: usize) -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in EXIT_CODES {
        for (i, line) in wrap(meaning, width.saturating_sub(5).max(20))
            .iter()
            .enumerate()
        {
            text += &format!("  {}  {line}\n", if i == 0 { code } else { " " });
        }
    }
    text + &wrap(
        "`djhost stop` has further ones: see `djhost stop --help`",
        width,
    )
    .join("\n")
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Analyze(analyze::AnalyzeArgs),
    Config(config::ConfigArgs),
    Ops(ops::OpsArgs),
    Monitor(monitor::MonitorArgs),
    Stop(stop::StopArgs),
    Jobs(jobs::JobsArgs),
    Logs(logs::LogsArgs),
    Quarantine(quarantine::QuarantineArgs),
    Explain(explain::ExplainArgs),
    Dropped(dropped::DroppedArgs),
    Report(report::ReportArgs),
    Clean(clean::CleanArgs),
    Task(task::TaskArgs),
    CompilePlugin(CompileArgs),
}

/// Compile the component on standard input within limits; djhost calls itself with this command
#[derive(Debug, Clone, clap::Args)]
#[command(hide = true)]
struct CompileArgs {
    /// Bytes of memory
    memory: u64,
    /// Seconds of CPU time
    seconds: u64,
}

/// Runs the program with the arguments of the process and returns the exit code.
pub fn main(args: Vec<OsString>) -> anyhow::Result<u8> {
    // Components of plugins are compiled in a process of their own, started with this program.
    if let Some(program) = crate::wasm::this_program() {
        crate::wasm::compile_with(vec![program.into()]);
    }
    let args = take_color(args)?;
    let (args, overrides) = sort(args)?;
    let matches = match with_help(Cli::command()).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version are not errors; clap prints each to the right stream.
            let code = if error.use_stderr() {
                crate::error::exit::USAGE
            } else {
                crate::error::exit::DONE
            };
            return match error.print() {
                // A mistake in the command line stays one even if its message cannot be printed.
                Err(failed)
                    if !error.use_stderr() && failed.kind() != std::io::ErrorKind::BrokenPipe =>
                {
                    Err(failed.into())
                }
                _ => Ok(code),
            };
        }
    };
    match Cli::from_arg_matches(&matches)?.command {
        Command::Run(args) => run::run(&args, &overrides),
        Command::Plan(args) => plan::run(&args, &overrides),
        Command::Analyze(args) => analyze::run(&args, &overrides),
        Command::Config(args) => config::config(&args, &overrides).map(|()| 0),
        Command::Ops(args) => ops::run(&args),
        Command::Monitor(args) => monitor::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Jobs(args) => jobs::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Quarantine(args) => quarantine::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Dropped(args) => dropped::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::Task(args) => task::run(&args),
        Command::CompilePlugin(args) => crate::wasm::compile_stdin(args.memory, args.seconds),
    }
}

/// Takes the recipe's options (`--checkpoint.n_ops 3`) out of the arguments if the subcommand takes
/// a recipe.
fn sort(args: Vec<OsString>) -> anyhow::Result<(Vec<OsString>, Vec<Override>)> {
    let takes_recipe = args
        .get(1)
        .and_then(|a| a.to_str())
        .filter(|a| ["run", "plan", "analyze", "config"].contains(a));
    let Some(name) = takes_recipe else {
        return Ok((args, Vec::new()));
    };
    let cli = Cli::command();
    let Some(command) = cli.find_subcommand(name) else {
        return Ok((args, Vec::new()));
    };
    let split = split_overrides(&args[2..], command)?;
    let kept = args[..2].iter().cloned().chain(split.rest).collect();
    Ok((kept, split.overrides))
}

/// Takes `--color WHEN` out of the arguments, wherever it is, and applies it.
fn take_color(args: Vec<OsString>) -> anyhow::Result<Vec<OsString>> {
    let mut kept = Vec::with_capacity(args.len());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            kept.push(arg);
            kept.extend(args);
            break;
        }
        let given = match arg.to_str().map(|a| a.split_once('=').unwrap_or((a, ""))) {
            Some(("--color" | "--colour", "")) if !arg.as_encoded_bytes().ends_with(b"=") => {
                args.next().unwrap_or_default()
            }
            Some(("--color" | "--colour", given)) => given.into(),
            _ => {
                kept.push(arg);
                continue;
            }
        };
        let given = given.to_string_lossy();
        let choice = <ColorChoice as clap::ValueEnum>::from_str(&given, true).map_err(|_| {
            UserError::new("--color", format!("`{given}` is not valid"))
                .hint("valid are `auto`, `always` and `never`")
        })?;
        choice.set();
    }
    Ok(kept)
}

/// Sets the width of the help to that of the terminal. `djhost run --help` lists every option of a
/// recipe.
fn with_help(cli: clap::Command) -> clap::Command {
    let style = Style::for_stdout();
    let width = style
        .width
        .map_or(HELP_WIDTH, |width| width.min(HELP_WIDTH));
    let color = if style.colour {
        clap::ColorChoice::Always
    } else {
        clap::ColorChoice::Never
    };
    // `take_color` has taken it out of the arguments; it is declared for the help only.
    let when = clap::Arg::new("color")
        .long("color")
        .global(true)
        .value_name("WHEN")
        .value_parser(clap::value_parser!(ColorChoice));
    let when = when
        .help("Colours in what is printed: on a terminal unless NO_COLOR is set, always, or never")
        .default_value("auto");
    let mut cli = cli
        .term_width(width)
        .color(color)
        .after_help(exit_codes(width))
        .arg(when);
    for name in ["run", "plan", "analyze"] {
        cli = cli.mut_subcommand(name, |c| {
            c.after_long_help(crate::config::options_help(width))
                .override_usage(format!(
                    "djhost {name} CONFIG [--plugins DIR]… [OPTIONS] [--KEY VALUE]…"
                ))
        });
    }
    cli
}

/// Prints an error to standard error.
pub fn complain(message: &str) {
    let style = Style::for_stderr();
    let error = style.paint(Color::Red, &style.bold("error:"));
    let hint = style.paint(Color::Cyan, "hint:");
    let lines = message
        .lines()
        .map(|line| match line.strip_prefix("  hint:") {
            Some(rest) => format!("  {hint}{rest}\n"),
            None => format!("{line}\n"),
        });
    say(&format!("{error} {}", lines.collect::<String>()));
}

/// Prints to standard output. A reader that has closed it (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use anyhow::Context;
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}
