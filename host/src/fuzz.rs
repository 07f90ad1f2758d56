//! What the targets of `tests/fuzz` call: properties that hold for any bytes. The seeds there go
//! through them with the other tests.

pub use crate::checkpoint::fuzz::records;
pub use crate::config::fuzz::recipe;
pub use crate::data::fuzz::rows;
pub use crate::data::input::pages::fuzz::pages;
pub use crate::wasm::fuzz::replies;

#[cfg(test)]
mod tests {
    type Target = (&'static str, fn(&[u8]));

    const TARGETS: [Target; 5] = [
        ("rows", super::rows),
        ("pages", super::pages),
        ("recipe", super::recipe),
        ("records", super::records),
        ("replies", super::replies),
    ];

    #[test]
    fn the_seeds_hold() {
        for (name, target) in TARGETS {
            let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fuzz/seeds")
                .join(name);
            let seeds: Vec<_> = std::fs::read_dir(&dir)
                .unwrap()
                .map(|seed| seed.unwrap().path())
                .collect();
            assert!(
                seeds.len() >= 10,
                "{} has {} seeds",
                dir.display(),
                seeds.len()
            );
            for seed in seeds {
                let bytes = std::fs::read(&seed).unwrap();
                let held = std::panic::catch_unwind(|| target(&bytes));
                assert!(held.is_ok(), "{}", seed.display());
            }
        }
    }
}
