//! Datasets of the Hugging Face hub, by its HTTP API: `hf://datasets/OWNER/NAME[@REVISION]/PATH`, and
//! files of models: `hf://OWNER/NAME[@REVISION]/PATH`.
//! What was found is pinned to a commit, so nothing that is read can change. (`hub_push` writes.)

use super::address::Address;
use super::failure::Failure;
use super::http::{self, Location};
pub(crate) use super::hub_push::{NewFile, Push, check_writable};
use super::list::Listed;
use serde_json::Value;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const GATED: &str = "check the name; for a private or gated dataset or model set HF_TOKEN to a token that may read it, and accept its terms on its page";

/// The same files at the commit that the revision is now.
pub(crate) fn pin(address: &Address) -> Result<Address, Failure> {
    let (name, revision) = parts(address);
    if revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(address.clone());
    }
    let path = format!("{}/revision/{}", api(name), encoded(revision, false));
    let (reply, _) = ask(&path)?;
    let commit = reply.get("sha").and_then(Value::as_str).ok_or_else(|| {
        Failure::new(
            ErrorKind::Other,
            format!("GET {path}: the answer names no commit"),
        )
    })?;
    Ok(Address {
        text: match address.key.is_empty() {
            true => format!("hf://{name}@{commit}"),
            false => format!("hf://{name}@{commit}/{}", address.key),
        },
        host: format!("{name}@{commit}"),
        ..address.clone()
    })
}

/// The files below `prefix`.
pub(super) fn list(address: &Address, prefix: &str) -> Result<Vec<Listed>, Failure> {
    let (name, revision) = parts(address);
    let mut path = format!("{}/tree/{}", api(name), encoded(revision, false));
    if !prefix.is_empty() {
        path += &format!("/{}", encoded(prefix, true));
    }
    path += "?recursive=true";
    let mut listed = Vec::new();
    loop {
        let (reply, next) = match ask(&path) {
            // Nothing is there.
            Err(failure) if failure.kind == ErrorKind::NotFound => break,
            answer => answer?,
        };
        for entry in reply.as_array().into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str);
            if let (Some("file"), Some(key)) = (text("type"), text("path")) {
                let digest = entry.pointer("/lfs/oid").and_then(Value::as_str);
                listed.push(Listed {
                    key: key.to_owned(),
                    bytes: entry.get("size").and_then(Value::as_u64).unwrap_or(0),
                    digest: digest.map(str::to_owned),
                    tag: None,
                });
            }
        }
        match next {
            Some(next) => path = next,
            None => break,
        }
    }
    Ok(listed)
}

/// Where the file at `address`, which is pinned, is fetched from.
pub(super) fn location(address: &Address) -> Location {
    let (name, revision) = parts(address);
    let revision = encoded(revision, false);
    let path = encoded(&address.key, true);
    Location {
        url: format!("{}/{name}/resolve/{revision}/{path}", endpoint()),
        token: token(),
        is_pinned: true,
    }
}

/// Where the API has a dataset or a model.
fn api(name: &str) -> String {
    match name.starts_with("datasets/") {
        true => format!("/api/{name}"),
        false => format!("/api/models/{name}"),
    }
}

/// `datasets/OWNER/NAME`, or `OWNER/NAME` of a model, and the revision.
pub(super) fn parts(address: &Address) -> (&str, &str) {
    address
        .host
        .split_once('@')
        .unwrap_or((&address.host, "main"))
}

fn set(key: &str) -> Option<String> {
    std::env::var(key).ok().filter(|value| !value.is_empty())
}

pub(super) fn endpoint() -> String {
    let given = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
    given.trim_end_matches('/').to_owned()
}

/// Fails if `HF_ENDPOINT` cannot be one, or may have a secret in it: addresses stand in messages.
pub(super) fn check_endpoint() -> Result<(), Failure> {
    let endpoint = endpoint();
    let rest = endpoint
        .strip_prefix("https://")
        .or_else(|| endpoint.strip_prefix("http://"));
    let is_good = |rest: &str| {
        let unusual = |c: char| c.is_whitespace() || c.is_control() || "@?#".contains(c);
        !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains(unusual)
    };
    match rest.is_some_and(is_good) {
        true => Ok(()),
        false => Err(Failure::new(
            ErrorKind::InvalidInput,
            "the variable HF_ENDPOINT is no URL of a hub",
        )
        .hint("write it like `https://huggingface.co`, without user, password or a part after `?`; a token goes into HF_TOKEN")),
    }
}

/// That of the environment, or of `huggingface-cli login`.
pub(super) fn token() -> Option<String> {
    let home = || -> Option<PathBuf> {
        match set("HF_HOME") {
            Some(home) => Some(home.into()),
            None => Some(Path::new(&set("HOME")?).join(".cache/huggingface")),
        }
    };
    let file = || -> Option<PathBuf> {
        match set("HF_TOKEN_PATH") {
            Some(file) => Some(file.into()),
            None => Some(home()?.join("token")),
        }
    };
    let text = set("HF_TOKEN")
        .or_else(|| set("HUGGING_FACE_HUB_TOKEN"))
        .or_else(|| std::fs::read_to_string(file()?).ok())?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The answer to a request of the API, and the path of the next page.
pub(super) fn ask(path: &str) -> Result<(Value, Option<String>), Failure> {
    check_endpoint()?;
    let endpoint = endpoint();
    let location = Location {
        url: format!("{endpoint}{path}"),
        token: token(),
        is_pinned: false,
    };
    let (body, headers) = http::text(&location).map_err(|failure| match failure.kind {
        ErrorKind::PermissionDenied | ErrorKind::NotFound => failure.hint(GATED),
        _ => failure,
    })?;
    let reply = serde_json::from_slice(&body).map_err(|e| {
        let what = format!("GET {path}: the answer is not that of a hub: {e}");
        Failure::new(ErrorKind::Other, what)
    })?;
    let link = headers.get("link").and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| {
        let (url, rest) = link.strip_prefix('<')?.split_once('>')?;
        let path = url.strip_prefix(&endpoint)?;
        rest.contains("rel=\"next\"").then(|| path.to_owned())
    });
    Ok((reply, next))
}

/// `text` as a part of a URL, or, with `slashes`, as several.
pub(super) fn encoded(text: &str, slashes: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let stays = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match stays || (slashes && byte == b'/') {
            true => out.push(byte.into()),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
