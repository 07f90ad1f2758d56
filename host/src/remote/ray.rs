//! Ray's interface for jobs: `http://HOST:8265` of a cluster takes a package and a command, runs it on
//! the cluster, and tells what it prints and how it ends.

use std::io::ErrorKind;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::http::{Answer, Content, Sent, send};

/// The jobs of a cluster.
pub(crate) struct RayJobs {
    url: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// How a job is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RayJob {
    /// `PENDING`, `RUNNING`, `STOPPED`, `SUCCEEDED`, `FAILED`.
    pub(crate) status: String,
    /// For people.
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// Exit code of its command, if it has ended.
    #[serde(default)]
    pub(crate) driver_exit_code: Option<i32>,
}

impl RayJob {
    /// Whether its command has ended, or never began.
    pub(crate) fn is_over(&self) -> bool {
        ["STOPPED", "SUCCEEDED", "FAILED"].contains(&self.status.as_str())
    }
}

impl RayJobs {
    /// Those of the cluster behind `url`. What authenticates is in the variables that Ray's own
    /// commands take: `RAY_AUTH_TOKEN`, and `RAY_JOB_HEADERS` with a JSON object. `Err` says what is
    /// wrong with the latter.
    pub(crate) fn new(url: &str) -> Result<Self, String> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let mut headers = Vec::new();
        if let Some(text) = set("RAY_JOB_HEADERS") {
            let wrong = |_| "$RAY_JOB_HEADERS is not a JSON object of texts".to_owned();
            let object: Map<String, Value> = serde_json::from_str(&text).map_err(wrong)?;
            for (name, value) in object {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                headers.push((name, value));
            }
        }
        Ok(Self {
            url: url.to_owned(),
            token: set("RAY_AUTH_TOKEN"),
            headers,
        })
    }

    /// The version of Ray that the cluster has.
    pub(crate) fn version(&self) -> Result<String, Failure> {
        let said = self.ask("/api/version")?;
        match said["ray_version"].as_str() {
            Some(version) => Ok(version.to_owned()),
            None => Err(Failure::new(
                ErrorKind::Other,
                format!("GET {}/api/version: what answers is not Ray", self.url),
            )),
        }
    }

    /// Puts a package there, unless it is there.
    pub(crate) fn put_package(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = format!("/api/packages/gcs/{name}");
        if self.send("GET", &path, &[])?.status == 200 {
            return Ok(());
        }
        let answer = self.send("PUT", &path, content)?;
        self.check("PUT", &path, &answer)
    }

    /// How the job `id` is; None: there is none.
    pub(crate) fn find(&self, id: &str) -> Result<Option<RayJob>, Failure> {
        let path = format!("/api/jobs/{id}");
        let answer = self.send("GET", &path, &[])?;
        if answer.status == 404 {
            return Ok(None);
        }
        self.check("GET", &path, &answer)?;
        serde_json::from_slice(&answer.body)
            .map(Some)
            .map_err(|error| self.unreadable(&path, &error))
    }

    /// Runs `command` in the package `package` as the job `id`, of which there is none.
    pub(crate) fn submit(&self, id: &str, package: &str, command: &str) -> Result<(), Failure> {
        let asked = json!({
            "entrypoint": command,
            "submission_id": id,
            "runtime_env": {"working_dir": format!("gcs://{package}")},
            "metadata": {"djhost": env!("CARGO_PKG_VERSION")},
        });
        let path = "/api/jobs/";
        let answer = self.send("POST", path, asked.to_string().as_bytes())?;
        // The reply to an earlier request may have been lost.
        if answer.status != 200 && self.find(id)?.is_some() {
            return Ok(());
        }
        self.check("POST", path, &answer)
    }

    /// What the job `id` has printed so far.
    pub(crate) fn logs(&self, id: &str) -> Result<String, Failure> {
        let said = self.ask(&format!("/api/jobs/{id}/logs"))?;
        Ok(said["logs"].as_str().unwrap_or_default().to_owned())
    }

    fn ask(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.send("GET", path, &[])?;
        self.check("GET", path, &answer)?;
        serde_json::from_slice(&answer.body).map_err(|error| self.unreadable(path, &error))
    }

    fn check(&self, method: &str, path: &str, answer: &Answer) -> Result<(), Failure> {
        match answer.status {
            200..=299 => Ok(()),
            status => {
                let body = String::from_utf8_lossy(&answer.body);
                let last = body.trim().lines().next_back().unwrap_or_default();
                let said: String = last.chars().take(300).collect();
                let kind = match status {
                    401 | 403 => ErrorKind::PermissionDenied,
                    _ => ErrorKind::Other,
                };
                let why = format!(
                    "{method} {}{path}: the server answers {status}: {said}",
                    self.url
                );
                Err(Failure::new(kind, why))
            }
        }
    }

    fn unreadable(&self, path: &str, error: &serde_json::Error) -> Failure {
        let why = format!("GET {}{path}: the answer is not Ray's: {error}", self.url);
        Failure::new(ErrorKind::Other, why)
    }

    fn send(&self, method: &'static str, path: &str, content: &[u8]) -> Result<Answer, Failure> {
        let mut headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let kind = match method {
            "POST" => "application/json",
            _ => "application/octet-stream",
        };
        headers.push(("Content-Type", kind));
        send(&Sent {
            method,
            url: &format!("{}{path}", self.url),
            token: self.token.as_deref(),
            headers: &headers,
            content: Content::Bytes(content),
            name: &format!("{method} {}{path}", self.url),
        })
    }
}
