//! Mappers that take personal data out of texts, with Data-Juicer's names, parameters and results.

mod fields;
mod hints;
mod patterns;
mod pii_redaction;
#[path = "../../text-mappers/src/replacement.rs"]
mod replacement;
mod splice;

pub use pii_redaction::PiiRedactionMapper;

djhost_sdk::export!(PiiRedactionMapper);
