//! Puts files into a dataset on the Hugging Face hub: their bytes first, where nobody sees them, and
//! then all of them by one commit. A commit names the one before it, so that one whose reply was lost
//! is not made twice, and nothing that others have committed meanwhile is undone.

use super::address::Address;
use super::failure::Failure;
use super::http::{Answer, Content, Sent, send};
use super::hub::{encoded, endpoint, parts, token};
use super::hub_lfs;
use super::list::Listed;
use super::object::Object;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

/// Bytes of a file by which the hub decides how it is stored.
const SAMPLE: u64 = 512;
/// Files that it is asked about at a time.
const ASKED: usize = 256;
/// Bytes of small files that go into the commit itself.
const INLINE: u64 = 32 << 20;

const TOKEN: &str = "set HF_TOKEN to a token that may write to the dataset (or log in with `huggingface-cli login`)";
const EXPIRED: &str = "the token does not allow it, or not any more: set HF_TOKEN to one that may write to the dataset, and run the job again: it continues where it stopped";
const ABSENT: &str =
    "check the name and the branch, or create the dataset: `push_to_hub: {create_repo: true}`";

/// A file for a dataset.
pub(crate) struct NewFile {
    /// Where it is.
    pub(crate) file: PathBuf,
    /// Its path in the dataset.
    pub(crate) path: String,
}

/// A file whose bytes the hub has, or will get with the commit.
pub(super) struct Stored {
    pub(super) path: String,
    pub(super) file: PathBuf,
    pub(super) bytes: u64,
    /// SHA-256 in hex digits.
    pub(super) digest: String,
    pub(super) is_inline: bool,
}

/// Files on their way into a branch of a dataset.
pub(crate) struct Push {
    /// `datasets/OWNER/NAME`.
    name: String,
    branch: String,
    token: String,
    /// The commit that the next one follows.
    head: String,
    stored: Vec<Stored>,
}

impl Push {
    /// Begins to put files into the dataset of `address`. `create` says that it is created if there is
    /// none, and whether it is private then.
    pub(crate) fn begin(address: &Address, create: Option<bool>) -> Result<Self, Failure> {
        let (name, branch) = parts(address);
        let mut push = Self {
            name: name.to_owned(),
            branch: branch.to_owned(),
            token: own_token()?,
            head: String::new(),
            stored: Vec::new(),
        };
        if let Some(private) = create
            && push.commit_of_branch()?.is_none()
        {
            push.create(private)?;
        }
        push.renew()?;
        Ok(push)
    }

    /// Looks which commit the branch is at now.
    pub(crate) fn renew(&mut self) -> Result<(), Failure> {
        self.head = self.commit_of_branch()?.ok_or_else(|| {
            let what = format!("`{}@{}` is not there", self.name, self.branch);
            Failure::new(ErrorKind::NotFound, what).hint(ABSENT)
        })?;
        Ok(())
    }

    fn commit_of_branch(&self) -> Result<Option<String>, Failure> {
        let path = format!(
            "/api/{}/revision/{}",
            self.name,
            encoded(&self.branch, false)
        );
        let answer = self.ask("GET", &path, &[])?;
        if answer.status == 404 {
            return Ok(None);
        }
        let name = format!("GET {path}");
        let reply = good(&name, answer)?;
        match reply.get("sha").and_then(Value::as_str) {
            Some(commit) => Ok(Some(commit.to_owned())),
            None => Err(strange(&name, "it names no commit")),
        }
    }

    fn create(&self, private: bool) -> Result<(), Failure> {
        let mut parts = self.name.split('/').skip(1);
        let (owner, own) = (parts.next(), parts.next());
        let user = self.user()?;
        let mut body = json!({ "name": own, "type": "dataset", "private": private });
        // An organisation's is told apart from one's own.
        if owner != Some(&*user) {
            body["organization"] = owner.into();
        }
        let path = "/api/repos/create";
        let answer = self.ask("POST", path, body.to_string().as_bytes())?;
        // Another request may have done it.
        if answer.status != 409 {
            good(&format!("POST {path}"), answer)?;
        }
        if self.branch != "main" {
            let path = format!("/api/{}/branch/{}", self.name, encoded(&self.branch, false));
            let answer = self.ask("POST", &path, b"{}")?;
            if answer.status != 409 {
                good(&format!("POST {path}"), answer)?;
            }
        }
        Ok(())
    }

    /// The name of the token's owner.
    fn user(&self) -> Result<String, Failure> {
        let path = "/api/whoami-v2";
        let name = format!("GET {path}");
        let reply = good(&name, self.ask("GET", path, &[])?)?;
        let user = reply.get("name").and_then(Value::as_str);
        user.map(str::to_owned)
            .ok_or_else(|| strange(&name, "it names nobody"))
    }

    fn ask(&self, method: &'static str, path: &str, body: &[u8]) -> Result<Answer, Failure> {
        self.ask_as(method, path, body, "application/json")
    }

