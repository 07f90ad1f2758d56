//! What went wrong with a request, for people: the request, the answer, and what to do.

use crate::error::UserError;
use std::fmt;
use std::io::{self, ErrorKind};

/// A request that failed for good.
#[derive(Debug)]
pub(crate) struct Failure {
    /// `NotFound`, `PermissionDenied`, `InvalidData` if the object is not the one that was found,
    /// or `Other`.
    pub(super) kind: ErrorKind,
    message: String,
    hint: Option<&'static str>,
}

pub(super) const CHANGED: &str = "run the job again: what has changed is then done anew";
const CREDENTIALS: &str = "credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in `~/.aws` (AWS_PROFILE), or the machine's role; AWS_SKIP_SIGNATURE=true reads a public bucket without";
const CREDENTIALS_GCS: &str = "credentials come from GOOGLE_APPLICATION_CREDENTIALS (the file of a service account), `gcloud auth application-default login`, or the machine; GOOGLE_SKIP_SIGNATURE=true reads a public bucket without";
const CREDENTIALS_AZURE: &str = "credentials come from AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; AZURE_SKIP_SIGNATURE=true reads a public container without";
const EXPIRED: &str = "renew the credentials and run the job again: it continues where it stopped";
const REGION: &str = "set AWS_REGION to the region of the bucket";
const LATER: &str =
    "run the job again once the server can be reached: it continues where it stopped";

/// What a message of the TLS library about the server's certificate has.
pub(super) const CERTIFICATE: &str = "invalid peer certificate";
const UNTRUSTED: &str = "this machine does not trust the server's certificate: name the file with that of its authority in SSL_CERT_FILE, which takes the place of the machine's own list";

impl Failure {
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The object is another one than was found.
    pub(super) fn changed(request: &str) -> Self {
        Self::new(
            ErrorKind::InvalidData,
            format!("{request}: it has changed since the job looked at it"),
        )
        .hint(CHANGED)
    }

    /// The server has answered with `status`, and what it says in `body`.
    pub(super) fn answer(request: &str, status: u16, body: &str, retries: usize) -> Self {
        let code = tag(body, "Code");
        let said = match (code, tag(body, "Message")) {
            (Some(code), Some(message)) => format!(" ({code}: {message})"),
            (Some(code), None) => format!(" ({code})"),
            _ => String::new(),
        };
        let tried = match retries {
            0 => String::new(),
            n => format!(" after {} requests", n + 1),
        };
        let message = format!("{request}: the server answers {status}{said}{tried}");
        let (kind, hint) = match (status, code.unwrap_or_default()) {
            (412, _) => return Self::changed(request),
            (404 | 410, "NoSuchBucket") => (ErrorKind::NotFound, Some("check the bucket's name")),
            (404 | 410, _) => (ErrorKind::NotFound, None),
            (_, "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired") => {
                (ErrorKind::PermissionDenied, Some(EXPIRED))
            }
            (_, "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect") => {
                (ErrorKind::Other, Some(REGION))
            }
            (301 | 307, _) => (ErrorKind::Other, Some(REGION)),
            (401 | 403, _) => (ErrorKind::PermissionDenied, None),
            (429 | 500.., _) => (ErrorKind::Other, Some(LATER)),
            _ => (ErrorKind::Other, None),
        };
        Self {
            kind,
            message,
            hint,
        }
    }

    /// It could not be sent, and another try would not change that.
    pub(super) fn unsent(request: &str, why: &str) -> Self {
        let failure = Self::new(ErrorKind::Other, format!("{request}: {why}"));
        match why.contains(CERTIFICATE) {
            true => failure.hint(UNTRUSTED),
            false => failure,
        }
    }

    /// No whole answer came.
    pub(super) fn broken(request: &str, why: &str, retries: usize) -> Self {
        let tried = match retries {
            0 => String::new(),
            n => format!(" after {} requests", n + 1),
        };
        let hint = match why.contains(CERTIFICATE) {
            true => UNTRUSTED,
            false => LATER,
        };
        Self::new(ErrorKind::Other, format!("{request}: {why}{tried}")).hint(hint)
    }

    /// Of a store. Its errors have the request, the answer and the number of tries only as text.
    pub(super) fn of_store(request: &str, error: &object_store::Error) -> Self {
        let text = match std::error::Error::source(error) {
            Some(source) => source.to_string(),
            None => error.to_string(),
        };
        let number = |before: &str| {
            let rest = &text[text.find(before)? + before.len()..];
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..end].parse::<usize>().ok()
        };
        let retries = number(", after ").unwrap_or(0);
        if let Some(status) = number("status code: ") {
            let failure = Self::answer(request, status as u16, &text, retries);
            return match failure.kind {
                ErrorKind::PermissionDenied if failure.hint.is_none() => {
                    failure.hint(credentials_hint(request))
                }
                _ => failure,
            };
        }
        if matches!(error, object_store::Error::Precondition { .. }) {
            return Self::changed(request);
        }
        let why = text.rsplit(" - ").next().unwrap_or(&text);
        Self::broken(request, why, retries)
    }

    /// Whether the server or the network failed, which may pass.
    pub(super) fn is_passing(&self) -> bool {
        self.hint == Some(LATER)
    }

    /// Whether there is no such file, rather than a fault.
    pub(crate) fn is_absence(&self) -> bool {
        self.kind == ErrorKind::NotFound && self.hint.is_none()
    }

    /// As a mistake of the user's, at `place`.
    pub(crate) fn at(self, place: impl Into<String>) -> UserError {
        let error = UserError::new(place, self.message);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::new(failure.kind, failure)
    }
}

/// Where the credentials of a store come from; `request` has its address.
fn credentials_hint(request: &str) -> &'static str {
    if request.contains("`gs://") {
        CREDENTIALS_GCS
    } else if request.contains("`az://") {
        CREDENTIALS_AZURE
    } else {
        CREDENTIALS
    }
}

/// The text in an element of an answer of S3, of which no more than a line is shown.
fn tag<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let start = body.find(&format!("<{name}>"))? + name.len() + 2;
    let text = &body[start..];
    let text = &text[..text.find("</")?];
    let end = text
        .char_indices()
        .nth(200)
        .map_or(text.len(), |(at, _)| at);
    Some(text[..end].trim()).filter(|text| !text.is_empty() && !text.contains('\n'))
}
