//! Sentences, as spaCy's `sentencizer` finds them among the tokens.

use super::{Words, first};
use crate::classes::{ENDS_SENTENCE, PUNCTUATION};

impl Words {
    /// The ends of the sentences of `text`, in bytes, in `ends`. A sentence ends before the first
    /// token that is no punctuation after a token that ends one; white space is a token, too.
    pub fn sentence_ends(&mut self, text: &str, ends: &mut Vec<usize>) {
        ends.clear();
        self.spaces = true;
        self.tokens(text);
        let mut seen_end = false;
        let mut previous = 0;
        for &(start, end) in &self.spans {
            let token = &text[start as usize..end as usize];
            let ends_sentence = self.ends_sentence(token);
            if seen_end && !ends_sentence && !self.is_punctuation(token) {
                ends.push(previous);
                seen_end = false;
            } else if ends_sentence {
                seen_end = true;
            }
            previous = end as usize;
        }
        if previous > 0 {
            ends.push(previous);
        }
    }

    /// The number of sentences of `text`.
    pub fn sentences(&mut self, text: &str, ends: &mut Vec<usize>) -> usize {
        self.sentence_ends(text, ends);
        ends.len()
    }

    fn ends_sentence(&self, token: &str) -> bool {
        let c = first(token);
        c.len_utf8() == token.len() && self.affixes.classes.has(c, ENDS_SENTENCE)
    }

    fn is_punctuation(&self, token: &str) -> bool {
        token
            .chars()
            .all(|c| self.affixes.classes.has(c, PUNCTUATION))
    }
}
