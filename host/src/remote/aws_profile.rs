//! The files in which people keep their credentials and settings of S3: `~/.aws/credentials` and
//! `~/.aws/config`, as Amazon's tools read them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The settings of a profile; what is not set is empty.
#[derive(Default)]
pub(super) struct Profile {
    name: String,
    /// Whether a file has it.
    is_there: bool,
    settings: HashMap<String, String>,
}

impl Profile {
    /// The profile that the environment names, or `default`. Settings in `credentials` count more
    /// than those in `config`.
    pub(super) fn of_environment(env: &dyn Fn(&str) -> Option<String>) -> Self {
        let name = env("AWS_PROFILE")
            .or_else(|| env("AWS_DEFAULT_PROFILE"))
            .unwrap_or_else(|| "default".to_owned());
        let home = env("HOME").map(|home| Path::new(&home).join(".aws"));
        let file = |key: &str, name: &str| {
            env(key)
                .map(PathBuf::from)
                .or_else(|| Some(home.as_ref()?.join(name)))
                .and_then(|path| std::fs::read_to_string(path).ok())
                .unwrap_or_default()
        };
        Self::read(
            &name,
            &file("AWS_CONFIG_FILE", "config"),
            &file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        )
    }

    fn read(name: &str, config: &str, credentials: &str) -> Self {
        let mut profile = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        // In `config` sections are called `profile NAME`, but for `default`.
        let in_config = [name.to_owned(), format!("profile {name}")];
        profile.add(config, &|section| {
            in_config.iter().any(|own| own == section)
        });
        profile.add(credentials, &|section| section == name);
        profile
    }

    fn add(&mut self, text: &str, is_own: &dyn Fn(&str) -> bool) {
        let mut own = false;
        for line in text.lines() {
            // An indented line continues a setting with several values, of which none is read here.
            if line.starts_with([' ', '\t', '#', ';']) {
                continue;
            }
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[').and_then(|l| l.split(']').next()) {
                let words: Vec<&str> = section.split_whitespace().collect();
                own = is_own(&words.join(" "));
                self.is_there |= own;
            } else if own && let Some((key, value)) = line.split_once('=') {
                let value = value.split(" #").next().unwrap_or(value).trim();
                if !value.is_empty() {
                    self.settings
                        .insert(key.trim().to_ascii_lowercase(), value.to_owned());
                }
            }
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    /// The name of a profile that no file has; none need have `default`.
    pub(super) fn missing(&self) -> Option<&str> {
        (!self.is_there && self.name != "default").then_some(&*self.name)
    }

    /// A setting by which other tools get credentials and djhost does not.
    pub(super) fn unknown_source(&self) -> Option<&'static str> {
        [
            "credential_process",
            "sso_session",
            "sso_start_url",
            "source_profile",
            "credential_source",
        ]
        .into_iter()
        .find(|key| self.settings.contains_key(*key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_make_a_profile() {
        let config = "[default]\nregion = eu-west-1\n\n# mine\n[profile work]\nregion=us-east-2 # here\nendpoint_url = http://localhost:9000\ns3 =\n    addressing_style = path\n[profile other]\nsso_session = x\n";
        let credentials = "[default]\naws_access_key_id = A\n[work]\naws_access_key_id=B\naws_secret_access_key = s=3/=\n";
        let work = Profile::read("work", config, credentials);
        assert_eq!(work.get("region"), Some("us-east-2"));
        assert_eq!(work.get("endpoint_url"), Some("http://localhost:9000"));
        assert_eq!(work.get("aws_access_key_id"), Some("B"));
        assert_eq!(work.get("aws_secret_access_key"), Some("s=3/="));
        assert_eq!(work.get("addressing_style"), None);
        assert_eq!(
            Profile::read("default", config, credentials).get("region"),
            Some("eu-west-1")
        );
        assert_eq!(
            Profile::read("other", config, credentials).unknown_source(),
            Some("sso_session")
        );
        let missing = |name: &str| Profile::read(name, config, credentials).missing().is_some();
        assert_eq!(
            ["work", "other", "nobody"].map(missing),
            [false, false, true]
        );
        assert_eq!(Profile::read("default", "", "").missing(), None);
    }
}
