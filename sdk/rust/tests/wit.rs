//! The SDK carries its own copy of the contract, so that it can be published alone.

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let contract = "../../wit/since-v0.1/op.wit";
    assert!(
        read("wit/op.wit") == read(contract),
        "sdk/rust/wit/op.wit differs from wit/since-v0.1/op.wit: copy the latter over the former"
    );
}
