//! The card of a dataset as the Hugging Face hub has it, `README.md`: front matter that
//! `datasets.load_dataset` reads (which files, which features, how many rows), and a text. What a
//! person has written into an earlier card stays.

use crate::data::columns::features_yaml::yaml_of_features;
use crate::data::columns::hugging_face::features_of_columns;
use crate::data::input::hub::front_matter;
use crate::data::input::parquet_file;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Around the part of the text that is replaced by the next export.
const BEGIN: &str = "<!-- djhost: what follows is written by each export -->";
const END: &str = "<!-- /djhost -->";

/// What a card says beside what its files tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Card {
    /// Heading of a new card.
    pub(crate) title: String,
    /// The split of the files.
    pub(crate) split: String,
    /// Front matter of a new card: `license`, `pretty_name`, …
    pub(crate) front: Map<String, Value>,
    /// What was done: a text in Markdown.
    pub(crate) text: String,
}

/// What the files of a split tell.
struct Facts {
    rows: u64,
    /// Of the values.
    bytes: u64,
    file_bytes: u64,
    /// As a card has them; None if a column is of a type that `datasets` does not have.
    features: Option<Value>,
}

impl Card {
    /// The text of the card of the Parquet `files`, in place of `earlier`. `keeps_splits` is whether
    /// the other splits and configurations of the earlier card are still there.
    pub(crate) fn of_files(
        &self,
        files: &[PathBuf],
        earlier: Option<&str>,
        keeps_splits: bool,
    ) -> Result<String> {
        let facts = facts(files)?;
        let front = earlier.and_then(front_matter);
        let front = front.and_then(|front| serde_yaml::from_str::<Value>(front).ok());
        let is_new = earlier.is_none();
        let mut front = match front {
            Some(Value::Object(front)) => front,
            _ => Map::new(),
        };
        if is_new {
            front.extend(self.front.clone());
        }
        if !keeps_splits {
            // They keep their places: the same export gives the same card.
            for key in ["configs", "dataset_info"] {
                front.entry(key).and_modify(|value| *value = Value::Null);
            }
        }
        let others = self.set_configs(&mut front);
        let rows = self.set_info(&mut front, &facts, &others);
        front.insert("size_categories".to_owned(), json!([size_category(rows)]));
        let mut tags = match front.get("tags") {
            Some(Value::Array(tags)) => tags.clone(),
            _ => Vec::new(),
        };
        for tag in ["djhost", "data-juicer"] {
            if !tags.iter().any(|known| known == tag) {
                tags.push(tag.into());
            }
        }
        front.insert("tags".to_owned(), tags.into());
        let yaml = serde_yaml::to_string(&front)?;
        let body = self.body(earlier);
        Ok(format!("---\n{yaml}---\n\n{body}"))
    }

    /// Declares the files of the split. Returns the other splits of the same configuration.
    fn set_configs(&self, front: &mut Map<String, Value>) -> Vec<String> {
        let split = &self.split;
        let own = json!({ "split": split, "path": format!("data/{split}-*") });
        let mut configs = match front.get("configs") {
            Some(Value::Array(configs)) => configs.clone(),
            _ => Vec::new(),
        };
        let is_default = |config: &Value| config.get("config_name").is_some_and(|n| n == "default");
        if !configs.iter().any(is_default) {
            configs.push(json!({ "config_name": "default", "data_files": [] }));
        }
        let mut others = Vec::new();
        for config in configs.iter_mut().filter(|config| is_default(config)) {
            let mut files: Vec<Value> = match config.get("data_files") {
                Some(Value::Array(files)) => {
                    files.iter().filter(|f| f.is_object()).cloned().collect()
                }
                _ => Vec::new(),
            };
            match files.iter_mut().find(|entry| entry["split"] == **split) {
                Some(entry) => *entry = own.clone(),
                None => files.push(own.clone()),
            }
            let names = files.iter().filter_map(|entry| entry["split"].as_str());
            others = names
                .filter(|name| name != split)
                .map(str::to_owned)
                .collect();
            config["data_files"] = files.into();
        }
        front.insert("configs".to_owned(), configs.into());
        others
    }

