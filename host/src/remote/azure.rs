//! Stores of Azure Blob Storage: account and credentials from where Azure's tools take them: a
//! connection string, key, token or client in the environment, or the machine.

use super::client::{Connector, retry};
use super::failure::Failure;
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};
use std::io::ErrorKind;

/// The store of a container. Makes no request.
pub(super) fn store(container: &str) -> Result<MicrosoftAzure, Failure> {
    let text = std::env::var("AZURE_STORAGE_CONNECTION_STRING").unwrap_or_default();
    let mut builder = MicrosoftAzureBuilder::from_env();
    // The names that the command `az` has for them.
    let of_az = [
        ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
        ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ];
    let of_az = of_az.map(|(name, key)| Some((key, std::env::var(name).ok()?)));
    let given = of_az.into_iter().flatten();
    for (key, value) in given.chain(of_connection_string(&text)) {
        builder = builder.with_config(key, value);
    }
    let built = builder
        .with_container_name(container)
        .with_http_connector(Connector)
        .with_retry(retry())
        .build();
    built.map_err(|e| {
        Failure::new(ErrorKind::Other, format!("the settings of Azure: {e}")).hint(
            "set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; AZURE_SKIP_SIGNATURE=true reads a public container without",
        )
    })
}

/// The settings of `AccountName=…;AccountKey=…`.
fn of_connection_string(text: &str) -> Vec<(AzureConfigKey, String)> {
    let mut found = Vec::new();
    let fields = text.split(';').filter_map(|field| field.split_once('='));
    for (key, value) in fields {
        let key = match key.trim() {
            "AccountName" => AzureConfigKey::AccountName,
            "AccountKey" => AzureConfigKey::AccessKey,
            "SharedAccessSignature" => AzureConfigKey::SasKey,
            "BlobEndpoint" => AzureConfigKey::Endpoint,
            _ => continue,
        };
        let value = value.trim();
        // The endpoint of an account ends in a slash, and that of a store must not.
        found.push((key, value.trim_end_matches('/').to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_has_account_key_and_endpoint() {
        let text = "DefaultEndpointsProtocol=http;AccountName=me;AccountKey=a/b==;BlobEndpoint=http://127.0.0.1:1/me/;";
        let expected = [
            (AzureConfigKey::AccountName, "me"),
            (AzureConfigKey::AccessKey, "a/b=="),
            (AzureConfigKey::Endpoint, "http://127.0.0.1:1/me"),
        ];
        let found = of_connection_string(text);
        assert_eq!(found, expected.map(|(key, value)| (key, value.to_owned())));
    }
}
