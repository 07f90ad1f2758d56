//! Which components a run compiles.

use std::fs;

use crate::harness::Case;

const RECIPE: &str = "process:\n  - text_length_filter: {min_len: 3}\n";
const INPUT: &str = "{\"text\":\"long enough\"}\n{\"text\":\"no\"}\n";

/// A case with its own cache of compiled components.
fn case() -> Case {
    let mut case = Case::with_input(INPUT);
    case.env.push((
        "DJHOST_CACHE_DIR".into(),
        case.path("cache").display().to_string(),
    ));
    case
}

/// Number of compiled components.
fn compiled(case: &Case) -> usize {
    fs::read_dir(case.path("cache/components")).unwrap().count()
}

fn filters() -> djhost_builtin_ops::Pack {
    djhost_builtin_ops::packs()
        .find(|pack| pack.operators.contains(&"text_length_filter"))
        .unwrap()
}

#[test]
fn a_start_compiles_the_packs_of_the_recipe() {
    let case = case();
    case.run(RECIPE).ok();
    assert_eq!(compiled(&case), 1);
}

#[test]
fn a_copy_of_a_pack_is_the_pack() {
    let mut case = case();
    case.write("plugins/one.wasm", filters().component);
    case.write(
        "plugins/two.wasm",
        djhost_builtin_ops::packs()
            .find(|pack| pack.name == "selectors")
            .unwrap()
            .component,
    );
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let ran = case.run(RECIPE).ok();
    assert_eq!(ran.summary["components"][0]["source"], "plugins/one.wasm");
    assert_eq!(ran.summary["components"][0]["interruptible"], false);
    // The engine of the packs compiled it, and nothing else.
    case.args.clear();
    fs::remove_dir_all(case.path("work")).unwrap();
    case.run(RECIPE).ok();
    assert_eq!(compiled(&case), 1);
}

/// A case with a plugin whose operators have built-in names.
fn with_another() -> Case {
    let mut case = case();
    let mut other = filters().component.to_vec();
    // A custom section at the end: another component with the same operators.
    other.extend([0, 3, 1, b'x', 0]);
    case.write("plugins/other.wasm", other);
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    case
}

#[test]
fn a_plugin_that_is_to_replace_an_operator_is_noted() {
    let mut case = with_another();
    for (recipe, args) in [
        (
            format!("{RECIPE}allow_override: [text_length_filter]\n"),
            &[][..],
        ),
        (
            RECIPE.to_owned(),
            &["--allow-override", "text_length_filter"],
        ),
    ] {
        case.args.truncate(2);
        case.args.extend(args.iter().map(|&arg| arg.to_owned()));
        let ran = case.run(&recipe).ok();
        assert!(
            ran.stderr.contains(
                "operator `text_length_filter` of plugins/other.wasm replaces the built-in one"
            ),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.summary["components"][0]["interruptible"], true);
        assert_eq!(compiled(&case), 1);
        fs::remove_dir_all(case.path("work")).unwrap();
    }
}

#[test]
fn a_plugin_named_like_a_built_in_one_must_be_asked_for() {
    let mut case = with_another();
    let parts = [
        "recipe.yaml:2: process[0].text_length_filter: operator `text_length_filter` is built in, and plugins/other.wasm has one of the same name",
        "hint: `--allow-override text_length_filter`, or `allow_override: [text_length_filter]` in the recipe",
    ];
    case.run(RECIPE).failed(2, &parts);
    case.run(&format!("{RECIPE}allow_override: [words_num_filter]\n"))
        .failed(2, &parts);
    assert!(!case.path("work").exists(), "something was started");
    // A recipe without such operators gets the built-in ones, and a note.
    let ran = case.run("process:\n  - clean_links_mapper:\n").ok();
    let note = "plugins/other.wasm has `average_line_length_filter`, ";
    assert!(
        ran.stderr.contains(note) && ran.stderr.contains("the built-in ones are used"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.summary["components"][0]["source"]
            .as_str()
            .unwrap()
            .starts_with("built-in ")
    );
    let ran = case
        .run("process:\n  - clean_links_mapper:\nallow_override: [clean_links_maper]\n")
        .ok();
    assert!(
        ran.stderr.contains(
            "`allow_override` names `clean_links_maper`, which replaces no built-in operator"
        ),
        "{}",
        ran.stderr
    );
    // A copy of the pack next to it changes nothing.
    case.write("plugins/copy.wasm", filters().component);
    case.run(RECIPE).failed(2, &parts);
    case.args = ["--plugins", "plugins/copy.wasm"]
        .map(str::to_owned)
        .to_vec();
    fs::remove_dir_all(case.path("work")).unwrap();
    case.run(RECIPE).ok();
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let case = case();
    let cache = case.path("cache/components");
    fs::create_dir_all(&cache).unwrap();
    fs::set_permissions(&cache, PermissionsExt::from_mode(0o777)).unwrap();
    let ran = case.run(RECIPE).ok();
    assert!(
        ran.stderr
            .contains("components` is not used, as others can write to it (mode 777)"),
        "{}",
        ran.stderr
    );
    assert_eq!(compiled(&case), 0);
    fs::set_permissions(&cache, PermissionsExt::from_mode(0o755)).unwrap();
    fs::remove_dir_all(case.path("work")).unwrap();
    let ran = case.run(RECIPE).ok();
    assert!(!ran.stderr.contains("is not used"), "{}", ran.stderr);
    assert_eq!(compiled(&case), 1);
    // Nor is a single file used, nor a link's target.
    let file = fs::read_dir(&cache)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    fs::remove_dir_all(case.path("work")).unwrap();
    let ran = case.run(RECIPE).ok();
    assert!(
        ran.stderr
            .contains("in the cache is not used, as others can write to it"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600,
        "a good one is in its place"
    );
}

#[test]
fn a_damaged_file_in_the_cache_is_compiled_again() {
    let case = case();
    let said = || {
        let _ = fs::remove_dir_all(case.path("work"));
        case.run(RECIPE).ok().stderr
    };
    said();
    let mut cached = fs::read_dir(case.path("cache/components")).unwrap();
    let file = cached.next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let damaged = "in the cache is damaged; compiling again";
    let first = said();
    assert!(first.contains(damaged), "{first}");
    let second = said();
    assert!(!second.contains(damaged), "{second}");
    assert_eq!(compiled(&case), 1);
}
