//! Addresses of remote files: what can be read, and why others cannot.

use crate::error::{UserError, did_you_mean};
use std::fmt;
use std::path::Path;

/// What a program with this feature reads, for hints.
pub(crate) const READ: &str = "`s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`, `hf://datasets/OWNER/NAME/PATH`, `https://HOST/PATH` and `http://HOST/PATH`";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// A file behind a URL.
    Http,
    /// An object in a bucket of S3 or of a server that speaks its protocol.
    S3,
    /// An object in a bucket of Google Cloud Storage.
    Gcs,
    /// A blob in a container of the storage account that the environment names.
    Azure,
    /// A file of a dataset, or of a model, on the Hugging Face hub.
    Hub,
}

/// Where a remote file is, or several of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// All of it, with the scheme's first name, in small letters: one file has one text. Has no
    /// secrets: addresses with a part that may be one are refused.
    pub(crate) text: String,
    /// The bucket, or host and port, or `datasets/OWNER/NAME@REVISION`, or `OWNER/NAME@REVISION` of a
    /// model.
    pub(crate) host: String,
    /// What follows, without the slash between them.
    pub(crate) key: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `text` is an address and no local path.
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// The address that stands in place of a path, if one does.
pub(crate) fn of_path(path: &Path) -> Option<Address> {
    path.to_str()
        .filter(|text| is_address(text))
        .and_then(|text| Address::parse(text).ok())
}

