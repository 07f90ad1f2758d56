//! Being written.

djhost_sdk::export!();
