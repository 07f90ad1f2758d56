//! Errors sorted by who must act, and the exit codes that follow.
//!
//! Every error is an [`anyhow::Error`]. If its chain has a [`UserError`], the user can fix it; if
//! it has a [`Stopped`], the job was stopped on request; if it has an [`Unexpected`], the result is
//! not as the recipe demands. Any other error means that the job failed (exit code 1).

use std::borrow::Cow;
use std::fmt;

/// Exit codes of every subcommand. They are a public interface: scripts depend on them.
pub mod exit {
    /// The job is done.
    pub const DONE: u8 = 0;
    /// The job failed. It can be resumed once the cause is fixed.
    pub const FAILED: u8 = 1;
    /// The command line, the recipe, the dataset or a plugin cannot be used as given. Nothing was
    /// started.
    pub const USAGE: u8 = 2;
    /// The job was stopped on request and can be resumed.
    pub const STOPPED: u8 = 3;
    /// The job is done, but rows are in quarantine (only with `--strict`).
    pub const QUARANTINED: u8 = 4;
    /// The job is done, but the result is not as the recipe's `expect` demands.
    pub const UNEXPECTED: u8 = 5;
}

/// A mistake that the user can fix. It names the place and the offending value; the hint says what
/// is valid.
#[derive(Debug, Clone)]
pub struct UserError {
    /// Where: `recipe.yaml:12: process[3].text_length_filter.min_len`, a path, an option. May be
    /// empty.
    pub place: String,
    /// What is wrong, with the offending value and without a full stop.
    pub message: String,
    /// What to do: the valid choices, or `did you mean …`.
    pub hint: Option<String>,
    /// Whether it is about a plugin.
    pub of_plugin: bool,
}

/// A place taken apart; see [`UserError::parts`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceParts {
    /// The file.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The place in a recipe, or the option. May be empty.
    pub path: String,
}

impl UserError {
    /// Creates an error at `place` (may be empty) that says `message`.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            message: message.into(),
            hint: None,
            of_plugin: false,
        }
    }

    /// Takes the place apart into file, line and path.
    pub fn parts(&self) -> PlaceParts {
        let place = self.place.as_str();
        for (colon, _) in place.match_indices(':') {
            let rest = &place[colon + 1..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (Ok(line), after) = (rest[..digits].parse(), &rest[digits..]) else {
                continue;
            };
            if after.is_empty() || after.starts_with(':') {
                // A column may follow, too.
                let path = after.split_once(": ").map_or("", |(_, path)| path);
                return PlaceParts {
                    file: Some(place[..colon].to_owned()),
                    line: Some(line),
                    path: path.to_owned(),
                };
            }
        }
        let is_file = |text: &str| text.contains('/') || std::path::Path::new(text).is_file();
        match place.split_once(": ") {
            Some((file, path)) if is_file(file) => PlaceParts {
                file: Some(file.to_owned()),
                line: None,
                path: path.to_owned(),
            },
            None if is_file(place) && !place.contains('`') => PlaceParts {
                file: Some(place.to_owned()),
                ..PlaceParts::default()
            },
            _ => PlaceParts {
                path: place.to_owned(),
                ..PlaceParts::default()
            },
        }
    }

    /// Says where the mistake is.
    #[must_use]
    pub(crate) fn in_place(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }

    /// Adds advice to the error.
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

/// Escapes control characters: what is in a recipe or a file name must not reach the terminal as it
/// is.
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

/// Several user mistakes found in one pass; all are shown.
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

/// Marks the mistakes of the user in `error` as those of plugins.
pub(crate) fn of_plugins(error: anyhow::Error) -> anyhow::Error {
    let mark = |mut error: UserError| {
        error.of_plugin = true;
        error
    };
    match error.downcast::<UserErrors>() {
        Ok(errors) => UserErrors(errors.0.into_iter().map(mark).collect()).into(),
        Err(error) => match error.downcast::<UserError>() {
            Ok(error) => mark(error).into(),
            Err(error) => error,
        },
    }
}

/// The job was stopped on request; everything complete is committed.
#[derive(Debug, Clone, Copy)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Stopped {}

/// The result is not as the recipe's `expect` demands, and must not be exported.
#[derive(Debug, Clone)]
pub struct Unexpected(pub String);

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unexpected {}

/// A failure that would happen again however often the task is retried.
#[derive(Debug, Clone)]
pub struct Final(pub String);

impl fmt::Display for Final {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Final {}

/// Returns the exit code for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|e| e.is::<Stopped>()) {
        exit::STOPPED
    } else if error.chain().any(|e| e.is::<Unexpected>()) {
        exit::UNEXPECTED
    } else if error
        .chain()
        .any(|e| e.is::<UserError>() || e.is::<UserErrors>())
    {
        exit::USAGE
    } else {
        exit::FAILED
    }
}

/// Returns the candidate that `given` is most likely a misspelling of, for `did you mean …`. Names
/// that are merely similar, such as others of the same family, do not count: see [`slip`].
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

/// Returns how far `given` is from `candidate` if it may be a misspelling of it, or None if it is
/// another word. Misspellings are
/// - another form of the same words: `TextLengthFilter`, `text-length-filter` (0);
/// - one letter wrong, missing, added or swapped with its neighbour; two if both words have at
///   least six letters: `text_lenght_filter` (1, 2);
/// - each word a misspelling or a short form of its counterpart: `max_line_len_filter` for
///   `maximum_line_length_filter` (3);
/// - a missing last word, or a word cut off or too long: `text_length` for `text_length_filter`,
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

/// Returns how many letters of two words may differ for one to be a misspelling of the other.
fn letters(a: &str, b: &str) -> usize {
    match a.chars().count().min(b.chars().count()) {
        0..=1 => 0,
        2..=5 => 1,
        _ => 2,
    }
}

/// Returns whether one word is a misspelling or a short form of the other: its beginning, or three
/// of its letters, such as `avg` for `average`.
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
    use super::{PlaceParts, UserError, did_you_mean};

    #[test]
    fn places_are_taken_apart() {
        let parts = |file: &str, line, path: &str| PlaceParts {
            file: (!file.is_empty()).then(|| file.to_owned()),
            line,
            path: path.to_owned(),
        };
        for (place, wanted) in [
            (
                "r.yaml:12: process[3].a_filter.min",
                parts("r.yaml", Some(12), "process[3].a_filter.min"),
            ),
            ("a:b/r.yaml:12:5", parts("a:b/r.yaml", Some(12), "")),
            ("dir/r.yaml: np", parts("dir/r.yaml", None, "np")),
            (
                "process[3].a_filter",
                parts("", None, "process[3].a_filter"),
            ),
            ("plugins/a.wasm", parts("plugins/a.wasm", None, "")),
            (
                "export_path `out/r.jsonl`",
                parts("", None, "export_path `out/r.jsonl`"),
            ),
            ("", parts("", None, "")),
        ] {
            assert_eq!(UserError::new(place, "").parts(), wanted, "{place}");
        }
    }

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