    /// Declares features and counts. Returns the rows of all splits, as far as they are known.
    fn set_info(&self, front: &mut Map<String, Value>, facts: &Facts, others: &[String]) -> u64 {
        let own =
            json!({ "name": self.split, "num_bytes": facts.bytes, "num_examples": facts.rows });
        let (mut infos, is_list) = match front.get("dataset_info") {
            Some(Value::Array(infos)) => (infos.clone(), true),
            None | Some(Value::Null) => (Vec::new(), false),
            Some(info) => (vec![info.clone()], false),
        };
        let of_default =
            |info: &Value| info.get("config_name").is_none_or(|name| name == "default");
        let earlier = infos.iter().position(of_default).map(|at| infos.remove(at));
        let mut splits = vec![own];
        let mut rows = facts.rows;
        let mut is_whole = true;
        if !others.is_empty() {
            let earlier = earlier.as_ref();
            let same = earlier.is_some_and(|info| info.get("features") == facts.features.as_ref());
            let known = earlier.and_then(|info| info.get("splits")?.as_array());
            let known: Vec<&Value> = known.into_iter().flatten().collect();
            for other in others {
                match known.iter().find(|split| split["name"] == **other) {
                    Some(split) => {
                        rows += split["num_examples"].as_u64().unwrap_or(0);
                        splits.push((*split).clone());
                    }
                    None => is_whole = false,
                }
            }
            // Of other features nothing is said rather than something wrong.
            is_whole &= same;
        }
        if is_whole {
            let mut info = Map::new();
            if is_list {
                info.insert("config_name".to_owned(), "default".into());
            }
            if let Some(features) = &facts.features {
                info.insert("features".to_owned(), features.clone());
            }
            let bytes: u64 = splits
                .iter()
                .filter_map(|split| split["num_bytes"].as_u64())
                .sum();
            info.insert("splits".to_owned(), splits.into());
            if others.is_empty() {
                info.insert("download_size".to_owned(), facts.file_bytes.into());
            }
            info.insert("dataset_size".to_owned(), bytes.into());
            infos.push(info.into());
        }
        match (is_list, infos.len()) {
            (_, 0) => drop(front.shift_remove("dataset_info")),
            (false, 1) => drop(front.insert("dataset_info".to_owned(), infos.remove(0))),
            _ => drop(front.insert("dataset_info".to_owned(), infos.into())),
        }
        rows
    }

    /// The text after the front matter.
    fn body(&self, earlier: Option<&str>) -> String {
        let part = format!("{BEGIN}\n\n{}\n\n{END}\n", self.text.trim());
        let Some(earlier) = earlier else {
            return format!("# {}\n\n{part}", self.title);
        };
        let body = match front_matter(earlier) {
            Some(front) => {
                let at = front.as_ptr() as usize - earlier.as_ptr() as usize + front.len();
                earlier[at..].split_once('\n').map_or("", |(_, body)| body)
            }
            None => earlier,
        };
        let body = body.trim_start();
        let old = body.find(BEGIN).zip(body.find(END));
        match old.filter(|(begin, end)| begin < end) {
            Some((begin, end)) => {
                let rest = body[end + END.len()..].trim_start_matches('\n');
                let gap = if rest.is_empty() { "" } else { "\n" };
                format!("{}{part}{gap}{rest}", &body[..begin])
            }
            None if body.is_empty() => format!("# {}\n\n{part}", self.title),
            None => format!("{}\n\n{part}", body.trim_end()),
        }
    }
}

