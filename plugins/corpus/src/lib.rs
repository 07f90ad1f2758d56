//! The rules by which public web corpora were made, with the names, parameters and results of the
//! programs that made them: Gopher's, C4's and FineWeb's in datatrove, and those of DCLM.

mod c4_badwords;
mod c4_paragraph;
mod c4_quality;
mod counter;
mod fineweb_quality;
mod gopher_quality;
mod gopher_repetition;
mod host;
mod line_filter;
mod lines;
mod removal;
mod repeats;
mod rules;
mod table;
mod url_filter;
mod url_lists;

#[cfg(test)]
#[path = "../../../tests/parity/lent.rs"]
mod lent;

pub use c4_badwords::C4BadwordsFilter;
pub use c4_paragraph::C4ParagraphFilter;
pub use c4_quality::C4QualityMapper;
pub use fineweb_quality::FinewebQualityFilter;
pub use gopher_quality::GopherQualityFilter;
pub use gopher_repetition::GopherRepetitionFilter;
pub use line_filter::{LineFilterMapper, Location, Substring};
pub use removal::WordRemovalRatioFilter;
pub use url_filter::UrlFilter;

djhost_sdk::export!(
    GopherRepetitionFilter,
    GopherQualityFilter,
    FinewebQualityFilter,
    C4QualityMapper,
    C4ParagraphFilter,
    C4BadwordsFilter,
    LineFilterMapper,
    WordRemovalRatioFilter,
    UrlFilter,
);
