//! Expands `~` at the start of a path. In a recipe, and in an option such as `--plugins=~/ops`, the
//! shell does not do this.

use std::borrow::Cow;
use std::ffi::OsString;

use super::invalid_value::InvalidValue;

/// The home directory, from `HOME`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Home(Option<String>);

impl Home {
    /// Looks for `HOME` in `env`.
    pub(crate) fn of(env: &[(OsString, OsString)]) -> Self {
        let home = env
            .iter()
            .find(|(name, _)| name == "HOME")
            .and_then(|(_, value)| value.to_str());
        Self(home.filter(|home| home.starts_with('/')).map(str::to_owned))
    }

    /// Returns `path` with the home directory in place of `~` or `~/`. A file with this name is
    /// written `./~`; home directories of others (`~name`) are not expanded.
    pub(crate) fn expand<'p>(&self, path: &'p str) -> Result<Cow<'p, str>, InvalidValue> {
        let Some(rest) = path.strip_prefix('~') else {
            return Ok(path.into());
        };
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(InvalidValue::new(format!(
                "`{path}`: the home directories of others are not looked up"
            ))
            .hint(format!(
                "write the path without `~`, or `./{path}` for a file of this name"
            )));
        }
        match &self.0 {
            Some(home) => Ok(format!("{}{rest}", home.trim_end_matches('/')).into()),
            None => Err(InvalidValue::new(format!(
                "`{path}`: there is no home directory, as the variable HOME does not name one"
            ))
            .hint("write the path without `~`, or `./~` for a file of this name")),
        }
    }
}

/// Expands `path` with the `HOME` of this process. Returns the path unchanged if there is none.
pub fn expand_home(path: &str) -> Cow<'_, str> {
    let home = std::env::var_os("HOME").map(|value| (OsString::from("HOME"), value));
    Home::of(home.as_slice())
        .expand(path)
        .unwrap_or(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tilde_by_itself_is_the_home() {
        let home = Home::of(&[
            ("USER".into(), "a".into()),
            ("HOME".into(), "/home/a/".into()),
        ]);
        for (path, wanted) in [
            ("~", "/home/a"),
            ("~/x.jsonl", "/home/a/x.jsonl"),
            ("./~bob/x", "./~bob/x"),
            ("./~/x", "./~/x"),
            ("a~", "a~"),
            ("/~", "/~"),
            ("", ""),
        ] {
            assert_eq!(home.expand(path).unwrap(), wanted, "{path}");
        }
        let other = home.expand("~bob/x").unwrap_err();
        assert!(other.message.contains("of others"), "{}", other.message);
        let none = Home::of(&[("HOME".into(), "".into())]);
        assert_eq!(none.expand("x").unwrap(), "x");
        assert!(none.expand("~/x").unwrap_err().message.contains("HOME"));
    }
}
