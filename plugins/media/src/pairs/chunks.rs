//! The chunks of a text, each with the images that belong to it.

use super::PairParams;
use djhost_sdk::text::strip;

/// What stands for other things than text.
pub(super) struct SpecialTokens {
    image: String,
    end: String,
    /// All, in the order in which they are removed.
    all: [String; 4],
}

impl SpecialTokens {
    /// # Errors
    /// When one is empty.
    pub(super) fn of(params: &PairParams) -> Result<Self, String> {
        let named = [
            ("image_special_token", &params.image_special_token),
            ("audio_special_token", &params.audio_special_token),
            ("video_special_token", &params.video_special_token),
            ("eoc_special_token", &params.eoc_special_token),
        ];
        match named.iter().find(|(_, token)| token.is_empty()) {
            Some((name, _)) => Err(format!("`{name}`: it must not be empty")),
            None => Ok(Self {
                image: params.image_special_token.clone(),
                end: params.eoc_special_token.clone(),
                all: named.map(|(_, token)| token.clone()),
            }),
        }
    }

    /// The chunks that have images: their texts without special tokens, and how many images.
    pub(super) fn chunks(&self, text: &str) -> impl Iterator<Item = (String, usize)> {
        text.split(&*self.end).filter_map(|chunk| {
            let count = chunk.matches(&*self.image).count();
            (count > 0).then(|| (self.without(chunk), count))
        })
    }

    fn without(&self, chunk: &str) -> String {
        let mut text = chunk.to_owned();
        for token in &self.all {
            text = strip(&text.replace(&**token, "")).to_owned();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_have_their_text_and_their_images() {
        let tokens = SpecialTokens::of(&PairParams::default()).unwrap();
        let text = "<__dj__image> a  cat <|__dj__eoc|> no image<|__dj__eoc|><__dj__image><__dj__image>\n<__dj__video> two <|__dj__eoc|>";
        let chunks: Vec<(String, usize)> = tokens.chunks(text).collect();
        assert_eq!(chunks, [("a  cat".to_owned(), 1), ("two".to_owned(), 2)]);
        assert_eq!(tokens.chunks("no token").count(), 0);
    }

    #[test]
    fn tokens_are_those_of_the_recipe() {
        let params = PairParams {
            image_special_token: "<image>".into(),
            ..PairParams::default()
        };
        let tokens = SpecialTokens::of(&params).unwrap();
        let chunks: Vec<(String, usize)> = tokens.chunks("<image>\nred bus").collect();
        assert_eq!(chunks, [("red bus".to_owned(), 1)]);
        let empty = PairParams {
            eoc_special_token: String::new(),
            ..PairParams::default()
        };
        let error = SpecialTokens::of(&empty).err().unwrap();
        assert!(error.contains("`eoc_special_token`"), "{error}");
    }
}
