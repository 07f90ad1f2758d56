//! `chinese_convert_mapper`

use crate::converter::Converter;
use djhost_sdk::prelude::*;

/// Converts between simplified, traditional and Japanese characters, with the dictionaries of
/// OpenCC.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ChineseConvertMapper {
    /// From which characters to which: `s` is simplified, `t` traditional, `tw` and `hk`
    /// traditional as in Taiwan and Hong Kong, `jp` Japanese; a `p` at the end converts phrases
    /// too.
    pub mode: Mode,
    #[serde(skip)]
    converter: Option<Converter>,
}

/// From which characters to which.
#[allow(missing_docs, reason = "the names say it")]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    S2t,
    T2s,
    S2tw,
    Tw2s,
    S2hk,
    Hk2s,
    S2twp,
    Tw2sp,
    T2tw,
    Tw2t,
    Hk2t,
    T2hk,
    T2jp,
    Jp2t,
}

impl Mode {
    /// The dictionary that cuts the text, and the groups of dictionaries that convert it.
    fn dictionaries(self) -> (&'static str, &'static [&'static [&'static str]]) {
        const ST: &[&str] = &["STPhrases", "STCharacters"];
        const TS: &[&str] = &["TSPhrases", "TSCharacters"];
        const HK_REV: &[&str] = &["HKVariantsRevPhrases", "HKVariantsRev"];
        const TW_REV: &[&str] = &["TWVariantsRevPhrases", "TWVariantsRev"];
        const TW: &[&str] = &["TWVariants"];
        const HK: &[&str] = &["HKVariants"];
        match self {
            Self::S2t => ("STPhrases", &[ST]),
            Self::T2s => ("TSPhrases", &[TS]),
            Self::S2tw => ("STPhrases", &[ST, TW]),
            Self::Tw2s => ("TSPhrases", &[TW_REV, TS]),
            Self::S2hk => ("STPhrases", &[ST, HK]),
            Self::Hk2s => ("TSPhrases", &[HK_REV, TS]),
            Self::S2twp => ("STPhrases", &[ST, &["TWPhrases"], TW]),
            Self::Tw2sp => (
                "TSPhrases",
                &[
                    &["TWPhrasesRev", "TWVariantsRevPhrases", "TWVariantsRev"],
                    TS,
                ],
            ),
            Self::T2tw => ("TWVariants", &[TW]),
            Self::Tw2t => ("TWVariantsRevPhrases", &[TW_REV]),
            Self::Hk2t => ("HKVariantsRevPhrases", &[HK_REV]),
            Self::T2hk => ("HKVariants", &[HK]),
            Self::T2jp => ("JPVariants", &[&["JPVariants"]]),
            Self::Jp2t => (
                "JPShinjitaiPhrases",
                &[&[
                    "JPShinjitaiPhrases",
                    "JPShinjitaiCharacters",
                    "JPVariantsRev",
                ]],
            ),
        }
    }
}

impl TextMapper for ChineseConvertMapper {
    const NAME: &'static str = "chinese_convert_mapper";
    const COST: Cost = Cost::Medium;

    fn prepare(&mut self) -> Result<(), String> {
        let (segments, groups) = self.mode.dictionaries();
        self.converter = Some(Converter::new(segments, groups));
        Ok(())
    }

    fn map(&mut self, text: &str, out: &mut String) -> Result<bool, Reject> {
        let start = out.len();
        Ok(self
            .converter
            .as_mut()
            .is_some_and(|converter| converter.convert(text, out))
            && out[start..] != *text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use djhost_sdk::operator;

    #[test]
    fn phrases_and_characters() {
        for (mode, text, expected) in [
            ("s2t", "头发发展，皇后在后面。", "頭髮發展，皇后在後面。"),
            ("t2s", "頭髮發展，皇后在後面。", "头发发展，皇后在后面。"),
            ("s2twp", "鼠标里面的硅二极管", "滑鼠裡面的矽二極體"),
            ("tw2sp", "滑鼠裡面的矽二極體", "鼠标里面的硅二极管"),
            ("s2hk", "里面", "裏面"),
            ("t2jp", "舊字體：廣國", "旧字体：広国"),
            ("jp2t", "旧字体：広国", "舊字體：廣國"),
            ("s2t", "no Chinese, né", "no Chinese, né"),
        ] {
            let mut runner = Runner::new(
                operator!(ChineseConvertMapper),
                &format!(r#"{{"mode": "{mode}"}}"#),
            )
            .unwrap();
            assert_eq!(runner.map(&[text]), [expected], "{mode}");
        }
    }

    #[test]
    fn another_mode_is_refused() {
        let error = Runner::new(operator!(ChineseConvertMapper), r#"{"mode": "s2x"}"#).unwrap_err();
        assert!(error.to_string().contains("s2twp"), "{error}");
    }
}
