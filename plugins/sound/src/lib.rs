//! A filter over decoded audio, with Data-Juicer's name, parameters and results.
//!
//! The host grants access to the directories of the dataset. A missing or damaged file sends its
//! row to quarantine.

mod audio_nmf_snr;
#[cfg(test)]
mod hostile;
mod snr;
#[path = "../../dedup/src/twister.rs"]
mod twister;

pub use audio_nmf_snr::AudioNmfSnrFilter;
pub use djhost_media_files::AnyOrAll;

djhost_sdk::export!(AudioNmfSnrFilter);
