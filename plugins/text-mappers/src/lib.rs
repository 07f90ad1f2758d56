//! Mappers that clean texts, with Data-Juicer's names, parameters and results.

mod charfilter;
mod clean_copyright;
mod clean_email;
mod clean_ip;
mod clean_links;
mod cleaner;
mod expand_macro;
mod fix_unicode;
mod links;
mod matches;
mod one_or_many;
mod plain;
mod punctuation_normalization;
mod punkt;
mod remove_bibliography;
mod remove_comments;
mod remove_header;
mod remove_long_words;
mod remove_non_chinese_character;
mod remove_repeat_sentences;
mod remove_specific_chars;
mod remove_table_text;
mod remove_words_with_incorrect_substrings;
mod replace_content;
mod replacement;
mod sentence_split;
mod sentences;
#[path = "../../text-filters/src/special_table.rs"]
mod special_table;
mod whitespace_normalization;
mod words;

pub use clean_copyright::CleanCopyrightMapper;
pub use clean_email::CleanEmailMapper;
pub use clean_ip::CleanIpMapper;
pub use clean_links::CleanLinksMapper;
pub use expand_macro::ExpandMacroMapper;
pub use fix_unicode::FixUnicodeMapper;
pub use one_or_many::OneOrMany;
pub use punctuation_normalization::PunctuationNormalizationMapper;
pub use remove_bibliography::RemoveBibliographyMapper;
pub use remove_comments::RemoveCommentsMapper;
pub use remove_header::RemoveHeaderMapper;
pub use remove_long_words::RemoveLongWordsMapper;
pub use remove_non_chinese_character::RemoveNonChineseCharacterMapper;
pub use remove_repeat_sentences::RemoveRepeatSentencesMapper;
pub use remove_specific_chars::RemoveSpecificCharsMapper;
pub use remove_table_text::RemoveTableTextMapper;
pub use remove_words_with_incorrect_substrings::RemoveWordsWithIncorrectSubstringsMapper;
pub use replace_content::ReplaceContentMapper;
pub use sentence_split::SentenceSplitMapper;
pub use whitespace_normalization::WhitespaceNormalizationMapper;

djhost_sdk::export!(
    WhitespaceNormalizationMapper,
    PunctuationNormalizationMapper,
    CleanEmailMapper,
    CleanLinksMapper,
    CleanIpMapper,
    CleanCopyrightMapper,
    ReplaceContentMapper,
    RemoveSpecificCharsMapper,
    RemoveNonChineseCharacterMapper,
    RemoveCommentsMapper,
    RemoveHeaderMapper,
    RemoveBibliographyMapper,
    RemoveLongWordsMapper,
    RemoveWordsWithIncorrectSubstringsMapper,
    RemoveRepeatSentencesMapper,
    RemoveTableTextMapper,
    ExpandMacroMapper,
    FixUnicodeMapper,
    SentenceSplitMapper,
);
