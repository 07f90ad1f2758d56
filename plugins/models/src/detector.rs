//! The detector that needs no model file: by script, and for scripts of several languages by the
//! n-grams of `languages/`. Its labels are fastText's.
//!
//! Counts a text's letters by script; the most frequent script decides. Most scripts belong to one
//! language. For the others each language gets the weights of the text's n-grams of two to four
//! letters, and the largest sum wins. `languages/README.md` says where the weights come from, and
//! how good the answers are.

use std::sync::LazyLock;

use crate::ngrams::{LANGUAGES, Sums, Table};
use crate::script::{Script, script};

/// Bytes examined of a longer text, in pieces spread evenly over it: more letters do not change the
/// answer.
const LOOKED_AT: usize = 4096;
const PIECES: usize = 16;

/// Letters of these scripts count as several of an alphabet: a word has one or two of them.
const WEIGHT_OF_SYLLABLES: u32 = 3;

/// Smallest share of kana in Japanese. A Chinese text quotes few.
const KANA_OF_JAPANESE: f64 = 0.1;

/// How much a difference of one between two sums changes the odds, as an exponent of e. Measured so
/// that scores say how many answers are right, and rather promise too little: from 0.7 to 0.8 it is
/// 87 % of sentences.
const CERTAINTY: f64 = 0.14;

/// Head start of English, since datasets have much more of it than of any other language: three
/// times the odds. It decides only where a text says little.
const ENGLISH: (&str, u32) = ("en", 8);

static LATIN: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../languages/latin.txt")));
static CYRILLIC: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../languages/cyrillic.txt")));
static ARABIC: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../languages/arabic.txt")));
static DEVANAGARI: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../languages/devanagari.txt")));
static HEBREW: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_str!("../languages/hebrew.txt")));

/// The language of a text and how certain that is, from 0 to 1; None without letters of a known
/// language.
pub(crate) fn detect(text: &str) -> Option<(&'static str, f64)> {
    let mut counts = [0_u32; Script::COUNT];
    for piece in pieces(text) {
        count(piece, &mut counts);
    }
    let letters = |script: Script| counts[script as usize];
    let (han, kana) = (letters(Script::Han), letters(Script::Kana));
    let weight = |script: Script| match script {
        Script::Han => (han + kana) * WEIGHT_OF_SYLLABLES,
        Script::Kana => 0,
        Script::Hangul => letters(script) * WEIGHT_OF_SYLLABLES,
        _ => letters(script),
    };
    let all: u32 = Script::ALL.iter().map(|s| weight(*s)).sum();
    // The first of the largest, so that a tie has one answer.
    let main = Script::ALL
        .iter()
        .copied()
        .rev()
        .max_by_key(|s| weight(*s))
        .filter(|s| weight(*s) > 0)?;
    let share = f64::from(weight(main)) / f64::from(all);
    let (label, sure) = match main {
        Script::Latin => best(&LATIN, main, text)?,
        Script::Cyrillic => best(&CYRILLIC, main, text)?,
        Script::Arabic => best(&ARABIC, main, text)?,
        Script::Devanagari => best(&DEVANAGARI, main, text)?,
        Script::Hebrew => best(&HEBREW, main, text)?,
        Script::Han | Script::Kana
            if f64::from(kana) >= KANA_OF_JAPANESE * f64::from(han + kana) =>
        {
            ("ja", 1.0)
        }
        Script::Han | Script::Kana => ("zh", 1.0),
        other => (other.language()?, 1.0),
    };
    Some((label, share * sure))
}

/// The language of the letters of one script, and how certain that is.
fn best(table: &'static Table, of: Script, text: &str) -> Option<(&'static str, f64)> {
    let mut sums = [0_u32; LANGUAGES];
    for piece in pieces(text) {
        table.add(piece, of, &mut sums);
    }
    answer(table, &sums)
}

