//! The languages that there are rules for.

/// A language, by spaCy's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Languages with English's infixes, and only the special strings of all languages.
    LikeEnglish,
    /// Languages without rules of their own.
    Other,
}

/// The languages besides English whose words are those of spaCy.
const EXACT: [&str; 16] = [
    "af", "az", "cs", "dsb", "et", "eu", "he", "hr", "hy", "is", "lv", "sk", "sq", "xx", "yo", "lg",
];
/// Languages that spaCy has more rules for.
const NEAR: [&str; 30] = [
    "am", "ar", "bg", "ca", "da", "de", "el", "es", "fa", "fi", "fo", "fr", "ga", "hu", "id", "it",
    "lb", "lt", "mk", "ms", "nb", "nl", "pl", "pt", "ro", "ru", "sl", "sv", "tr", "uk",
];

impl Language {
    /// The language of a code.
    ///
    /// # Errors
    /// A sentence with the codes that there are.
    pub fn parse(code: &str) -> Result<Self, String> {
        match code {
            "en" => Ok(Self::English),
            "lg" | "tn" => Ok(Self::LikeEnglish),
            _ if EXACT.contains(&code) || NEAR.contains(&code) => Ok(Self::Other),
            _ => Err(format!(
                "`language` is `{code}`: there are rules for words of `en`, `tn`, `{}`, and near ones for `{}`; `xx` is for all others that put spaces \
                 between words",
                EXACT.join("`, `"),
                NEAR.join("`, `")
            )),
        }
    }

    /// The texts with its special strings.
    pub(super) fn specials(self) -> impl Iterator<Item = &'static str> {
        let own = (self == Self::English).then_some(include_str!("specials/en.txt"));
        [include_str!("specials/base.txt")].into_iter().chain(own)
    }

    pub(super) fn digits_before_hyphen(self) -> bool {
        self != Self::Other
    }
}
