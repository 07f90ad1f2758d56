//! The scripts by which languages are told apart.

/// A script, or several that only one language uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Hebrew,
    Han,
    Kana,
    Hangul,
    Greek,
    Armenian,
    Georgian,
    Thai,
    Khmer,
    Myanmar,
    Sinhala,
    Tamil,
    Telugu,
    Kannada,
    Malayalam,
    Gujarati,
    Gurmukhi,
    Oriya,
    Bengali,
    Ethiopic,
}

impl Script {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Latin,
        Self::Cyrillic,
        Self::Arabic,
        Self::Devanagari,
        Self::Hebrew,
        Self::Han,
        Self::Kana,
        Self::Hangul,
        Self::Greek,
        Self::Armenian,
        Self::Georgian,
        Self::Thai,
        Self::Khmer,
        Self::Myanmar,
        Self::Sinhala,
        Self::Tamil,
        Self::Telugu,
        Self::Kannada,
        Self::Malayalam,
        Self::Gujarati,
        Self::Gurmukhi,
        Self::Oriya,
        Self::Bengali,
        Self::Ethiopic,
    ];
    /// Number of scripts.
    pub(crate) const COUNT: usize = 24;

    /// The language of a script that only one language uses.
    pub(crate) fn language(self) -> Option<&'static str> {
        Some(match self {
            Self::Hangul => "ko",
            Self::Greek => "el",
            Self::Armenian => "hy",
            Self::Georgian => "ka",
            Self::Thai => "th",
            Self::Khmer => "km",
            Self::Myanmar => "my",
            Self::Sinhala => "si",
            Self::Tamil => "ta",
            Self::Telugu => "te",
            Self::Kannada => "kn",
            Self::Malayalam => "ml",
            Self::Gujarati => "gu",
            Self::Gurmukhi => "pa",
            Self::Oriya => "or",
            Self::Bengali => "bn",
            Self::Ethiopic => "am",
            _ => return None,
        })
    }
}

/// The script of a letter; None for other characters. Signs and digits count as letters where a
/// block mixes them.
pub(crate) fn script(c: char) -> Option<Script> {
    Some(match c {
        'a'..='z' | 'A'..='Z' => Script::Latin,
        '\0'..='\u{a9}' | '×' | '÷' => return None,
        'ª' | 'º' | 'À'..='ʯ' | 'Ḁ'..='ỿ' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => Script::Latin,
        'Ͱ'..='Ͽ' | 'ἀ'..='῾' => Script::Greek,
        'Ѐ'..='ԯ' => Script::Cyrillic,
        '\u{531}'..='\u{587}' => Script::Armenian,
        '\u{5d0}'..='\u{5f2}' | '\u{fb1d}'..='\u{fb4f}' => Script::Hebrew,
        '\u{620}'..='\u{64a}'
        | '\u{66e}'..='\u{6d3}'
        | '\u{6d5}'
        | '\u{6ee}'..='\u{6ff}'
        | '\u{750}'..='\u{77f}'
        | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' => Script::Arabic,
        '\u{900}'..='\u{963}' | '\u{971}'..='\u{97f}' => Script::Devanagari,
        '\u{980}'..='\u{9fe}' => Script::Bengali,
        '\u{a01}'..='\u{a76}' => Script::Gurmukhi,
        '\u{a81}'..='\u{aff}' => Script::Gujarati,
        '\u{b01}'..='\u{b77}' => Script::Oriya,
        '\u{b82}'..='\u{bfa}' => Script::Tamil,
        '\u{c00}'..='\u{c7f}' => Script::Telugu,
        '\u{c80}'..='\u{cf2}' => Script::Kannada,
        '\u{d00}'..='\u{d7f}' => Script::Malayalam,
        '\u{d81}'..='\u{df4}' => Script::Sinhala,
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' => Script::Thai,
        '\u{1000}'..='\u{109f}' => Script::Myanmar,
        '\u{10a0}'..='\u{10ff}' | '\u{1c90}'..='\u{1cbf}' => Script::Georgian,
        '\u{1100}'..='\u{11ff}' | '\u{3131}'..='\u{318e}' | '\u{ac00}'..='\u{d7a3}' => {
            Script::Hangul
        }
        '\u{1200}'..='\u{139f}' => Script::Ethiopic,
        '\u{1780}'..='\u{17dd}' => Script::Khmer,
        '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{ff66}'..='\u{ff9d}' => Script::Kana,
        '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' => Script::Han,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_listed_by_their_numbers() {
        for (number, script) in Script::ALL.into_iter().enumerate() {
            assert_eq!(script as usize, number, "{script:?}");
        }
    }
}
