//! `djhost ops check`: checks that a component keeps the contract, and measures its cost.

mod answer;
mod describe;
mod probe;
mod sample;

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Models, check_is_file, read_params};
use crate::error::{UserError, did_you_mean, exit};
use crate::models::Library;
use crate::ops::full_params;
use crate::plan::grants_of_params;
use crate::term::{Style, fold_at};
use crate::wasm::{Limits, OpEntry, Registry, Replace, Source};

/// Check that a component keeps the contract, and measure it
///
/// Exit codes: 0 all checks passed (warnings are no failure), 1 a check failed, 2 the file, sample
/// or parameters are not usable.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CheckArgs {
    /// The component
    file: PathBuf,
    /// Check only this operator of it
    #[arg(long, value_name = "NAME")]
    op: Option<String>,
    /// Rows to check with (JSON lines, the first 20,000), beside those that the check makes itself
    #[arg(long, value_name = "FILE.jsonl")]
    sample: Option<PathBuf>,
    /// Parameters of the operator, a JSON object
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    #[command(flatten)]
    models: Models,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Pass,
    Warn,
    Fail,
    /// The check does not apply to this operator.
    Skip,
}

/// One line of the report.
#[derive(Debug, Serialize)]
struct Check {
    check: &'static str,
    verdict: Verdict,
    detail: String,
}

impl Check {
    fn new(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            detail: detail.into(),
        }
    }
}

/// All checks of one operator.
#[derive(Debug, Serialize)]
struct OpReport {
    op: String,
    kind: &'static str,
    checks: Vec<Check>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<probe::Speed>,
}

pub(crate) fn run(args: &CheckArgs) -> Result<u8> {
    let params = read_params(args.params.as_deref())?;
    let sample = args.sample.as_deref().map(sample::read).transpose()?;
    check_is_file(&args.file)?;
    // Each load starts a fresh instance. Loading twice shows whether the component always describes
    // the same operators.
    let files = [args.file.clone()];
    let (first, second) = (
        Registry::load(&files, Replace::All)?,
        Registry::load(&files, Replace::All)?,
    );
    let entries = of_file(&first, args)?;
    let again = of_file(&second, args)?;
    let component = &entries[0].component;
    let mut component_checks = vec![Check::new(
        "contract",
        Verdict::Pass,
        format!(
            "version {}, {}, sha256 {}",
            component.wit_version,
            crate::term::bytes(component.bytes),
            component.digest
        ),
    )];
    component_checks.push(describe::same(&entries, &again));
    component_checks.extend(describe::imports(&component.imports));
    let (_, library) = args.models.library(Vec::new());
    let reports: Vec<OpReport> = entries
        .iter()
        .map(|e| check_op(&first, e, &params, &library, sample.as_deref()))
        .collect::<Result<_>>()?;

    let failed = component_checks
        .iter()
        .chain(reports.iter().flat_map(|r| &r.checks))
        .any(|c| c.verdict == Verdict::Fail);
    if args.json {
        let json = serde_json::json!({
            "file": args.file.display().to_string(), "ok": !failed, "imports": component.imports,
            "checks": component_checks, "operators": reports,
        });
        crate::cli::print(&format!("{json:#}\n"))?;
    } else {
        let columns = Style::for_stdout().width;
        crate::cli::print(&text(args, &component_checks, &reports, failed, columns))?;
    }
    Ok(if failed { exit::FAILED } else { exit::DONE })
}

/// Returns the operators of the file that are to be checked.
fn of_file<'a>(registry: &'a Registry, args: &CheckArgs) -> Result<Vec<&'a OpEntry>, UserError> {
    let source = Source::File(args.file.clone());
    let all: Vec<&OpEntry> = registry
        .iter()
        .filter(|e| e.component.source == source)
        .collect();
    let names = || all.iter().map(|e| e.descriptor.name.as_str());
    let Some(wanted) = &args.op else {
        return if all.is_empty() {
            Err(UserError::new(
                args.file.display().to_string(),
                "this component has no operators",
            ))
        } else {
            Ok(all)
        };
    };
    match all.iter().find(|e| e.descriptor.name == *wanted) {
        Some(entry) => Ok(vec![entry]),
        None => {
            let near = did_you_mean(wanted, names())
                .map(|n| format!("did you mean `{n}`? "))
                .unwrap_or_default();
            let have: Vec<&str> = names().collect();
            Err(
                UserError::new("--op", format!("the component has no operator `{wanted}`"))
                    .hint(format!("{near}it has {}", have.join(", "))),
            )
        }
    }
}

fn check_op(
    registry: &Registry,
    entry: &OpEntry,
    params: &Map<String, Value>,
    library: &Library,
    sample: Option<&[String]>,
) -> Result<OpReport> {
    let d = &entry.descriptor;
    let mut report = OpReport {
        op: d.name.clone(),
        kind: d.kind.as_str(),
        checks: vec![describe::schema(d)],
        speed: None,
    };
    let created = full_params(entry, params)
        .map_err(anyhow::Error::from)
        .and_then(|full| {
            registry.pool(
                entry,
                &full,
                Limits::default(),
                grants_of_params(entry, params, &full, library, "--params")?,
                0,
                "--params",
            )
        });
    match created {
        Ok(pool) => {
            report
                .checks
                .push(Check::new("create", Verdict::Pass, "takes the parameters"));
            report.speed = probe::all(&pool, sample, &mut report.checks)?;
        }
        // If the user gave parameters, the user must fix them.
        Err(error) if !params.is_empty() => return Err(error),
        Err(error) => {
            let detail = format!(
                "does not start with its defaults: {error:#}; if it has to be given parameters, use --params"
            );
            report
                .checks
                .push(Check::new("create", Verdict::Fail, detail));
        }
    }
    Ok(report)
}

fn text(
    args: &CheckArgs,
    component: &[Check],
    reports: &[OpReport],
    failed: bool,
    columns: Option<usize>,
) -> String {
    let mut out = format!("{}\n", args.file.display());
    let lines = |checks: &[Check], out: &mut String| {
        for c in checks {
            let word = match c.verdict {
                Verdict::Pass => "ok",
                Verdict::Warn => "WARN",
                Verdict::Fail => "FAIL",
                Verdict::Skip => "-",
            };
            let line = format!("  {word:4}  {:12}  {}", c.check, c.detail);
            // Details stand below each other, or where that is too narrow below the check.
            let hang = if columns.is_some_and(|columns| columns < 60) {
                8
            } else {
                22
            };
            for line in fold_at(&line, hang, columns.unwrap_or(usize::MAX)) {
                let _ = writeln!(out, "{line}");
            }
        }
    };
    lines(component, &mut out);
    for report in reports {
        let _ = writeln!(out, "\n{} ({})", report.op, report.kind);
        lines(&report.checks, &mut out);
    }
    let _ = writeln!(out, "\n{}", if failed { "failed" } else { "passed" });
    out
}
