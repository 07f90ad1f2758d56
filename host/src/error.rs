//! Errors sorted by who must act, and the exit codes that follow from it.
//!
//! Everything is an [`anyhow::Error`]; what the user can mend is a [`UserError`] somewhere in its chain, a stop is a [`Stopped`]. Any other
//! error means that the job failed (exit code 1).

use std::borrow::Cow;
use std::fmt;

/// Exit codes of every subcommand. They are a public interface: scripts branch on them.
pub mod exit {
    /// The job is done.
    pub const DONE: u8 = 0;
    /// The job failed; it can be resumed once the cause is mended.
    pub const FAILED: u8 = 1;
    /// The command line, the recipe, the dataset or a plugin is not usable as given. Nothing was started.
    pub const USAGE: u8 = 2;
    /// The job was stopped on request and can be resumed.
    pub const STOPPED: u8 = 3;
    /// The job is done, but rows are in quarantine (only with `--strict`).
    pub const QUARANTINED: u8 = 4;
}

/// A mistake that the user can mend: it names the place and the offending value, and the hint says what is valid.
#[derive(Debug, Clone)]
pub struct UserError {
    /// Where: `recipe.yaml:12: process[3].text_length_filter.min_len`, a path, an option. May be empty.
    pub place: String,
    /// What is wrong, with the offending value; no full stop.
    pub message: String,
    /// What to do: the valid choices, `did you mean …`.
    pub hint: Option<String>,
}

impl UserError {
    /// An error at `place` (may be empty) saying `message`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), hint: None }
    }

    /// The same error with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", shown(&self.place))?;
        }
        f.write_str(&shown(&self.message))?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", shown(hint)),
            None => Ok(()),
        }
    }
}

/// The text without control characters: what a recipe or a file name holds must not reach the terminal as it is.
fn shown(text: &str) -> Cow<'_, str> {
    let dangerous = |c: char| c.is_control() && c != '\n';
    if !text.contains(dangerous) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| if dangerous(c) { out.extend(c.escape_debug()) } else { out.push(c) });
    out.into()
}

impl std::error::Error for UserError {}

/// Several user mistakes found in one go; all are shown.
#[derive(Debug, Clone)]
pub struct UserErrors(pub Vec<UserError>);

impl fmt::Display for UserErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UserErrors {}

/// The job was stopped on request; what was complete is committed.
#[derive(Debug, Clone, Copy)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Stopped {}

/// A failure of the job that would come again however often its task is tried.
#[derive(Debug, Clone)]
pub struct Final(pub String);

impl fmt::Display for Final {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Final {}

/// The exit code that an error stands for.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|e| e.is::<Stopped>()) {
        exit::STOPPED
    } else if error.chain().any(|e| e.is::<UserError>() || e.is::<UserErrors>()) {
        exit::USAGE
    } else {
        exit::FAILED
    }
}

/// `did you mean …`: the candidate nearest to `given`, if one is near enough to be a slip.
pub fn did_you_mean<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(given, c), c))
        .filter(|(score, _)| *score > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}
