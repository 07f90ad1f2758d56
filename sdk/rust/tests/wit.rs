//! Every SDK carries its own copy of the contract, so that it can be published alone.

use std::path::Path;

#[test]
fn the_copies_of_the_contract_are_the_contract() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &Path| {
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let contracts = ["0.1", "0.2"].map(|version| {
        let path = format!("wit/since-v{version}/op.wit");
        (read(&root.join(&path)), path)
    });
    let sdks = std::fs::read_dir(root.join("sdk"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let copies: Vec<_> = sdks
        .map(|sdk| sdk.join("wit/op.wit"))
        .filter(|copy| copy.exists())
        .collect();
    assert!(
        copies
            .iter()
            .any(|copy| copy.ends_with("sdk/rust/wit/op.wit")),
        "{copies:?}"
    );
    for copy in copies {
        let text = read(&copy);
        let version = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("package "));
            line.map(str::to_owned)
        };
        let of = contracts
            .iter()
            .find(|(contract, _)| version(contract) == version(&text));
        let (contract, path) =
            of.unwrap_or_else(|| panic!("{} is of no version that there is", copy.display()));
        assert!(
            text == *contract,
            "{} differs from {path}: copy the latter over the former",
            copy.display()
        );
    }
}

#[test]
fn the_copies_of_services_are_the_services() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| {
        std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let other = ["c", "cpp", "zig", "python", "js"];
    let copies = other.iter().flat_map(|sdk| {
        ["models.wit", "worlds.wit"].map(|file| (format!("sdk/{sdk}/wit/{file}"), file))
    });
    // A folder for each package: the bindings of the service are apart from those of the operator.
    let own = ("sdk/rust/wit/models/models.wit".to_owned(), "models.wit");
    for (copy, file) in copies.chain([own]) {
        let original = format!("wit/since-v0.2/{file}");
        assert!(
            read(&copy) == read(&original),
            "{copy} differs from {original}: copy the latter over the former"
        );
    }
}
