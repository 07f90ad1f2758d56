//! Errors sorted by who must act, and the exit codes that follow from it.
//!
//! Everything is an [`anyhow::Error`]; what the user can mend is a [`UserError`] somewhere in its
//! chain, a stop is a [`Stopped`]. Any other error means that the job failed (exit code 1).

use std::borrow::Cow;
use std::fmt;

/// Exit codes of every subcommand. They are a public interface: scripts branch on them.
pub mod exit {
    /// The job is done.
    pub const DONE: u8 = 0;
    /// The job failed; it can be resumed once the cause is mended.
    pub const FAILED: u8 = 1;
    /// The command line, the recipe, the dataset or a plugin is not usable as given. Nothing was
    /// started.
    pub const USAGE: u8 = 2;
    /// The job was stopped on request and can be resumed.
    pub const STOPPED: u8 = 3;
    /// The job is done, but rows are in quarantine (only with `--strict`).
    pub const QUARANTINED: u8 = 4;
}

/// A mistake that the user can mend: it names the place and the offending value, and the hint says
/// what is valid.
#[derive(Debug, Clone)]
pub struct UserError {
    /// Where: `recipe.yaml:12: process[3].text_length_filter.min_len`, a path, an option. May be
    /// empty.
    pub place: String,
    /// What is wrong, with the offending value; no full stop.
    pub message: String,
    /// What to do: the valid choices, `did you mean …`.
    pub hint: Option<String>,
}

impl UserError {
    /// An error at `place` (may be empty) saying `message`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            hint: None,
        }
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

/// The text without control characters: what a recipe or a file name holds must not reach the
/// terminal as it is.
fn shown(text: &str) -> Cow<'_, str> {
    let dangerous = |c: char| c.is_control() && c != '\n';
    if !text.contains(dangerous) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| {
        if dangerous(c) {
            out.extend(c.escape_debug())
        } else {
            out.push(c)
        }
    });
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
    } else if error
        .chain()
        .any(|e| e.is::<UserError>() || e.is::<UserErrors>())
    {
        exit::USAGE
    } else {
        exit::FAILED
    }
}

/// `did you mean …`: the candidate nearest to `given`, if `given` is a misspelling of it. A name
/// that only looks alike, as another of the same family does, is none: see [`slip`].
pub fn did_you_mean<'a>(
    given: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| {
            Some((
                slip(given, candidate)?,
                strsim::jaro_winkler(given, candidate),
                candidate,
            ))
        })
        .max_by(|a, b| b.0.cmp(&a.0).then(a.1.total_cmp(&b.1)))
        .map(|(.., candidate)| candidate)
}

/// How far `given` is from `candidate` if it can be a slip of it, and None if it is another word.
/// Slips are
/// - another spelling of the same words: `TextLengthFilter`, `text-length-filter` (0);
/// - one letter wrong, missing, too many or swapped with its neighbour, two from six letters on:
///   `text_lenght_filter` (1, 2);
/// - each word a slip or a short form of its counterpart: `max_line_len_filter` for
///   `maximum_line_length_filter` (3);
/// - the last word left out, or a word not ended: `text_length` for `text_length_filter`,
///   `automatic` for `auto` (4).
fn slip(given: &str, candidate: &str) -> Option<usize> {
    let folded = |text: &str| {
        text.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let (bare, wanted) = (folded(given), folded(candidate));
    if bare.is_empty() || wanted.is_empty() {
        return None;
    }
    let distance = strsim::osa_distance(&bare, &wanted);
    if distance <= letters(&bare, &wanted) {
        return Some(distance);
    }
    let (given, candidate) = (given.to_lowercase(), candidate.to_lowercase());
    let words = |text: &str| {
        text.split(['_', '-', '.', ' '])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (ours, theirs) = (words(&given), words(&candidate));
    if ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(a, b)| is_slip_of_word(a, b)) {
        return Some(3);
    }
    let unfinished = candidate.strip_prefix(&given).is_some_and(|rest| {
        !rest
            .trim_start_matches(['_', '-'])
            .contains(['_', '-', '.'])
    });
    let overlong = given
        .strip_prefix(&candidate)
        .is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    (bare.len().min(wanted.len()) >= 4 && (unfinished || overlong)).then_some(4)
}

/// How many letters of two words may differ for one to be a slip of the other.
fn letters(a: &str, b: &str) -> usize {
    match a.chars().count().min(b.chars().count()) {
        0..=1 => 0,
        2..=5 => 1,
        _ => 2,
    }
}

/// Whether a word is a slip of the other, or a short form: its beginning, or three letters of it as
/// `avg` of `average`.
fn is_slip_of_word(a: &str, b: &str) -> bool {
    let short_form = |short: &str, long: &str| {
        let mut rest = long.chars();
        match short.chars().count() {
            0..=2 => false,
            3 => {
                short.chars().next() == long.chars().next()
                    && short.chars().all(|c| rest.any(|r| r == c))
            }
            _ => long.starts_with(short),
        }
    };
    a == b
        || strsim::osa_distance(a, b) <= letters(a, b).min(a.len().min(b.len()) / 3)
        || short_form(a, b)
        || short_form(b, a)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    const NAMES: [&str; 15] = [
        "alphanumeric_filter",
        "audio_size_filter",
        "average_line_length_filter",
        "character_repetition_filter",
        "clean_email_mapper",
        "document_deduplicator",
        "document_minhash_deduplicator",
        "image_aspect_ratio_filter",
        "image_shape_filter",
        "image_size_filter",
        "language_id_score_filter",
        "maximum_line_length_filter",
        "text_length_filter",
        "video_duration_filter",
        "video_resolution_filter",
    ];

    #[test]
    fn misspellings_are_recognised() {
        for (given, meant) in [
            ("text_lenght_filter", "text_length_filter"),
            ("text_length", "text_length_filter"),
            ("text_length_filters", "text_length_filter"),
            ("text-length-filter", "text_length_filter"),
            ("TextLengthFilter", "text_length_filter"),
            ("text_len_filter", "text_length_filter"),
            ("max_line_length_filter", "maximum_line_length_filter"),
            ("avg_line_len_filter", "average_line_length_filter"),
            ("char_repetition_filter", "character_repetition_filter"),
            ("alphanumerical_filter", "alphanumeric_filter"),
            ("langauge_id_score_filter", "language_id_score_filter"),
            ("LanguageIDScoreFilter", "language_id_score_filter"),
            ("document_dedup", "document_deduplicator"),
            ("doc_minhash_deduplicator", "document_minhash_deduplicator"),
            ("clean_emails_mapper", "clean_email_mapper"),
        ] {
            assert_eq!(did_you_mean(given, NAMES), Some(meant), "{given}");
        }
    }

    #[test]
    fn another_name_of_the_same_family_is_no_misspelling() {
        for given in [
            "video_aesthetics_filter",
            "video_size_filter",
            "image_face_ratio_filter",
            "image_nsfw_filter",
            "image_sharpness_filter",
            "text_pair_similarity_filter",
            "perplexity_filter",
            "clean_phone_mapper",
            "clean_html_mapper",
            "llm_quality_score_filter",
            "video_deduplicator",
            "filter",
            "x",
            "",
        ] {
            assert_eq!(did_you_mean(given, NAMES), None, "{given}");
        }
    }
}
