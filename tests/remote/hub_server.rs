//! A stand-in for the hub: datasets with branches and commits, Git LFS, and its API.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use djhost::testing::web::{Asked, Reply, Web};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

pub(super) const TOKEN: &str = "hf_hunter2";

/// Files larger than this go to LFS in parts of this size.
pub(super) const PART: usize = 2 << 10;

#[derive(Clone)]
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

#[derive(Default)]
pub(super) struct State {
    /// By `OWNER/NAME@BRANCH`.
    pub(super) branches: HashMap<String, Vec<Commit>>,
    pub(super) lfs: HashMap<String, Vec<u8>>,
    parts: HashMap<(String, u64), Vec<u8>>,
    /// Uploads to LFS that were begun.
    pub(super) uploads: usize,
    /// Tokens that are good.
    pub(super) tokens: Vec<String>,
    url: String,
}

#[derive(Clone)]
pub(super) struct Hub {
    pub(super) web: Web,
    pub(super) state: Arc<Mutex<State>>,
}

impl Hub {
    pub(super) fn new() -> Self {
        let web = Web::new();
        let state = Arc::new(Mutex::new(State {
            tokens: vec![TOKEN.to_owned()],
            url: web.url(""),
            ..State::default()
        }));
        let answering = Arc::clone(&state);
        web.reply(move |asked| Some(answering.lock().unwrap().answer(asked)));
        Self { web, state }
    }

    /// A dataset with a first commit of these files.
    pub(super) fn with(self, name: &str, files: &[(&str, &[u8])]) -> Self {
        let files = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        self.state
            .lock()
            .unwrap()
            .add(name, files.collect(), "first");
        self
    }

    /// The commits of a branch, the last one last.
    pub(super) fn commits(&self, name: &str) -> Vec<Commit> {
        let state = self.state.lock().unwrap();
        state.branches.get(name).cloned().unwrap_or_default()
    }

    /// The files at the end of a branch.
    pub(super) fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        self.commits(name)
            .pop()
            .map(|commit| commit.files)
            .unwrap_or_default()
    }
}

fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

fn ok(value: &Value) -> Reply {
    reply(200, value.to_string())
}

