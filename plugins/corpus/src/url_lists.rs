//! What the lists of `url_filter` say of URLs. The host has the lists, so they are asked about a whole
//! batch at once.

use crate::host::Suffixes;
use djhost_sdk::models::Model;
use djhost_sdk::prelude::*;

/// The lists that the recipe names.
#[derive(Default)]
pub(crate) struct Lists {
    /// With `domains`.
    suffixes: Option<Suffixes>,
    domains: Option<Model>,
    urls: Option<Model>,
    banned: Option<Model>,
    soft: Option<Model>,
    subwords: Option<Model>,
}

/// What the lists say of the rows of a batch.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Listed>,
}

/// What the lists say of one URL.
#[derive(Debug, Default, Clone)]
pub(crate) struct Listed {
    pub(crate) domain: bool,
    pub(crate) host: bool,
    pub(crate) url: bool,
    /// How many of its different words are banned.
    pub(crate) banned: u32,
    pub(crate) soft: u32,
    /// How often something banned stands in it; 1 at most if nobody reads the number.
    pub(crate) subwords: u32,
}

impl Lists {
    /// # Errors
    /// When a list cannot be opened.
    pub(crate) fn open() -> Result<Self, String> {
        let domains = Model::open_if_lent("extra_domains")?;
        Ok(Self {
            suffixes: domains.is_some().then(Suffixes::new),
            domains,
            urls: Model::open_if_lent("extra_urls")?,
            banned: Model::open_if_lent("banned_words")?,
            soft: Model::open_if_lent("soft_banned_words")?,
            subwords: Model::open_if_lent("banned_subwords")?,
        })
    }

    /// Looks the URLs of a batch up, its first field. `counts`: whether numbers are read, or only whether
    /// they are 0.
    pub(crate) fn look_up(
        &self,
        batch: &Batch,
        counts: bool,
        found: &mut Found,
    ) -> Result<(), Reject> {
        let urls = || (0..batch.rows()).map(|row| batch.row(row).text(0).unwrap_or_default());
        let rows = &mut found.rows;
        rows.clear();
        rows.resize(batch.rows(), Listed::default());
        if let (Some(domains), Some(suffixes)) = (&self.domains, &self.suffixes) {
            let (mut registered, mut hosts) = (Texts::default(), Texts::default());
            let mut scratch = String::new();
            for url in urls() {
                let host = suffixes.host(url, &mut scratch);
                registered.push(host.registered_domain);
                hosts.push(host.full);
            }
            for (row, found) in rows
                .iter_mut()
                .zip(domains.contains(registered.iter().flatten())?)
            {
                row.domain = found;
            }
            for (row, found) in rows
                .iter_mut()
                .zip(domains.contains(hosts.iter().flatten())?)
            {
                row.host = found;
            }
        }
        if let Some(list) = &self.urls {
            for (row, found) in rows.iter_mut().zip(list.contains(urls())?) {
                row.url = found;
            }
        }
        if self.banned.is_some() || self.soft.is_some() {
            let words = || {
                urls()
                    .enumerate()
                    .flat_map(|(row, url)| words(url).map(move |word| (row, word)))
            };
            let mut count = |list: &Option<Model>, add: fn(&mut Listed)| -> Result<(), Reject> {
                let Some(list) = list else { return Ok(()) };
                let found = list.contains(words().map(|(_, word)| word))?;
                for ((row, _), _) in words().zip(found).filter(|(_, found)| *found) {
                    add(&mut rows[row]);
                }
                Ok(())
            };
            count(&self.banned, |row| row.banned += 1)?;
            count(&self.soft, |row| row.soft += 1)?;
        }
        if let Some(list) = &self.subwords {
            let most = if counts { u32::MAX } else { 1 };
            for (row, found) in rows.iter_mut().zip(list.occurrences(urls(), most)?) {
                row.subwords = found;
            }
        }
        Ok(())
    }
}

/// The different words of a URL: what stands between characters that are no letters or digits of ASCII.
fn words(url: &str) -> impl Iterator<Item = &str> {
    let words = || {
        url.split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    // A URL has few words: looking through them again is cheaper than a set of them.
    words()
        .enumerate()
        .filter(move |(i, word)| !words().take(*i).any(|earlier| earlier == *word))
        .map(|(_, word)| word)
}
