//! The files of `media/`, cut off and changed in many ways. Tests of packs that read media include this
//! file.

use std::path::Path;

/// The files as they are.
pub(crate) fn files() -> Vec<Vec<u8>> {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/parity/media");
    let mut paths: Vec<_> = std::fs::read_dir(media)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Hands each file to `read`, 30 times cut off and 30 times changed, the same ways each time.
pub(crate) fn each(mut read: impl FnMut(&[u8])) {
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below.max(1)
    };
    for bytes in files() {
        for _ in 0..30 {
            read(&bytes[..next(bytes.len())]);
            let mut changed = bytes.clone();
            for _ in 0..=next(8) {
                // Mostly in the headers.
                let below = [64, 512, bytes.len()][next(3)].min(bytes.len());
                if below > 0 {
                    changed[next(below)] = [0, 0xff, 0x7f, 0x80, next(256) as u8][next(5)];
                }
            }
            read(&changed);
        }
    }
}
