//! `djhost clean`: removes what killed jobs have left in buckets and of their copies here.

use std::io::{BufRead, IsTerminal};

use anyhow::Result;
use clap::Args;

use crate::error::{UserError, exit};
use crate::jobs::clean::{BucketLeftovers, Copies, in_bucket, of_this_user};
use crate::term::{bytes, counted, say};

/// Removes what killed jobs have left: parts of uploads and files that no manifest names in run
/// directories in buckets, and on this machine the copies of such run directories.
#[derive(Debug, Args)]
#[command(
    after_help = "Removes no checkpoint, result, log or event of any job, and nothing of a job that runs. Run directories on a disk need no cleaning: the next run of the job does it.\n\nExit codes: 0 done, or nothing to do · 1 something could not be removed · 2 there is no run directory at an address, or nobody could be asked"
)]
pub struct CleanArgs {
    /// Addresses of run directories, or of prefixes above them (`s3://BUCKET/PREFIX`). Without any:
    /// only the copies on this machine.
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<String>,
    /// Only say what would be removed.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long, short, conflicts_with = "dry_run")]
    pub yes: bool,
}

/// Runs the subcommand. Returns [`exit::DONE`].
pub fn run(args: &CleanArgs) -> Result<u8> {
    let mut found: Vec<BucketLeftovers> = Vec::new();
    for address in &args.addresses {
        found.extend(in_bucket(address)?);
    }
    let copies = of_this_user()?;
    super::print(&text(&found, &copies))?;
    let is_nothing = found.iter().all(BucketLeftovers::is_empty) && copies.is_empty();
    if is_nothing || args.dry_run || !(args.yes || agrees()?) {
        return Ok(exit::DONE);
    }
    found.iter().try_for_each(BucketLeftovers::remove)?;
    copies.remove()?;
    super::print("removed\n")?;
    Ok(exit::DONE)
}

fn text(found: &[BucketLeftovers], copies: &Copies) -> String {
    let mut text = String::new();
    for left in found {
        let address = left.address();
        if left.is_running() {
            text += &format!("{address}: its job runs: passed over\n");
            continue;
        }
        if left.is_empty() {
            text += &format!("{address}: nothing to remove\n");
            continue;
        }
        let (objects, uploads) = (left.objects(), left.uploads());
        let size: u64 = objects.iter().map(|(_, bytes)| bytes).sum();
        text += &format!(
            "{address}: {} ({}), {}\n",
            counted(objects.len() as u64, "object"),
            bytes(size),
            counted(uploads as u64, "unfinished upload")
        );
        for (name, size) in objects {
            text += &format!("  {name}  {}\n", bytes(*size));
        }
    }
    match copies.is_empty() {
        true => text += "no copies of run directories on this machine\n",
        false => {
            text += &format!(
                "{} of run directories on this machine ({})\n",
                counted(copies.paths().len() as u64, "copy").replace("copys", "copies"),
                bytes(copies.bytes())
            );
            for path in copies.paths() {
                text += &format!("  {}\n", path.display());
            }
        }
    }
    text
}

/// Asks on the terminal.
fn agrees() -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(
            UserError::new("", "nothing is removed: nobody can be asked")
                .hint("`--yes` removes it, `--dry-run` only says what there is")
                .into(),
        );
    }
    say("Remove this? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