impl Address {
    /// Reads an address from which rows can be read. The error names no place.
    pub(crate) fn parse(text: &str) -> Result<Self, UserError> {
        let wrong = |message: String| UserError::new("", message);
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| wrong(format!("`{text}` is no address")))?;
        let (name, scheme) = match scheme.to_ascii_lowercase().as_str() {
            "http" => ("http", Scheme::Http),
            "https" => ("https", Scheme::Http),
            "s3" | "s3a" | "s3n" => ("s3", Scheme::S3),
            "gs" | "gcs" => ("gs", Scheme::Gcs),
            "az" | "azure" => ("az", Scheme::Azure),
            "hf" => return Self::of_hub(rest),
            "file" => {
                return Err(wrong(format!(
                    "`{}`: a local file is named by its path",
                    shown(text)
                ))
                .hint(format!("write `{}`", shown(rest))));
            }
            other => {
                let error = wrong(format!("`{}`: `{other}://` is not supported", shown(text)));
                let near = did_you_mean(other, ["http", "https", "s3", "gs", "az", "hf"]);
                return Err(error.hint(match near {
                    Some(near) => format!("did you mean `{near}://`? Valid are {READ}"),
                    None => format!(
                        "valid are {READ}: copy the dataset to one of these, or to a local disk"
                    ),
                }));
            }
        };
        let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
        if host.contains('@') {
            return Err(wrong(format!(
                "`{}`: an address must not have a user or a password in it, which would stand in the job's records",
                shown(text)
            ))
            .hint("credentials of S3 come from the environment or `~/.aws`; a server that asks for a password is not supported: download the file first"));
        }
        if host.is_empty() {
            let what = match scheme {
                Scheme::S3 => "a bucket: `s3://BUCKET/KEY`",
                Scheme::Gcs => "a bucket: `gs://BUCKET/KEY`",
                Scheme::Azure => "a container: `az://CONTAINER/KEY`",
                Scheme::Http | Scheme::Hub => "a host: `https://HOST/PATH`",
            };
            return Err(
                wrong(format!("`{}` has no host", shown(text))).hint(format!("name {what}"))
            );
        }
        let is_http = scheme == Scheme::Http;
        if is_http && rest.contains(['?', '#']) || has_query(rest) {
            return Err(wrong(format!(
                "`{}`: an address must not have a part after `?` or `#`: that may be a signature, and would stand in the job's records",
                shown(text)
            ))
            .hint("leave it out if the file is public; of a bucket name the object by `s3://BUCKET/KEY`; else download the file first"));
        }
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if !is_http && !host.chars().all(is_of_name) {
            let kind = match scheme {
                Scheme::Azure => "container",
                _ => "bucket",
            };
            return Err(wrong(format!("`{host}` cannot be the name of a {kind}"))
                .hint("its characters are letters, digits, `-`, `.` and `_`"));
        }
        if is_http && (key.is_empty() || key.ends_with('/')) {
            return Err(wrong(format!("`{text}` is no file"))
                .hint("a server cannot be asked which files it has: name each of them"));
        }
        Ok(Self {
            scheme,
            text: format!("{name}://{rest}"),
            host: host.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Reads an address of files that operators use, or are: also `hf://OWNER/NAME/PATH`, of a model
    /// on the hub. The error names no place.
    pub(crate) fn parse_file(text: &str) -> Result<Self, UserError> {
        match text.split_once("://") {
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("hf") && !rest.starts_with("datasets/") =>
            {
                Self::of_model(rest)
            }
            _ => Self::parse(text),
        }
    }

    fn of_model(rest: &str) -> Result<Self, UserError> {
        let text = format!("hf://{rest}");
        let mut parts = rest.splitn(3, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (owner, name, key) = (part(), part(), part());
        if is_bad_name(owner) || is_bad_name(name) || owner.contains('@') || name.starts_with('@') {
            let message = format!("`{}` does not name a model of the hub", shown(&text));
            return Err(UserError::new("", message).hint("write `hf://OWNER/NAME/PATH`, with a revision `hf://OWNER/NAME@REVISION/PATH`, or `hf://datasets/OWNER/NAME/PATH`"));
        }
        Ok(Self {
            scheme: Scheme::Hub,
            host: format!("{owner}/{name}"),
            key: key.to_owned(),
            text,
        })
    }

    fn of_hub(rest: &str) -> Result<Self, UserError> {
        const SHAPE: &str = "write `hf://datasets/OWNER/NAME/PATH`, with a revision `hf://datasets/OWNER/NAME@REVISION/PATH`";
        let text = format!("hf://{rest}");
        let wrong =
            |what: &str| UserError::new("", format!("`{}` {what}", shown(&text))).hint(SHAPE);
        if has_query(rest) {
            return Err(wrong("has a part after `?`, which may be a secret"));
        }
        let mut parts = rest.splitn(4, '/');
        let kind = parts.next().unwrap_or_default();
        let (owner, name) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        if kind != "datasets" {
            return Err(wrong("is no dataset of the hub"));
        }
        if is_bad_name(owner) || is_bad_name(name) || owner.contains('@') || name.starts_with('@') {
            return Err(wrong("does not name a dataset of the hub"));
        }
        Ok(Self {
            scheme: Scheme::Hub,
            host: format!("datasets/{owner}/{name}"),
            key: parts.next().unwrap_or_default().to_owned(),
            text,
        })
    }

    /// Reads an address at which a result can be put. The error names no place.
    pub(crate) fn parse_target(text: &str) -> Result<Self, UserError> {
        const WRITTEN: &str = "a result goes to a local path, `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY` or `hf://datasets/OWNER/NAME`";
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        if scheme.eq_ignore_ascii_case("hf") {
            let address = Self::parse(text)?;
            let revision = address.host.split_once('@').map(|(_, revision)| revision);
            let is_commit = |revision: &str| {
                revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            let wrong = |what: &str, hint: &str| {
                Err(UserError::new("", format!("`{text}`: {what}")).hint(hint))
            };
            if revision.is_some_and(is_commit) {
                return wrong(
                    "nothing can be written to a commit",
                    "name a branch: `hf://datasets/OWNER/NAME@BRANCH`",
                );
            }
            if address.key.ends_with('/') && !address.key.trim_matches('/').is_empty() {
                return wrong(
                    "this names a directory, and the result is a file",
                    "name a file in it, or all of the dataset: `hf://datasets/OWNER/NAME`",
                );
            }
            return Ok(address);
        }
        if let Some(address) = Self::in_store(text)? {
            no_pattern(&address)?;
            return match address.key.is_empty() || address.key.ends_with('/') {
                true => Err(
                    UserError::new("", format!("`{text}` does not name an object"))
                        .hint("write an address like `s3://BUCKET/result.jsonl`"),
                ),
                false => Ok(address),
            };
        }
        Err(UserError::new(
            "",
            format!("`{}`: nothing can be written there", shown(text)),
        )
        .hint(WRITTEN))
    }

    /// Reads an address in a bucket; None where nothing can be written. The error names no place.
    fn in_store(text: &str) -> Result<Option<Self>, UserError> {
        let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
        let is_store = ["s3", "s3a", "s3n", "gs", "gcs", "az", "azure"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        match is_store {
            true => Self::parse(text).map(Some),
            false => Ok(None),
        }
    }

    /// Reads the address of a bucket, or of what is below a prefix in it. The error names no place.
    pub(crate) fn parse_prefix(text: &str) -> Result<Self, UserError> {
        match Self::in_store(text)? {
            Some(address) => Ok(address.beside(address.key.trim_end_matches('/'))),
            None => Err(
                UserError::new("", format!("`{}` is no place in a bucket", shown(text)))
                    .hint("write an address like `s3://BUCKET/PREFIX`"),
            ),
        }
    }

    /// Reads the address of a directory of djhost's own. The error names no place.
    pub(crate) fn parse_directory(text: &str) -> Result<Self, UserError> {
        const WHERE: &str = "a run directory is at a local path or in a bucket: `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`";
        let Some(address) = Self::in_store(text)? else {
            return Err(UserError::new(
                "",
                format!("`{}`: nothing can be written there", shown(text)),
            )
            .hint(WHERE));
        };
        no_pattern(&address)?;
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.len() < 250;
        match address.key.trim_end_matches('/').split('/').all(is_part) {
            true => Ok(address.beside(address.key.trim_end_matches('/'))),
            false => Err(
                UserError::new("", format!("`{text}` cannot be a directory of a bucket"))
                    .hint("no part of it may be empty, `.`, `..`, or longer than 250 bytes"),
            ),
        }
    }

    /// The address of another key in the same bucket.
    pub(crate) fn beside(&self, key: &str) -> Self {
        let scheme = self
            .text
            .split_once("://")
            .map_or("s3", |(scheme, _)| scheme);
        Self {
            scheme: self.scheme,
            text: format!("{scheme}://{}/{key}", self.host),
            host: self.host.clone(),
            key: key.to_owned(),
        }
    }
}

/// Whether there is something like `?name=value`, which of a URL may be a signature. `?` alone is one
/// character of a pattern.
fn has_query(rest: &str) -> bool {
    rest.split('?').skip(1).any(|part| {
        let is_of_name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let name = part.split_once('=').map_or("", |(name, _)| name);
        !name.is_empty() && name.chars().all(is_of_name)
    })
}

/// Fails for what would be a pattern where files are read.
fn no_pattern(address: &Address) -> Result<(), UserError> {
    match address.key.contains(['*', '?', '[']) {
        true => Err(UserError::new(
            "",
            format!("`{address}`: `*`, `?` and `[` are for patterns of files that are read"),
        )
        .hint("write a name without them")),
        false => Ok(()),
    }
}

/// Whether this cannot be an owner or a name on the hub.
fn is_bad_name(part: &str) -> bool {
    part.is_empty() || part.contains(['?', '#', '%', '*'])
}

/// An address without what may be a password or a signature.
pub(crate) fn shown(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, key) = match rest.split_once('/') {
        Some((host, key)) => (host, Some(key)),
        None => (rest, None),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let scheme = if scheme.is_empty() {
        String::new()
    } else {
        format!("{scheme}://")
    };
    match key {
        Some(key) => format!("{scheme}{host}/{key}"),
        None => format!("{scheme}{host}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for text in ["s3://b/k", "https://h/x.jsonl", "HF://a", "gs://b"] {
            assert!(is_address(text), "{text}");
        }
        for text in ["data/x.jsonl", "/a://b", "C:/x", "://", "1s://x", "a b://c"] {
            assert!(!is_address(text), "{text}");
        }
        let address = Address::parse("s3://bucket/a/b c.jsonl").unwrap();
        assert_eq!((&*address.host, &*address.key), ("bucket", "a/b c.jsonl"));
        assert_eq!(address.beside("x").to_string(), "s3://bucket/x");
        for text in ["S3://bucket/a/b c.jsonl", "s3a://bucket/a/b c.jsonl"] {
            assert_eq!(Address::parse(text).unwrap(), address);
        }
    }

    #[test]
    fn what_may_be_a_signature_is_no_address() {
        for text in [
            "s3://b/x.jsonl?X-Amz-Signature=s",
            "az://c/x?sv=1&sig=s",
            "https://h/x.jsonl#s",
            "hf://datasets/a/b/x?token=s",
        ] {
            let said = Address::parse(text).unwrap_err().to_string();
            assert!(said.contains("`?`") && !said.contains("=s"), "{said}");
        }
        for text in ["s3://b/part-?.jsonl", "s3://b/date=2026-0?/x=1.jsonl"] {
            assert!(Address::parse(text).is_ok(), "{text}");
            assert!(Address::parse_target(text).is_err(), "{text}");
        }
        assert!(Address::parse("s3://a bucket/x").is_err());
    }

    #[test]
    fn files_of_operators_may_be_of_a_model_on_the_hub() {
        let address = Address::parse_file("hf://owner/name@v1/dir/x.bin").unwrap();
        assert_eq!(
            (&*address.host, &*address.key),
            ("owner/name@v1", "dir/x.bin")
        );
        assert_eq!(address.beside("y").text, "hf://owner/name@v1/y");
        let dataset = Address::parse_file("hf://datasets/o/n/x.bin").unwrap();
        assert_eq!(dataset.host, "datasets/o/n");
        assert!(Address::parse("hf://owner/name/x.bin").is_err());
        assert!(Address::parse_file("hf://gpt2").is_err());
    }

    #[test]
    fn what_may_be_secret_is_refused_and_not_repeated() {
        for text in [
            "https://user:hunter2@host/x.jsonl",
            "https://host/x.jsonl?X-Amz-Signature=hunter2",
            "https://host/x.jsonl#hunter2",
            "s3://key:hunter2@bucket/x",
            "ftp://user:hunter2@host/x",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