fn no(status: u16, why: &str) -> Reply {
    reply(status, json!({ "error": why }).to_string())
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap() as char);
        out += &part[2..];
    }
    out
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl State {
    pub(super) fn add(&mut self, branch: &str, files: BTreeMap<String, Vec<u8>>, title: &str) {
        let commits = self.branches.entry(branch.to_owned()).or_default();
        let id = &digest(format!("{branch} {}", commits.len()).as_bytes())[..40];
        commits.push(Commit {
            id: id.to_owned(),
            title: title.to_owned(),
            files,
        });
    }

    fn commit(&self, name: &str, revision: &str) -> Option<&Commit> {
        let of_branch = self.branches.get(&format!("{name}@{revision}"));
        let start = format!("{name}@");
        let all = self
            .branches
            .iter()
            .filter(|(branch, _)| branch.starts_with(&start));
        of_branch.and_then(|commits| commits.last()).or_else(|| {
            all.flat_map(|(_, commits)| commits)
                .find(|commit| commit.id == revision)
        })
    }

    fn answer(&mut self, asked: &Asked) -> Reply {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let parts: Vec<String> = path[1..].split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let method = &*asked.method;
        if let ["lfs", rest @ ..] = &parts[..] {
            // Places for bytes are signed, and need no token.
            assert!(!asked.headers.contains_key("authorization"), "{path}");
            return self.lfs(method, rest, &asked.body);
        }
        let token = asked
            .headers
            .get("authorization")
            .and_then(|text| text.strip_prefix("Bearer "));
        let may = token.is_some_and(|token| self.tokens.iter().any(|good| good == token));
        if !may {
            return no(401, "Invalid username or password.");
        }
        match (method, &parts[..]) {
            ("GET", ["api", "whoami-v2"]) => ok(&json!({ "name": "me" })),
            ("POST", ["api", "repos", "create"]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                assert_eq!(
                    (&body["type"], &body["private"]),
                    (&json!("dataset"), &json!(true))
                );
                let owner = body["organization"].as_str().unwrap_or("me");
                let branch = format!("{owner}/{}@main", body["name"].as_str().unwrap());
                if self.branches.contains_key(&branch) {
                    return no(409, "You already created this dataset repo");
                }
                self.add(&branch, BTreeMap::new(), "initial commit");
                ok(&json!({ "url": "x" }))
            }
            ("GET", ["api", "datasets", owner, name, "revision", revision]) => {
                match self.commit(&format!("{owner}/{name}"), revision) {
                    Some(commit) => ok(&json!({ "sha": commit.id })),
                    None => no(404, "Repository not found"),
                }
            }
            ("GET", ["api", "datasets", owner, name, "tree", revision, dir @ ..]) => {
                assert_eq!(query, "recursive=true");
                match self.commit(&format!("{owner}/{name}"), revision) {
                    Some(commit) => tree(commit, &dir.join("/")),
                    None => no(404, "Repository not found"),
                }
            }
            ("GET", ["datasets", owner, name, "resolve", revision, file @ ..]) => {
                let commit = self.commit(&format!("{owner}/{name}"), revision);
                match commit.and_then(|commit| commit.files.get(&file.join("/"))) {
                    Some(bytes) => reply(200, bytes.clone()),
                    None => no(404, "Entry not found"),
                }
            }
            // Models, which are named in no path of a file.
            ("GET", ["api", "models", owner, name, "revision", revision]) => {
                match self.commit(&format!("model/{owner}/{name}"), revision) {
                    Some(commit) => ok(&json!({ "sha": commit.id })),
                    None => no(404, "Repository not found"),
                }
            }
            ("GET", [owner, name, "resolve", revision, file @ ..]) => {
                let commit = self.commit(&format!("model/{owner}/{name}"), revision);
                match commit.and_then(|commit| commit.files.get(&file.join("/"))) {
                    Some(bytes) => reply(200, bytes.clone()),
                    None => no(404, "Entry not found"),
                }
            }
            ("POST", ["api", "datasets", owner, name, "preupload", revision]) => {
                if self.commit(&format!("{owner}/{name}"), revision).is_none() {
                    return no(404, "Repository not found");
                }
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                let files = body["files"].as_array().unwrap().iter();
                let files: Vec<Value> = files
                    .map(|file| {
                        let path = file["path"].as_str().unwrap();
                        let is_large = path.ends_with(".parquet");
                        json!({ "path": path, "uploadMode": if is_large { "lfs" } else { "regular" } })
                    })
                    .collect();
                ok(&json!({ "files": files }))
            }
            ("POST", ["api", "verify"]) => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap();
                match self.lfs.get(body["oid"].as_str().unwrap()) {
                    Some(bytes) if body["size"] == bytes.len() => reply(200, ""),
                    _ => no(404, "there is no such object"),
                }
            }
            ("POST", ["datasets", _, _, "info", "lfs", "objects", "batch"]) => {
                self.batch(&asked.body)
            }
            ("POST", ["api", "datasets", owner, name, "commit", branch]) => {
                self.make_commit(&format!("{owner}/{name}@{branch}"), &asked.body)
            }
            other => no(400, &format!("{other:?}")),
        }
    }

    /// Where the bytes of files go.
    fn batch(&mut self, body: &[u8]) -> Reply {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["operation"], "upload");
        let mut objects = Vec::new();
        for object in body["objects"].as_array().unwrap() {
            let (oid, size) = (
                object["oid"].as_str().unwrap(),
                object["size"].as_u64().unwrap(),
            );
            let mut object = object.clone();
            if !self.lfs.contains_key(oid) {
                self.uploads += 1;
                let url = &self.url;
                let upload = if size as usize <= PART {
                    json!({ "href": format!("{url}/lfs/{oid}") })
                } else {
                    let mut header = json!({ "chunk_size": PART.to_string() });
                    for part in 1..=size.div_ceil(PART as u64) {
                        header[format!("{part:05}")] = format!("{url}/lfs/{oid}/{part}").into();
                    }
                    json!({ "href": format!("{url}/lfs/{oid}/end"), "header": header })
                };
                // A check wants the token.
                let verify = json!({ "href": format!("{url}/api/verify") });
                object["actions"] = json!({ "upload": upload, "verify": verify });
            }
            objects.push(object);
        }
        ok(&json!({ "transfer": "basic", "objects": objects }))
    }

    fn lfs(&mut self, method: &str, parts: &[&str], body: &[u8]) -> Reply {
        match (method, parts) {
            ("PUT", [oid]) => {
                assert_eq!(digest(body), *oid);
                self.lfs.insert((*oid).to_owned(), body.to_vec());
                reply(200, "")
            }
            ("PUT", [oid, part]) => {
                let key = ((*oid).to_owned(), part.parse().unwrap());
                self.parts.insert(key, body.to_vec());
                Reply {
                    headers: vec![("ETag".to_owned(), format!("\"{part}\""))],
                    ..reply(200, "")
                }
            }
            ("POST", [oid, "end"]) => {
                let body: Value = serde_json::from_slice(body).unwrap();
                let parts = body["parts"].as_array().unwrap();
                let mut bytes = Vec::new();
                for part in parts {
                    let number = part["partNumber"].as_u64().unwrap();
                    assert_eq!(part["etag"], format!("\"{number}\""));
                    bytes.extend_from_slice(&self.parts[&((*oid).to_owned(), number)]);
                }
                assert_eq!(digest(&bytes), *oid);
                self.lfs.insert((*oid).to_owned(), bytes);
                ok(&json!({ "success": true }))
            }
            other => no(400, &format!("{other:?}")),
        }
    }

    fn make_commit(&mut self, branch: &str, body: &[u8]) -> Reply {
        let Some(last) = self.branches.get(branch).and_then(|commits| commits.last()) else {
            return no(404, "Repository not found");
        };
        let (mut files, mut title) = (last.files.clone(), String::new());
        for line in std::str::from_utf8(body).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let value = &line["value"];
            let path = value["path"].as_str().unwrap_or_default().to_owned();
            match line["key"].as_str().unwrap() {
                "header" => {
                    if value["parentCommit"] != *last.id {
                        return no(
                            412,
                            "A commit has happened since. Please refresh and try again.",
                        );
                    }
                    title = value["summary"].as_str().unwrap().to_owned();
                }
                "file" => {
                    assert_eq!(value["encoding"], "base64");
                    files.insert(
                        path,
                        BASE64.decode(value["content"].as_str().unwrap()).unwrap(),
                    );
                }
                "lfsFile" => match self.lfs.get(value["oid"].as_str().unwrap()) {
                    Some(bytes) => drop(files.insert(path, bytes.clone())),
                    None => return no(400, "LFS pointer pointed to a file that does not exist"),
                },
                "deletedFile" => drop(files.remove(&path)),
                other => panic!("{other}"),
            }
        }
        self.add(branch, files, &title);
        ok(&json!({ "success": true, "commitOid": "x" }))
    }
}

fn tree(commit: &Commit, dir: &str) -> Reply {
    let is_below = |path: &&String| dir.is_empty() || path.starts_with(&format!("{dir}/"));
    let files = commit.files.iter().filter(|(path, _)| is_below(path));
    let entries: Vec<Value> = files
        .map(|(path, bytes)| {
            let mut entry =
                json!({ "type": "file", "path": path, "size": bytes.len(), "oid": "x" });
            if path.ends_with(".parquet") {
                entry["lfs"] = json!({ "oid": digest(bytes), "size": bytes.len() });
            }
            entry
        })
        .collect();
    match entries.is_empty() && !dir.is_empty() {
        true => no(404, "Entry not found"),
        false => ok(&entries.into()),
    }
}
