//! Mappers for Chinese texts, with Data-Juicer's names, parameters and results.

mod chinese_convert;
mod converter;
mod dictionary;

pub use chinese_convert::{ChineseConvertMapper, Mode};

djhost_sdk::export!(ChineseConvertMapper);
