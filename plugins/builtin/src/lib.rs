//! The operator packs of djhost as components, for embedding in the host.
//!
//! In a source checkout the build compiles the packs next to this crate. The crate alone, from a
//! registry, has none.

/// A pack: one component with several operators.
#[derive(Debug, Clone, Copy)]
pub struct Pack {
    /// The name of its directory under `plugins/`.
    pub name: &'static str,
    /// The names of its operators.
    pub operators: &'static [&'static str],
    /// The component.
    pub component: &'static [u8],
}

include!("../table.rs");

/// The packs, in a fixed order.
pub fn packs() -> impl Iterator<Item = Pack> {
    const COMPONENTS: &[&[u8]] = include!(concat!(env!("OUT_DIR"), "/packs.rs"));
    PACKS
        .into_iter()
        .zip(COMPONENTS)
        .map(|((name, operators), &component)| Pack {
            name,
            operators,
            component,
        })
}

/// Examples of the operators, `plugins/examples/NAME.json`: the operator's name and the text of the
/// file, sorted by name.
pub fn examples() -> &'static [(&'static str, &'static str)] {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::{PACKS, packs};

    /// The packs and the libraries that they share, as their manifests name them.
    fn packs_and_libraries(plugins: &Path) -> BTreeSet<String> {
        let mut found: BTreeSet<String> = PACKS.iter().map(|(pack, _)| (*pack).into()).collect();
        for (pack, _) in PACKS {
            let manifest = fs::read_to_string(plugins.join(pack).join("Cargo.toml")).unwrap();
            let siblings = manifest.lines().filter_map(|line| {
                let (_, path) = line.split_once("path = \"../")?;
                Some(path.split_once('"')?.0)
            });
            // `../../host` is no sibling.
            found.extend(
                siblings
                    .filter(|path| !path.contains('/'))
                    .map(str::to_owned),
            );
        }
        found
    }

    /// The archive of the published crate has all that a pack is built from.
    #[test]
    fn sources_link_to_every_pack() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let names = |dir: &Path| -> Vec<_> {
            let mut names: Vec<_> = fs::read_dir(dir)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !["tests", "tables"].contains(&name.as_str()))
                .collect();
            names.sort();
            names
        };
        let all = packs_and_libraries(&here.join(".."));
        assert!(all.len() > PACKS.len(), "no library is found: {all:?}");
        for name in all {
            let (pack, linked) = (
                here.join("..").join(&name),
                here.join("sources/plugins").join(&name),
            );
            let mut expected: Vec<_> = names(&pack)
                .into_iter()
                .map(|name| name.replace("Cargo.toml", "manifest.toml"))
                .collect();
            expected.sort();
            assert_eq!(names(&linked), expected);
            assert_eq!(
                fs::read_to_string(linked.join("manifest.toml")).unwrap(),
                fs::read_to_string(pack.join("Cargo.toml")).unwrap()
            );
        }
    }

    #[test]
    fn every_pack_is_a_component() {
        assert_eq!(packs().count(), PACKS.len());
        for pack in packs() {
            // Magic number, then version 13 of layer 1: a component, not a core module.
            assert_eq!(pack.component[..8], *b"\0asm\x0d\0\x01\0", "{}", pack.name);
        }
    }
}