    fn ask_as(
        &self,
        method: &'static str,
        path: &str,
        body: &[u8],
        kind: &str,
    ) -> Result<Answer, Failure> {
        let headers = [("Content-Type", kind)];
        send(&Sent {
            method,
            url: &format!("{}{path}", endpoint()),
            token: Some(&self.token),
            headers: if method == "GET" { &[] } else { &headers },
            content: Content::Bytes(body),
            name: &format!("{method} {path}"),
        })
    }

    /// Gives the hub the bytes of `files`: all but those of small texts, which go with the commit.
    pub(crate) fn upload(&mut self, files: Vec<NewFile>) -> Result<(), Failure> {
        let mut inline = 0;
        for files in files.chunks(ASKED) {
            let samples = files.iter().map(sample).collect::<Result<Vec<_>, _>>()?;
            let modes = self.modes(&samples)?;
            for (new, sample) in files.iter().zip(samples) {
                let bytes = sample["size"].as_u64().unwrap_or(0);
                let is_regular = modes.get(&new.path).is_some_and(|mode| mode == "regular");
                let is_inline = is_regular && inline + bytes <= INLINE;
                inline += if is_inline { bytes } else { 0 };
                self.stored.push(Stored {
                    path: new.path.clone(),
                    file: new.file.clone(),
                    bytes,
                    digest: digest(new)?,
                    is_inline,
                });
            }
        }
        let large: Vec<&Stored> = self.stored.iter().filter(|file| !file.is_inline).collect();
        hub_lfs::upload(&self.name, &self.branch, &self.token, &large)
    }

    /// How the hub wants to store files, by their paths.
    fn modes(&self, samples: &[Value]) -> Result<HashMap<String, String>, Failure> {
        let path = format!(
            "/api/{}/preupload/{}",
            self.name,
            encoded(&self.branch, false)
        );
        let body = json!({ "files": samples }).to_string();
        let reply = good(
            &format!("POST {path}"),
            self.ask("POST", &path, body.as_bytes())?,
        )?;
        let files = reply
            .get("files")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let modes = files.filter_map(|file| {
            let text = |key: &str| Some(file.get(key)?.as_str()?.to_owned());
            Some((text("path")?, text("uploadMode")?))
        });
        Ok(modes.collect())
    }

