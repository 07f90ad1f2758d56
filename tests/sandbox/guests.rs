//! Builds the misbehaving component once, and changes its descriptions.

use std::sync::OnceLock;

use crate::harness::guest::build;

/// Marks the bytes by which a test chooses what `describe` does.
const MODE: &[u8] = b"ROGUE-MODE:";

/// The component as it was built: `describe` is honest, the operators are not.
pub(crate) fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| std::fs::read(build("tests/guests", "djhost-test-guests")).unwrap())
}

/// The component with another `describe`.
pub(crate) fn describing(mode: &str) -> Vec<u8> {
    with_mode(component(), mode)
}

/// A component that chooses what `describe` does by its mode, in the mode `mode`.
pub(crate) fn with_mode(component: &[u8], mode: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let at: Vec<usize> = bytes
        .windows(MODE.len())
        .enumerate()
        .filter(|(_, w)| *w == MODE)
        .map(|(i, _)| i)
        .collect();
    // A second occurrence, in the guest's own text, could lead to the wrong one being changed.
    let at = at
        .into_iter()
        .find(|i| bytes[*i..].starts_with(b"ROGUE-MODE:honest..............."))
        .expect("the mode is in the component");
    let text = format!("ROGUE-MODE:{mode:.<21}");
    assert_eq!(text.len(), 32, "`{mode}` is too long");
    bytes[at..at + 32].copy_from_slice(text.as_bytes());
    bytes
}

/// The component with every `from` replaced by `to` of the same length.
pub(crate) fn replacing(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = component().to_vec();
    let at: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, w)| *w == from.as_bytes())
        .map(|(i, _)| i)
        .collect();
    assert!(!at.is_empty(), "`{from}` is not in the component");
    at.into_iter()
        .for_each(|i| bytes[i..i + to.len()].copy_from_slice(to.as_bytes()));
    bytes
}