fn facts(files: &[PathBuf]) -> Result<Facts> {
    let (mut rows, mut bytes, mut file_bytes, mut features) = (0, 0, 0, None);
    for (number, file) in files.iter().enumerate() {
        let (schema, count) = parquet_file::describe(file)?;
        rows += count;
        bytes += parquet_file::bytes_beside(file, &[])?;
        file_bytes += std::fs::metadata(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?
            .len();
        if number == 0 {
            features = features_of_columns(&schema).map(|known| yaml_of_features(&known));
        }
    }
    Ok(Facts {
        rows,
        bytes,
        file_bytes,
        features,
    })
}

/// The hub's name for a number of rows.
fn size_category(rows: u64) -> &'static str {
    const NAMES: [&str; 11] = [
        "n<1K",
        "1K<n<10K",
        "10K<n<100K",
        "100K<n<1M",
        "1M<n<10M",
        "10M<n<100M",
        "100M<n<1B",
        "1B<n<10B",
        "10B<n<100B",
        "100B<n<1T",
        "n>1T",
    ];
    let digits = rows.checked_ilog10().unwrap_or(0) as usize;
    NAMES[digits.saturating_sub(2).min(NAMES.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use std::sync::Arc;

    fn file(dir: &tempfile::TempDir, rows: i64) -> PathBuf {
        let path = dir.path().join("train.parquet");
        let numbers = Arc::new(Int64Array::from_iter_values(0..rows)) as _;
        let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
        let out = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(out, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }

    fn card() -> Card {
        Card {
            title: "mine".to_owned(),
            split: "train".to_owned(),
            front: Map::from_iter([("license".to_owned(), "mit".into())]),
            text: "made".to_owned(),
        }
    }

    fn front(text: &str) -> Value {
        serde_yaml::from_str(front_matter(text).unwrap()).unwrap()
    }

    #[test]
    fn a_card_tells_files_features_and_counts() {
        let dir = tempfile::tempdir().unwrap();
        let text = card().of_files(&[file(&dir, 7)], None, false).unwrap();
        let front = front(&text);
        let files = json!([{"split": "train", "path": "data/train-*"}]);
        assert_eq!(
            front["configs"],
            json!([{"config_name": "default", "data_files": files}])
        );
        let info = &front["dataset_info"];
        assert_eq!(info["features"], json!([{"name": "n", "dtype": "int64"}]));
        assert_eq!(info["splits"][0]["num_examples"], 7);
        assert_eq!(
            (&front["license"], &front["size_categories"]),
            (&json!("mit"), &json!(["n<1K"]))
        );
        assert!(text.contains("\n# mine\n"), "{text}");
        // The next export gives the same.
        let again = card()
            .of_files(&[file(&dir, 7)], Some(&text), false)
            .unwrap();
        assert_eq!(again, text);
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let dir = tempfile::tempdir().unwrap();
        let earlier = format!(
            "---\nlicense: apache-2.0\nlanguage: [en]\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: data/test-*\n\
             - config_name: other\n  data_files: x.jsonl\n---\n# By hand\n\nWords.\n\n{BEGIN}\nold\n{END}\n\nMore words.\n"
        );
        let text = card()
            .of_files(&[file(&dir, 7)], Some(&earlier), true)
            .unwrap();
        let front = front(&text);
        assert_eq!(front["license"], "apache-2.0");
        let files = front["configs"][0]["data_files"].as_array().unwrap();
        assert_eq!(
            (files.len(), &front["configs"][1]["config_name"]),
            (2, &json!("other"))
        );
        // The features of the other split are not known.
        assert!(front.get("dataset_info").is_none());
        for part in ["# By hand\n\nWords.\n", "made", "\nMore words.\n"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("old") && !text.contains("# mine"), "{text}");
        let alone = card()
            .of_files(&[file(&dir, 7)], Some(&earlier), false)
            .unwrap();
        assert_eq!(self::front(&alone)["configs"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn sizes_have_names() {
        for (rows, name) in [
            (0, "n<1K"),
            (999, "n<1K"),
            (1000, "1K<n<10K"),
            (99_999, "10K<n<100K"),
            (100_000, "100K<n<1M"),
            (2_000_000_000, "1B<n<10B"),
            (u64::MAX, "n>1T"),
        ] {
            assert_eq!(size_category(rows), name, "{rows}");
        }
    }
}