    /// The text of a small file at the commit that the next one follows; None if there is none.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>, Failure> {
        let bytes = self.bytes(path)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn address(&self, path: &str) -> Address {
        let host = format!("{}@{}", self.name, self.head);
        Address {
            scheme: super::address::Scheme::Hub,
            text: format!("hf://{host}/{path}"),
            host,
            key: path.to_owned(),
        }
    }

    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        match Object::find(self.address(path)) {
            Ok(object) if object.bytes() <= INLINE => match object.fetch(0..object.bytes()) {
                Ok(bytes) => Ok(Some(bytes.to_vec())),
                Err(e) => Err(strange(&format!("GET `{path}`"), &e.to_string())),
            },
            Ok(_) => Ok(None),
            Err(failure) if failure.is_absence() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Makes all files appear, and `texts`, with their paths, and removes files of `dir` that are
    /// `stale`. False: another commit came before; [look](Self::renew) and try again. If the branch has
    /// all of it already, that is the commit.
    pub(crate) fn commit(
        &self,
        texts: &[(&str, &str)],
        dir: &str,
        stale: impl Fn(&str) -> bool,
        title: &str,
    ) -> Result<bool, Failure> {
        let listed = super::hub::list(&self.address(dir), dir)?;
        let is_new = |path: &str| {
            self.stored.iter().any(|file| file.path == path)
                || texts.iter().any(|(p, _)| *p == path)
        };
        let listed_paths = listed.iter().map(|listed| &*listed.key);
        let removed: Vec<&str> = listed_paths.filter(|p| stale(p) && !is_new(p)).collect();
        if removed.is_empty() && self.is_there(texts, &listed)? {
            return Ok(true);
        }
        let header = json!({ "key": "header", "value": {
            "summary": title, "description": "", "parentCommit": self.head,
        }});
        let mut body = header.to_string();
        let mut add = |key: &str, value: Value| {
            body += &format!("\n{}", json!({ "key": key, "value": value }));
        };
        for (path, text) in texts {
            let content = BASE64.encode(text);
            add(
                "file",
                json!({ "path": path, "content": content, "encoding": "base64" }),
            );
        }
        for file in &self.stored {
            if file.is_inline {
                let bytes = std::fs::read(&file.file).map_err(|e| cannot_read(&file.path, &e))?;
                let content = BASE64.encode(bytes);
                add(
                    "file",
                    json!({ "path": file.path, "content": content, "encoding": "base64" }),
                );
            } else {
                add(
                    "lfsFile",
                    json!({
                        "path": file.path, "algo": "sha256", "oid": file.digest, "size": file.bytes,
                    }),
                );
            }
        }
        for path in &removed {
            add("deletedFile", json!({ "path": path }));
        }
        let path = format!("/api/{}/commit/{}", self.name, encoded(&self.branch, false));
        let answer = self.ask_as("POST", &path, body.as_bytes(), "application/x-ndjson")?;
        match answer.status {
            409 | 412 => Ok(false),
            _ => {
                good(&format!("POST {path}"), answer)?;
                for path in removed {
                    tracing::warn!("`{path}` of an earlier export is removed");
                }
                Ok(true)
            }
        }
    }

    /// Whether the files at the commit that the next one would follow are those to be put there.
    fn is_there(&self, texts: &[(&str, &str)], listed: &[Listed]) -> Result<bool, Failure> {
        let found = |path: &str| listed.iter().find(|listed| listed.key == path);
        for file in &self.stored {
            let Some(listed) = found(&file.path).filter(|found| found.bytes == file.bytes) else {
                return Ok(false);
            };
            let is_same = match (&listed.digest, file.is_inline) {
                (Some(digest), _) => *digest == file.digest,
                (None, true) => {
                    let bytes = self.bytes(&file.path)?;
                    bytes.is_some_and(|bytes| hex::encode(Sha256::digest(bytes)) == file.digest)
                }
                (None, false) => false,
            };
            if !is_same {
                return Ok(false);
            }
        }
        for (path, text) in texts {
            if self.text(path)?.as_deref() != Some(*text) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn own_token() -> Result<String, Failure> {
    token().ok_or_else(|| {
        Failure::new(
            ErrorKind::PermissionDenied,
            "there is no token for the hub, and nothing can be written there without",
        )
        .hint(TOKEN)
    })
}

/// What the hub is told of a file beforehand.
fn sample(new: &NewFile) -> Result<Value, Failure> {
    let cannot = |e| cannot_read(&new.path, &e);
    let file = File::open(&new.file).map_err(cannot)?;
    let bytes = file.metadata().map_err(cannot)?.len();
    let mut start = Vec::new();
    file.take(SAMPLE).read_to_end(&mut start).map_err(cannot)?;
    Ok(json!({ "path": new.path, "size": bytes, "sample": BASE64.encode(start) }))
}

/// SHA-256 of a file in hex digits.
fn digest(new: &NewFile) -> Result<String, Failure> {
    let cannot = |e| cannot_read(&new.path, &e);
    let mut file = File::open(&new.file).map_err(cannot)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer).map_err(cannot)? {
            0 => return Ok(hex::encode(sum.finalize())),
            n => sum.update(&buffer[..n]),
        }
    }
}

pub(super) fn cannot_read(path: &str, e: &std::io::Error) -> Failure {
    Failure::new(
        ErrorKind::Other,
        format!("`{path}` of the export cannot be read again: {e}"),
    )
}

/// The JSON of an answer, or what it says is wrong.
pub(super) fn good(name: &str, answer: Answer) -> Result<Value, Failure> {
    if (200..300).contains(&answer.status) {
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_slice(&answer.body)
            .map_err(|e| strange(name, &format!("it is no JSON: {e}")));
    }
    let said = answer
        .headers
        .get("x-error-message")
        .and_then(|text| text.to_str().ok());
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let in_body = body.as_ref().and_then(|body| body.get("error")?.as_str());
    let said: String = match said.or(in_body) {
        Some(said) => format!(
            " ({})",
            said.chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect::<String>()
        ),
        None => String::new(),
    };
    let message = format!("{name}: the hub answers {}{said}", answer.status);
    Err(match answer.status {
        401 | 403 => Failure::new(ErrorKind::PermissionDenied, message).hint(EXPIRED),
        404 => Failure::new(ErrorKind::NotFound, message).hint(ABSENT),
        _ => Failure::new(ErrorKind::Other, message),
    })
}

pub(super) fn strange(name: &str, why: &str) -> Failure {
    Failure::new(
        ErrorKind::Other,
        format!("{name}: the answer is not that of a hub: {why}"),
    )
}

/// Fails if nothing can be put into the dataset of `address`: no token, no dataset (unless one will be
/// created), no permission. Changes nothing.
pub(crate) fn check_writable(address: &Address, creates: bool) -> Result<(), Failure> {
    let (name, branch) = parts(address);
    let push = Push {
        name: name.to_owned(),
        branch: branch.to_owned(),
        token: own_token()?,
        head: String::new(),
        stored: Vec::new(),
    };
    let sample = json!({ "path": "README.md", "size": 1, "sample": BASE64.encode("#") });
    match push.modes(&[sample]) {
        Err(failure) if creates && failure.kind == ErrorKind::NotFound => push.user().map(drop),
        other => other.map(drop),
    }
}
