//! Shows the resolved configuration: YAML for people (`djhost config`), JSON for programs (`djhost
//! config --json`, `metadata/`).

use serde_json::{Map, Value, json};

use super::reference::flow;
use super::resolve::Resolved;
use crate::term::{width, wrap};

impl Resolved {
    /// Returns YAML that can be run again, with the origin of each value as a comment. Operators
    /// have the parameters that were given, overrides included.
    pub fn to_yaml(&self) -> String {
        self.to_yaml_in(usize::MAX)
    }

    /// The same in so many columns: what does not fit beside a value stands below it. Values stay
    /// whole.
    pub(crate) fn to_yaml_in(&self, columns: usize) -> String {
        let mut text = String::new();
        for entry in self.config.entries() {
            let (indent, name) = match entry.key.split_once('.') {
                Some((_, name)) => ("  ", name),
                None => ("", entry.key.as_str()),
            };
            if entry.is_section {
                text.push_str(&format!("{name}:\n"));
            } else if name == "process" {
                text.push_str(&self.process_yaml(columns));
            } else {
                let line = format!("{indent}{name}: {}", flow(&entry.value));
                with_comment(
                    &line,
                    &self.origin(&entry.key).to_string(),
                    columns,
                    &mut text,
                );
            }
        }
        for note in &self.notes {
            let mut lines = wrap(&format!("note: {note}"), columns.saturating_sub(4)).into_iter();
            text.push_str(&format!("# {}\n", lines.next().unwrap_or_default()));
            lines.for_each(|line| text.push_str(&format!("#   {line}\n")));
        }
        text
    }

    fn process_yaml(&self, columns: usize) -> String {
        let mut text = String::new();
        let key = match self.ops.is_empty() {
            true => "process: []",
            false => "process:",
        };
        with_comment(key, &self.origin("process").to_string(), columns, &mut text);
        for op in &self.ops {
            text.push_str(&format!("  - {}:\n", op.name));
            for (key, value) in &op.params {
                let line = format!("      {key}: {}", flow(value));
                let place = op.place_of(key);
                let place = place.split(": ").next().unwrap_or(&place);
                with_comment(&line, place, columns, &mut text);
            }
            for (key, value) in op.host.to_json() {
                text.push_str(&format!("      {key}: {}\n", flow(&value)));
            }
        }
        text
    }

    /// Returns `{"config": …, "origins": {key: origin}, "job": {…}, "sources": […], "notes": […]}`.
    /// `config` is complete, defaults included.
    pub fn to_json(&self) -> Value {
        let mut config = self.config.to_json();
        config["process"] = self
            .ops
            .iter()
            .map(|op| {
                let mut params = op.params.clone();
                params.extend(op.host.to_json());
                json!({ &op.name: params })
            })
            .collect();
        let origins: Map<String, Value> = self
            .config
            .entries()
            .iter()
            .filter(|e| !e.is_section)
            .map(|e| (e.key.clone(), self.origin(&e.key).to_string().into()))
            .collect();
        json!({
            "config": config,
            "origins": origins,
            "job": {
                "job_id": self.dirs.job_id,
                "run_dir": self.dirs.run_address.as_ref().unwrap_or(&self.dirs.run_dir),
                "export_path": self.dirs.export_address.as_ref().unwrap_or(&self.dirs.export_path),
                "export_type": self.export_type.word(),
                "event_log_dir": self.dirs.event_log_dir,
                "checkpoint_dir": self.dirs.checkpoint_dir,
                "partition_dir": self.dirs.partition_dir,
            },
            "sources": self.sources,
            "notes": self.notes,
        })
    }
}

/// Adds a line of YAML with a comment beside it or, in a narrow place, below.
fn with_comment(line: &str, comment: &str, columns: usize, text: &mut String) {
    let indent = line.len() - line.trim_start().len() + 2;
    let beside = [
        format!("{line:<50} # {comment}"),
        format!("{line} # {comment}"),
    ];
    match beside.iter().find(|beside| width(beside) <= columns) {
        Some(beside) => text.push_str(beside),
        None => text.push_str(&format!("{line}\n{:indent$}# {comment}", "")),
    }
    text.push('\n');
}

impl super::recipe::OpHost {
    /// Returns the settings of the entry in the form of a recipe. Of environment variables it has
    /// only the names: values may be secret.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let texts = [
            ("text_key", &self.text_key),
            ("image_key", &self.image_key),
            ("image_bytes_key", &self.image_bytes_key),
            ("audio_key", &self.audio_key),
            ("video_key", &self.video_key),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                map.insert(key.into(), value.as_str().into());
            }
        }
        if let Some(on_error) = self.on_error {
            map.insert("on_error".into(), on_error.word().into());
        }
        let mut limits = Map::new();
        limits.extend(self.memory_mb.map(|n| ("memory_mb".to_owned(), n.into())));
        limits.extend(self.timeout_s.map(|n| ("timeout_s".to_owned(), n.into())));
        limits.extend(
            self.row_timeout_s
                .map(|n| ("row_timeout_s".to_owned(), n.into())),
        );
        limits.extend(
            self.output_ratio
                .map(|n| ("output_ratio".to_owned(), n.into())),
        );
        limits.extend(
            self.row_output_kb
                .map(|n| ("row_output_kb".to_owned(), n.into())),
        );
        limits.extend(
            self.job_output_mb
                .map(|n| ("job_output_mb".to_owned(), n.into())),
        );
        if !limits.is_empty() {
            map.insert("limits".into(), limits.into());
        }
        let mut grants = Map::new();
        if !self.read_dirs.is_empty() {
            grants.insert("read_dirs".into(), self.read_dirs.clone().into());
        }
        if !self.env.is_empty() {
            grants.insert(
                "env".into(),
                self.env.keys().cloned().collect::<Vec<_>>().into(),
            );
        }
        grants.extend(self.media.map(|m| ("media".to_owned(), m.into())));
        grants.extend(self.models.map(|m| ("models".to_owned(), m.into())));
        grants.extend(self.seed.map(|n| ("seed".to_owned(), n.into())));
        if !grants.is_empty() {
            map.insert("grants".into(), grants.into());
        }
        map
    }
}
