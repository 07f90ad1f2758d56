//! Stores of Google Cloud Storage: credentials from where Google's tools take them, in their order:
//! a service account in the environment, the file of `gcloud auth application-default login`, the
//! machine.

use super::client::{Connector, retry};
use super::failure::Failure;
use object_store::StaticCredentialProvider;
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};
use std::io::ErrorKind;
use std::sync::Arc;

/// The store of a bucket. Makes no request.
pub(super) fn store(bucket: &str) -> Result<GoogleCloudStorage, Failure> {
    let env = |key: &str| std::env::var(key).ok().filter(|value| !value.is_empty());
    let mut builder = GoogleCloudStorageBuilder::from_env()
        .with_bucket_name(bucket)
        .with_http_connector(Connector)
        .with_retry(retry());
    if let Some(server) = env("STORAGE_EMULATOR_HOST") {
        let server = match server.contains("://") {
            true => server,
            false => format!("http://{server}"),
        };
        builder = builder
            .with_base_url(server.trim_end_matches('/'))
            .with_skip_signature(true)
            // Uploads ask for credentials all the same.
            .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential {
                bearer: String::new(),
            })));
    }
    builder.build().map_err(|e| {
        Failure::new(ErrorKind::Other, format!("the settings of Google Cloud Storage: {e}")).hint(
            "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or run `gcloud auth application-default login`; GOOGLE_SKIP_SIGNATURE=true reads a public bucket without",
        )
    })
}
