//! JSON with a checksum of itself, for the small files that decide what is true: manifests and the
//! table of partitions. Without it, djhost would believe a flipped digit in a manifest.

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::checksum::checksum;

#[derive(Deserialize)]
struct Sealed<'a> {
    checksum: String,
    #[serde(borrow)]
    content: &'a RawValue,
}

/// Returns `value` as JSON with the checksum of its text: `{"checksum": …, "content": …}`.
pub(crate) fn seal(value: &impl Serialize) -> Result<Vec<u8>> {
    let content = serde_json::to_string_pretty(value)?;
    Ok(format!(
        "{{\"checksum\": \"{}\", \"content\": {content}}}\n",
        checksum(content.as_bytes())?.0
    )
    .into_bytes())
}

/// Returns the value that [`seal`] was given. Fails if any byte of it has changed.
pub(crate) fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let sealed: Sealed<'_> =
        serde_json::from_slice(bytes).context("it is no JSON with a checksum")?;
    ensure!(
        checksum(sealed.content.get().as_bytes())?.0 == sealed.checksum,
        "it is damaged: its checksum differs"
    );
    Ok(serde_json::from_str(sealed.content.get())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_changed_byte_goes_unseen() {
        let sealed = seal(&[1.5, 20.0, 1e-7]).unwrap();
        assert_eq!(unseal::<Vec<f64>>(&sealed).unwrap(), [1.5, 20.0, 1e-7]);
        let flipped = |i: usize| {
            let mut bytes = sealed.clone();
            bytes[i] ^= 1;
            unseal::<Vec<f64>>(&bytes).is_err()
        };
        let content = memchr::memchr(b'[', &sealed).unwrap();
        assert!((content..sealed.len() - 2).all(flipped));
    }
}
