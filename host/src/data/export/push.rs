//! Puts an export that is whole on the disk into a dataset on the Hugging Face hub, by one commit.

use super::card::Card;
use super::publish::Published;
use super::staging::CARD;
use super::target::ExportTarget;
use crate::config::PushToHub;
use crate::error::UserError;
use crate::remote::address::Address;
use crate::remote::hub::{NewFile, Push};
use crate::term::counted;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// How often a commit is tried again because others have committed meanwhile.
const ATTEMPTS: usize = 10;

/// Uploads `files` of `target` and makes them appear at `to`, all at once, in place of an earlier
/// export. Of a dataset the card is the one that is there with what `card` says. If the branch has
/// all of it already, as after a kill, nothing is done.
pub(crate) fn push(
    files: &[PathBuf],
    target: &ExportTarget,
    to: &Address,
    card: &Card,
    settings: &PushToHub,
) -> Result<Vec<Published>> {
    let cannot = || format!("cannot put the export to `{to}`");
    let key = to.key.trim_matches('/');
    // The directory in the dataset that the files go to.
    let dir = match target.split {
        Some(_) => "data",
        None => key.rsplit_once('/').map_or("", |(dir, _)| dir),
    };
    let place = |file: &Path| -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match (target.shard_size, dir) {
            (None, _) => key.to_owned(),
            (Some(_), "") => name.into_owned(),
            (Some(_), dir) => format!("{dir}/{name}"),
        }
    };
    let mut published = Vec::new();
    let mut new = Vec::new();
    for file in files {
        let path = place(file);
        let bytes = std::fs::metadata(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?
            .len();
        published.push(Published {
            path: PathBuf::from(format!("hf://{}/{path}", to.host)),
            bytes,
            tag: None,
        });
        new.push(NewFile {
            file: file.clone(),
            path,
        });
    }
    let create = settings.create_repo.then_some(settings.private);
    let mut push = Push::begin(to, create).with_context(cannot)?;
    let title = match &settings.commit_message {
        Some(title) => title.clone(),
        None => format!("Upload {} with djhost", counted(new.len() as u64, "file")),
    };
    push.upload(new).with_context(cannot)?;
    let is_stale = |path: &str| match target.split {
        Some(_) => target.is_shard_name(path),
        None => {
            let name = path
                .strip_prefix(dir)
                .map(|name| name.trim_start_matches('/'));
            target.shard_size.is_some() && name.is_some_and(|name| target.is_shard_name(name))
        }
    };
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            push.renew().with_context(cannot)?;
        }
        let mut texts = Vec::new();
        let text;
        if target.split.is_some() {
            let earlier = push.text(CARD).with_context(cannot)?;
            text = card.of_files(files, earlier.as_deref(), true)?;
            texts.push((CARD, &*text));
        }
        if push
            .commit(&texts, dir, is_stale, &title)
            .with_context(cannot)?
        {
            return Ok(published);
        }
        tracing::info!("another commit came before: trying again after it");
    }
    Err(UserError::new(
        format!("export_path `{to}`"),
        format!("others committed to it {ATTEMPTS} times while this export was to be committed"),
    )
    .hint("run the job again when they are done: it continues where it stopped")
    .into())
}
