//! Audio that lies: cut off and changed. Nothing may panic, hang or use unbounded memory.

#[path = "../../../tests/parity/damage.rs"]
mod damage;

use crate::snr;
use djhost_media_files::Media;

#[test]
fn cut_and_changed_files() {
    // Success does not matter.
    damage::each(|bytes| {
        let _ = snr::ratio(&Media::inside("a file", bytes), 2);
    });
}
