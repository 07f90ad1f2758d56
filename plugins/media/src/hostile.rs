//! Files that lie: cut off, changed, and crafted. Nothing may panic, hang or use unbounded memory.

#[path = "../../../tests/parity/damage.rs"]
mod damage;

use crate::{audio, bmff, decode, image, video};
use djhost_media_files::Source;
use std::time::{Duration, Instant};

/// Runs everything on a file; success does not matter.
fn all_of(bytes: &[u8]) {
    let _ = image::shape(&mut Source::of(bytes.to_vec()));
    let _ = video::read(&mut Source::of(bytes.to_vec()));
    let _ = audio::duration(&mut Source::of(bytes.to_vec()));
    let _ = decode::decode(&mut Source::of(bytes.to_vec()));
}

#[test]
fn cut_and_changed_files() {
    damage::each(all_of);
}

fn in_a_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

#[test]
fn boxes_that_lie() {
    let begin = Instant::now();
    let ftyp = in_a_box(b"ftyp", b"isom\0\0\0\0");
    let is_refused = |rest: &[u8]| {
        let bytes = [&ftyp[..], rest].concat();
        let refused = video::read(&mut Source::of(bytes.clone())).is_err();
        all_of(&bytes);
        refused
    };
    // Of no length, of too small a one, of more than the file has.
    assert!(is_refused(&[0, 0, 0, 4, b'm', b'o', b'o', b'v']));
    assert!(is_refused(&[
        0, 0, 0, 1, b'm', b'o', b'o', b'v', 0, 0, 0, 0, 0, 0, 0, 1
    ]));
    assert!(is_refused(&[
        0, 0, 0, 1, b'm', b'o', b'o', b'v', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
    ]));
    // Deeply nested.
    let deep = (0..20_000).fold(Vec::new(), |inner, i| {
        if i < 2000 {
            in_a_box(b"moov", &inner)
        } else {
            inner
        }
    });
    assert!(is_refused(&deep));
    // Very many boxes, and tables that claim to be huge.
    assert!(is_refused(&in_a_box(
        b"moov",
        &in_a_box(b"trak", b"").repeat(100_000)
    )));
    let stts = in_a_box(
        b"stts",
        &[
            0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
    );
    let mdia = in_a_box(b"mdia", &in_a_box(b"minf", &in_a_box(b"stbl", &stts)));
    assert!(is_refused(&in_a_box(b"moov", &in_a_box(b"trak", &mdia))));
    assert!(bmff::still_image(&mut Source::of(ftyp.clone())).is_err());
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn images_that_lie() {
    let begin = Instant::now();
    let bitmap = |width: u32, height: u32| {
        let head = [
            b"BM".as_slice(),
            &[0; 8],
            &54u32.to_le_bytes(),
            &40u32.to_le_bytes(),
            &width.to_le_bytes(),
            &height.to_le_bytes(),
        ]
        .concat();
        [head, vec![1, 0, 24, 0], vec![0; 100]].concat()
    };
    let shape = |bytes: &[u8]| image::shape(&mut Source::of(bytes.to_vec()));
    assert!(
        shape(&bitmap(100_000, 100_000))
            .unwrap_err()
            .contains("100000 × 100000")
    );
    assert!(shape(&bitmap(0x8000_0000, 1)).is_err());
    assert!(shape(&bitmap(1000, 0x8000_0000)).is_err());
    // Few bytes for many pixels are refused before memory is allocated.
    assert!(
        decode::decode(&mut Source::of(bitmap(12_000, 12_000)))
            .unwrap_err()
            .contains("MB")
    );
    // A JPEG with a scan per byte.
    let photo = damage::files()
        .into_iter()
        .find(|bytes| bytes.windows(2).any(|w| w == [0xff, 0xc2]))
        .expect("a progressive JPEG");
    let at = photo
        .windows(2)
        .position(|w| w == [0xff, 0xda])
        .expect("a scan");
    let scan = &photo[at..at + 2 + usize::from(photo[at + 3])];
    let many = [&photo[..at], &scan.repeat(100_000)].concat();
    assert!(decode::decode(&mut Source::of(many)).is_err());
    assert!(begin.elapsed() < Duration::from_secs(20));
}