fn answer(table: &'static Table, sums: &Sums) -> Option<(&'static str, f64)> {
    if sums.iter().all(|sum| *sum == 0) {
        return None;
    }
    let sum = |i: usize| {
        sums[i]
            + if table.labels[i] == ENGLISH.0 {
                ENGLISH.1
            } else {
                0
            }
    };
    let first = (0..table.labels.len()).rev().max_by_key(|i| sum(*i))?;
    let odds: f64 = (0..table.labels.len())
        .map(|i| (-CERTAINTY * f64::from(sum(first) - sum(i))).exp())
        .sum();
    Some((table.labels[first], 1.0 / odds))
}

fn count(text: &str, counts: &mut [u32; Script::COUNT]) {
    for c in text.chars() {
        if let Some(script) = script(c) {
            counts[script as usize] += 1;
        }
    }
}

/// The examined parts of a text: all of it, or pieces at equal distances, cut between characters.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let (number, length) = if text.len() <= LOOKED_AT {
        (1, text.len())
    } else {
        (PIECES, LOOKED_AT / PIECES)
    };
    let step = if number > 1 {
        (text.len() - length) / (number - 1)
    } else {
        0
    };
    (0..number).map(move |i| {
        let start = text.floor_char_boundary(i * step);
        &text[start..text.floor_char_boundary(start + length)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sentences_are_told_apart() {
        for (text, label) in [
            (
                "I am planning a trip to Japan next spring with two small children.",
                "en",
            ),
            ("How do I reset my password?", "en"),
            ("Wie kann ich mein Passwort zurücksetzen?", "de"),
            ("Quel temps fait-il aujourd'hui ?", "fr"),
            ("¿Dónde está la estación de tren?", "es"),
            ("Onde fica a estação de comboios?", "pt"),
            ("Dov'è la stazione ferroviaria?", "it"),
            ("Hvor er jernbanestasjonen?", "no"),
            ("Gdzie jest dworzec kolejowy?", "pl"),
            ("Ble mae'r orsaf drenau agosaf?", "cy"),
            ("Где находится вокзал?", "ru"),
            ("Де знаходиться вокзал?", "uk"),
            ("Къде се намира гарата?", "bg"),
            ("أين محطة القطار؟", "ar"),
            ("ایستگاه قطار کجاست؟", "fa"),
            ("ریلوے اسٹیشن کہاں ہے؟", "ur"),
            (
                "मैं अगले साल अपने परिवार के साथ जापान जाने की योजना बना रहा हूँ।",
                "hi",
            ),
            ("איפה תחנת הרכבת?", "he"),
            ("駅はどこですか。", "ja"),
            ("火车站在哪里?", "zh"),
            ("기차역이 어디에 있습니까?", "ko"),
            ("สถานีรถไฟอยู่ที่ไหน", "th"),
            ("Πού είναι ο σταθμός;", "el"),
        ] {
            assert_eq!(detect(text).map(|(label, _)| label), Some(label), "{text}");
        }
    }

    #[test]
    fn texts_without_letters_have_no_language() {
        for text in ["", " ", "123 --", "☃ → 2", "\u{fffd}"] {
            assert_eq!(detect(text), None, "{text:?}");
        }
    }

    #[test]
    fn scores_fall_with_what_speaks_against_the_answer() {
        let score = |text: &str| detect(text).unwrap().1;
        let sentence = "The weather is nice today, and we are going for a walk in the park.";
        assert!(score(sentence) > 0.95);
        assert!(score("park") < score(sentence));
        assert!(
            score(&format!(
                "{sentence} Сегодня хорошая погода, и мы идём гулять."
            )) < 0.8
        );
    }

    /// A text of any length is cut at characters, and gets the same answer each time.
    #[test]
    fn long_texts_are_looked_at_in_pieces() {
        let long = "Погода сегодня хорошая, и мы идём гулять в парк. ".repeat(2000);
        let (label, score) = detect(&long).unwrap();
        assert_eq!(label, "ru");
        assert!(score > 0.99);
        for cut in 4090..4110 {
            assert!(
                pieces(&long[..long.floor_char_boundary(cut)])
                    .map(str::len)
                    .sum::<usize>()
                    <= LOOKED_AT
            );
        }
    }
}
