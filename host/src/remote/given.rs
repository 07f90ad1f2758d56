//! Settings of S3 that the recipe of this process's job has. The environment takes precedence.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Values by variable.
static GIVEN: Mutex<BTreeMap<&'static str, String>> = Mutex::new(BTreeMap::new());

/// The variables of which one alone means nothing.
const CREDENTIALS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// From now on stores of S3 are opened with these, and not with those of an earlier job.
pub(crate) fn give(settings: &BTreeMap<&'static str, String>) {
    GIVEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone_from(settings);
}

/// What is used of them: what the environment does not say. Of credentials that is all or nothing.
pub(crate) fn used() -> impl Iterator<Item = (&'static str, String)> {
    let given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let has = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let has_credentials = CREDENTIALS.iter().any(|name| has(name)) || has("AWS_PROFILE");
    given.into_iter().filter(move |(name, _)| match *name {
        "AWS_REGION" => !has(name) && !has("AWS_DEFAULT_REGION"),
        "AWS_ENDPOINT_URL" => !has(name) && !has("AWS_ENDPOINT_URL_S3") && !has("AWS_ENDPOINT"),
        name if CREDENTIALS.contains(&name) => !has_credentials,
        name => !has(name),
    })
}

/// The value of a variable, if it is used.
pub(crate) fn value(variable: &str) -> Option<String> {
    used()
        .find(|(name, _)| *name == variable)
        .map(|(_, value)| value)
}
