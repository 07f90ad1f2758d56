//! Stores of S3: endpoint, region and credentials from where Amazon's tools take them, in their
//! order: environment, profile files, web identity, container, machine.

use super::aws_profile::Profile;
use super::client::{Connector, retry};
use super::failure::Failure;
use super::given;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use std::io::ErrorKind;

/// The store of a bucket. Makes no request.
pub(super) fn store(bucket: &str) -> Result<AmazonS3, Failure> {
    let env = |key: &str| {
        std::env::var(key)
            .ok()
            .filter(|value| !value.is_empty())
            .or_else(|| given::value(key))
    };
    if let Some(name) = unusable(&env) {
        let message =
            format!("`{name}` has a line break or another character that no request can have");
        return Err(Failure::new(ErrorKind::PermissionDenied, message).hint(
            "write the value without it, and the file that it names without a last line break",
        ));
    }
    let profile = Profile::of_environment(&env);
    if let Some(name) = bad_endpoint(&env, &profile) {
        return Err(Failure::new(
            ErrorKind::InvalidInput,
            format!("`{name}` is no URL of a server"),
        )
        .hint("write it like `https://HOST` or `http://HOST:PORT`"));
    }
    // As `AmazonS3Builder::from_env`, for which a variable without a value has one.
    let mut builder = AmazonS3Builder::new();
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && name.starts_with("AWS_")
            && !value.is_empty()
            && let Ok(key) = name.to_ascii_lowercase().parse()
        {
            builder = builder.with_config(key, value);
        }
    }
    for (name, value) in given::used() {
        let key = match name {
            "AWS_ACCESS_KEY_ID" => AmazonS3ConfigKey::AccessKeyId,
            "AWS_SECRET_ACCESS_KEY" => AmazonS3ConfigKey::SecretAccessKey,
            "AWS_SESSION_TOKEN" => AmazonS3ConfigKey::Token,
            "AWS_REGION" => AmazonS3ConfigKey::Region,
            _ => AmazonS3ConfigKey::Endpoint,
        };
        builder = builder.with_config(key, value);
    }
    let has = |key| env(key).is_some();
    let set = |builder: AmazonS3Builder, key: AmazonS3ConfigKey, name: &str| match profile.get(name)
    {
        Some(value) => builder.with_config(key, value),
        None => builder,
    };
    if !has("AWS_ACCESS_KEY_ID") && !has("AWS_SECRET_ACCESS_KEY") {
        // Of the environment's parts without keys none counts.
        builder = set(builder, AmazonS3ConfigKey::AccessKeyId, "aws_access_key_id");
        builder = set(
            builder,
            AmazonS3ConfigKey::SecretAccessKey,
            "aws_secret_access_key",
        );
        builder = set(builder, AmazonS3ConfigKey::Token, "aws_session_token");
    }
    if !has("AWS_REGION") && !has("AWS_DEFAULT_REGION") {
        builder = set(builder, AmazonS3ConfigKey::Region, "region");
    }
    if !has("AWS_ENDPOINT_URL") && !has("AWS_ENDPOINT_URL_S3") && !has("AWS_ENDPOINT") {
        builder = set(builder, AmazonS3ConfigKey::Endpoint, "endpoint_url");
    }
    let is_anonymous = env("AWS_SKIP_SIGNATURE")
        .is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1");
    let has_source = is_anonymous
        || has("AWS_ACCESS_KEY_ID")
        || profile.get("aws_access_key_id").is_some()
        || has("AWS_WEB_IDENTITY_TOKEN_FILE")
        || has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        || has("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if !has_source {
        if let Some(name) = profile.missing() {
            let message =
                format!("there is no profile `{name}` (AWS_PROFILE) in the files of `~/.aws`");
            return Err(Failure::new(ErrorKind::PermissionDenied, message).hint(
                "name one of `credentials` or `config`, also by AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE",
            ));
        }
        if let Some(key) = profile.unknown_source() {
            let message =
                format!("the profile gets its credentials by `{key}`, which djhost does not do");
            return Err(Failure::new(ErrorKind::PermissionDenied, message).hint(
                "put them into the environment: `eval \"$(aws configure export-credentials --format env)\"`",
            ));
        }
        if env("AWS_EC2_METADATA_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Err(Failure::new(
                ErrorKind::PermissionDenied,
                "there are no credentials for S3",
            )
            .hint(NONE));
        }
    }
    let built = builder
        .with_bucket_name(bucket)
        .with_http_connector(Connector)
        .with_retry(retry())
        .build();
    built.map_err(|e| Failure::new(ErrorKind::Other, format!("the settings of S3: {e}")))
}

/// The variable, or the profile's setting, that should name a server and does not: with it
/// `object_store` would panic.
fn bad_endpoint(env: &dyn Fn(&str) -> Option<String>, profile: &Profile) -> Option<&'static str> {
    let variables = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    let given = variables.map(|name| (name, env(name)));
    let setting = profile.get("endpoint_url").map(str::to_owned);
    let mut all = given.into_iter().chain([("endpoint_url", setting)]);
    let is_bad = |value: &String| {
        let rest = value.split_once("://").filter(|(scheme, _)| {
            scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
        });
        !rest.is_some_and(|(_, rest)| {
            !rest.starts_with(['/', ':']) && !rest.is_empty() && !rest.contains(char::is_whitespace)
        })
    };
    all.find(|(_, value)| value.as_ref().is_some_and(is_bad))
        .map(|(name, _)| name)
}

/// The variable whose value, or whose file's, cannot stand in a header: with it `object_store` would
/// panic.
fn unusable(env: &dyn Fn(&str) -> Option<String>) -> Option<&'static str> {
    const FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let is_bad = |value: &String| {
        !value
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
    };
    let values = ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"];
    let has_keys = env("AWS_ACCESS_KEY_ID").is_some();
    let token = env(FILE).filter(|_| !has_keys);
    let token = token.and_then(|path| std::fs::read_to_string(path).ok());
    values
        .into_iter()
        .find(|name| env(name).as_ref().is_some_and(is_bad))
        .or_else(|| token.as_ref().is_some_and(is_bad).then_some(FILE))
}

pub(super) const NONE: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_SKIP_SIGNATURE=true reads a public bucket without";
