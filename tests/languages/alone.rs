//! One language in a recipe: each of its examples does what `reference.rs` says, and reports what
//! is wrong with parameters.

use serde_json::{Value, json};

use crate::frame::{Language, repository};
use crate::harness::Ran;
use crate::reference::{alnum_ratio, deduplicated, lines, rows, split, text};

impl Language {
    /// Runs a recipe with these operators (`PREFIX` is replaced by the language's) over the rows.
    fn run(&self, process: &str, more: &str) -> Ran {
        let components = self.components();
        let case = Self::case(&[(self, components)], &lines(&rows()));
        let process = process.replace("PREFIX", self.prefix);
        case.run(&format!("{more}\nprocess:\n  - {process}\n"))
    }

    pub(crate) fn filters(&self) {
        for (settings, min, max) in [
            ("{}", 0.25, 1.0),
            ("{min_ratio: 0.5, max_ratio: 0.8}", 0.5, 0.8),
        ] {
            let process = format!("PREFIX_alnum_filter: {settings}");
            let ran = self.run(&process, "keep_stats_in_res_ds: true");
            let ran = ran.ok();
            let kept: Vec<Value> = rows()
                .into_iter()
                .filter(|row| (min..=max).contains(&alnum_ratio(text(row))))
                .collect();
            let found: Vec<Value> = ran
                .text()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&kept), "{settings}");
            for row in &found {
                let stat = row["__dj__stats__"][format!("{}_alnum_ratio", self.prefix)]
                    .as_f64()
                    .unwrap();
                assert!((stat - alnum_ratio(text(row))).abs() < 1e-12, "{row}");
            }
        }
    }

    pub(crate) fn respects_the_common_parameters(&self) {
        // The text `half!!!!` has exactly one half.
        for (flags, kept) in [
            ("", true),
            (", min_closed_interval: false", false),
            (", reversed_range: true", true),
        ] {
            let process = format!("PREFIX_alnum_filter: {{min_ratio: 0.5{flags}}}");
            let ran = self.run(&process, "");
            assert_eq!(ran.ok().text().contains("half!!!!"), kept, "{flags}");
        }
    }

    pub(crate) fn makes_rows(&self) {
        // However the work is cut, the rows are the same, in the same order.
        for partitions in [1, 4] {
            let cut = format!("partition: {{mode: manual, num_of_partitions: {partitions}}}");
            let ran = self.run("PREFIX_split_mapper:", &cut);
            assert_eq!(ran.ok().text(), lines(&split(&rows())));
        }
    }

    pub(crate) fn deduplicates(&self) {
        for (settings, length) in [("{}", 64), ("{length: 2}", 2), ("{length: 10}", 10)] {
            let ran = self.run(&format!("PREFIX_prefix_deduplicator: {settings}"), "");
            assert_eq!(
                ran.ok().text(),
                lines(&deduplicated(&rows(), length)),
                "{settings}"
            );
        }
    }

    pub(crate) fn makes_vectors_of_bytes(&self) {
        let input = "{\"file\": \"004080ff\"}\n{\"file\": null}\n{\"file\": \"0001\"}\n";
        let case = Self::case(&[(self, self.components())], input);
        let recipe = format!("process:\n  - {}_histogram_mapper:\n", self.prefix);
        let ran = case.run(&recipe).ok();
        let expected = [
            "{\"file\": \"004080ff\", \"histogram\": [0.25, 0.25, 0.25, 0.25]}\n",
            "{\"file\": null}\n",
            "{\"file\": \"0001\", \"histogram\": [1.0, 0.0, 0.0, 0.0]}\n",
        ];
        assert_eq!(ran.text(), expected.concat());
    }

    pub(crate) fn asks_a_model(&self) {
        // Scores by hand: the model is a few lines of text.
        let rows = [
            ("the cat sat", -2.0),
            ("the dog", -2.23),
            ("dog", -2.57),
            ("", -1.15),
        ];
        let input: String = rows
            .iter()
            .map(|(text, _)| format!("{}\n", json!({"text": text})))
            .collect();
        let case = Self::case(&[(self, self.components())], &input);
        let model = repository("host/models/tests/small/small.arpa");
        case.write("small.arpa", std::fs::read(model).unwrap());
        let filter = format!("{}_fluency_filter", self.prefix);
        let recipe = |params: &str| {
            format!("keep_stats_in_res_ds: true\nprocess:\n  - {filter}: {{{params}}}\n")
        };
        let ran = case.run(&recipe("model: small.arpa")).ok();
        let kept: Vec<Value> = ran
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let texts: Vec<&str> = kept.iter().map(text).collect();
        assert_eq!(texts, ["the cat sat", "the dog", ""]);
        let stat = format!("{}_log_probability", self.prefix);
        for row in &kept {
            let expected = rows.iter().find(|(of, _)| *of == text(row)).unwrap().1;
            let score = row["__dj__stats__"][&stat].as_f64().unwrap();
            assert!((score - expected).abs() < 1e-6, "{row}");
        }
        // Its author says which kind it takes, and the recipe lends it.
        case.write("words.txt", "cat\n");
        case.run(&recipe("model: words.txt")).failed(
            2,
            &[
                &format!("{filter}.model"),
                "words.txt",
                "this is no language model",
            ],
        );
        case.run(&recipe("min_score: -3"))
            .failed(2, &[&filter, "model"]);
    }

    pub(crate) fn refuses_wrong_parameters(&self) {
        let cases = [
            ("PREFIX_alnum_filter: {min_ratio: high}", "min_ratio"),
            ("PREFIX_alnum_filter: {minimum: 0.5}", "minimum"),
            ("PREFIX_prefix_deduplicator: {length: 0}", "length"),
            ("PREFIX_prefix_deduplicator: {length: 1.5}", "length"),
        ];
        for (process, parameter) in cases {
            let ran = self.run(process, "");
            ran.failed(2, &[parameter]);
        }
    }
}

/// The tests of one language.
macro_rules! tests {
    ($language:expr) => {
        #[test]
        fn filters() {
            $language.filters();
        }

        #[test]
        fn respects_the_common_parameters() {
            $language.respects_the_common_parameters();
        }

        #[test]
        fn makes_rows() {
            $language.makes_rows();
        }

        #[test]
        fn deduplicates() {
            $language.deduplicates();
        }

        #[test]
        fn makes_vectors_of_bytes() {
            $language.makes_vectors_of_bytes();
        }

        #[test]
        fn asks_a_model() {
            $language.asks_a_model();
        }

        #[test]
        fn refuses_wrong_parameters() {
            $language.refuses_wrong_parameters();
        }
    };
}

pub(crate) use tests;
