//! Modalities: what the rows of a dataset contain, and what that means for the size of partitions.

use std::fmt;

/// What the rows of a dataset contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modality {
    /// Text only.
    Text,
    /// Images without text.
    Image,
    /// Audio without text.
    Audio,
    /// Video without text.
    Video,
    /// Several of them.
    Multimodal,
}

/// Limits for one modality, from the table in Data-Juicer's documentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModalitySizes {
    /// Rows per partition if nothing better is known.
    pub default_rows: u64,
    /// Most rows per partition.
    pub max_rows: u64,
    /// Memory that a row needs, as a multiple of its bytes in the dataset: media are decoded.
    pub memory: f64,
}

impl Modality {
    /// All modalities, in the order of the documentation's table.
    pub const ALL: [Self; 5] = [
        Self::Text,
        Self::Image,
        Self::Audio,
        Self::Video,
        Self::Multimodal,
    ];

    /// Returns the limits of this modality, from the table "Default partition sizes by modality" of
    /// Data-Juicer's documentation.
    pub const fn sizes(self) -> ModalitySizes {
        let (default_rows, max_rows, memory) = match self {
            Self::Text => (10_000, 50_000, 1.0),
            Self::Image => (2_000, 10_000, 5.0),
            Self::Audio => (1_000, 4_000, 8.0),
            Self::Video => (400, 2_000, 20.0),
            Self::Multimodal => (1_600, 6_000, 10.0),
        };
        ModalitySizes {
            default_rows,
            max_rows,
            memory,
        }
    }

    /// Returns the modality of one row from its text and which media fields have entries.
    /// Data-Juicer's special tokens in the text count as media, not as text. An empty row is text.
    pub fn of_row(text: &str, images: bool, audios: bool, videos: bool) -> Self {
        const TOKENS: [(&str, usize); 4] = [
            ("<__dj__image>", 0),
            ("<__dj__audio>", 1),
            ("<__dj__video>", 2),
            ("<|__dj__eoc|>", 3),
        ];
        let mut media = [images, audios, videos, false];
        let mut rest = text.trim_start();
        let mut has_text = false;
        while !rest.is_empty() {
            match TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
                Some((token, kind)) => {
                    media[*kind] = true;
                    rest = rest[token.len()..].trim_start();
                }
                None => {
                    has_text = true;
                    break;
                }
            }
        }
        for (token, kind) in &TOKENS[..3] {
            media[*kind] |= rest.contains(token);
        }
        match (has_text, media[0], media[1], media[2]) {
            (_, false, false, false) => Self::Text,
            (false, true, false, false) => Self::Image,
            (false, false, true, false) => Self::Audio,
            (false, false, false, true) => Self::Video,
            _ => Self::Multimodal,
        }
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Multimodal => "multimodal",
        })
    }
}
