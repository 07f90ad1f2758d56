//! The probability of words after others.

use super::header::MOST_WORDS;

/// What a model says about an n-gram that is not of the longest ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gram {
    /// The logarithm of the probability of its last word after the others.
    pub probability: f32,
    /// What is added for a longer one that the model does not have.
    pub backoff: f32,
    /// Whether no longer n-gram ends with it.
    pub is_end: bool,
}

/// Finds n-grams, from the last word on. `Node` stands for the words so far.
pub(crate) trait Search {
    type Node: Copy;

    /// The number of words of the longest n-grams, at least 2.
    fn order(&self) -> usize;

    /// The n-gram of one word.
    fn unigram(&self, file: &[u8], word: u32) -> (Gram, Self::Node);

    /// The n-gram of `words` words, from 2 on, that begins with `word` and goes on as `node`, which
    /// then stands for it.
    fn middle(&self, file: &[u8], words: usize, word: u32, node: &mut Self::Node) -> Option<Gram>;

    /// The probability of a longest n-gram.
    fn longest(&self, file: &[u8], word: u32, node: Self::Node) -> Option<f32>;
}

/// The last words that matter for the next one, the last one first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Context {
    words: [u32; MOST_WORDS],
    backoffs: [f32; MOST_WORDS],
    length: usize,
}

/// Whether a backoff says that an n-gram can continue: 0 with a sign says no.
#[inline(always)]
fn continues(backoff: f32) -> bool {
    backoff.to_bits() != (-0.0f32).to_bits()
}

impl Context {
    /// After the start of a sentence.
    pub(crate) fn start<S: Search>(search: &S, file: &[u8], bos: u32) -> Self {
        let mut context = Self::default();
        context.words[0] = bos;
        context.backoffs[0] = search.unigram(file, bos).0.backoff;
        context.length = 1;
        context
    }

    /// Adds a word, with its n-gram of one word; returns the logarithm of its probability.
    #[inline(always)]
    pub(crate) fn add<S: Search>(
        &mut self,
        search: &S,
        file: &[u8],
        word: u32,
        (first, mut node): (Gram, S::Node),
    ) -> f32 {
        let order = search.order();
        let mut probability = first.probability;
        let mut is_end = first.is_end;
        // Backoffs of the n-grams that end with the word, and how many words of them matter.
        let mut backoffs = [0.0; MOST_WORDS];
        backoffs[0] = first.backoff;
        let mut length = usize::from(continues(first.backoff));
        // The words of the longest one that was found.
        let mut words = 1;
        for (before, &previous) in (2..).zip(&self.words[..self.length]) {
            if is_end {
                break;
            }
            if before == order {
                if let Some(longest) = search.longest(file, previous, node) {
                    probability = longest;
                    words = before;
                }
                break;
            }
            let Some(gram) = search.middle(file, before, previous, &mut node) else {
                break;
            };
            backoffs[before - 1] = gram.backoff;
            probability = gram.probability;
            is_end = gram.is_end;
            words = before;
            if continues(gram.backoff) {
                length = before;
            }
        }
        for backoff in self.backoffs[..self.length].iter().skip(words - 1) {
            probability += backoff;
        }
        for place in (1..length).rev() {
            self.words[place] = self.words[place - 1];
        }
        self.words[0] = word;
        self.backoffs = backoffs;
        self.length = length;
        probability
    }
}
