//! What is detected before a job starts: exit code 2, nothing written.

use crate::harness::Case;
use crate::sandbox::{case, guests, lines, recipe};

/// Runs with `component` as the plugin, which must be refused, by name, before anything starts.
#[track_caller]
fn refused(component: impl AsRef<[u8]>, parts: &[&str]) {
    let mut case = Case::with_input(lines(3, &[]).concat());
    case.write("plugins/rogue.wasm", component);
    case.args = ["--plugins", "plugins"].map(str::to_owned).to_vec();
    let ran = case
        .run(&recipe("rogue_filter", "behave", ""))
        .failed(2, parts)
        .failed(2, &["plugins/rogue.wasm"]);
    assert!(!case.path("work").exists(), "something was started");
    assert!(
        ran.stderr.len() < 10_000,
        "{} bytes of message",
        ran.stderr.len()
    );
}

#[test]
fn files_that_are_no_operators() {
    refused(b"", &["this is not a WebAssembly file"]);
    refused(b"# not a component\n", &["this is not a WebAssembly file"]);
    refused(b"\0asm", &["not a valid WebAssembly component"]);
    refused(
        b"\0asm\x01\0\0\0",
        &["this is a core WebAssembly module", "wasm32-wasip2"],
    );
    refused(
        b"\0asm\x0d\0\x01\0",
        &[
            "this component is not a djhost operator",
            "it exports nothing",
        ],
    );
    let good = guests::component();
    refused(
        &good[..good.len() / 2],
        &["not a valid WebAssembly component"],
    );
    let mut flipped = good.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xff);
    // Where the middle is decides whether its structure or its code is broken.
    refused(flipped, &["rogue.wasm: this", "component"]);
}

#[test]
fn a_component_too_large_to_be_one() {
    let case = Case::with_input(lines(3, &[]).concat());
    case.write("plugins/rogue.wasm", "");
    std::fs::File::options()
        .write(true)
        .open(case.path("plugins/rogue.wasm"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let recipe = recipe("rogue_filter", "behave", "plugins: plugins");
    case.run(&recipe).failed(
        2,
        &["plugins/rogue.wasm", "this plugin has 1073741824 bytes"],
    );
}

#[test]
fn other_contracts_and_imports() {
    refused(
        guests::replacing("djhost:op/ops@0.1.0", "djhost:op/ops@0.3.0"),
        &["built for version 0.3.0", "runs 0.1.x and 0.2.x"],
    );
    let foreign = guests::replacing("wasi:cli/stderr@", "evil:cli/stderr@");
    refused(
        foreign,
        &["imports `evil:cli/stderr@", "which djhost does not have"],
    );
    let unknown = guests::replacing("wasi:cli/stderr@", "wasi:abc/stderr@");
    refused(
        unknown,
        &["imports `wasi:abc/stderr@", "which no grant gives"],
    );
    let network = guests::replacing("wasi:cli/stderr@", "wasi:http/types@");
    refused(
        network,
        &["imports `wasi:http/types@", "which no grant gives"],
    );
    let interface = guests::replacing("wasi:cli/stderr@", "wasi:cli/nobody@");
    refused(
        interface,
        &["does not fit the djhost contract", "wasi:cli/nobody"],
    );
}

#[test]
fn describe_that_fails() {
    for (mode, reason) in [
        ("unreachable", "unreachable"),
        ("panic", "does not like"),
        ("allocate", "out of memory: wanted 257 MiB of its 256 MiB"),
        ("recurse", "stack overflow"),
        ("exit", "xit"),
        ("giant", "the answer is larger than 8.4 MB"),
    ] {
        refused(
            guests::describing(mode),
            &["this component cannot be used: `describe` failed", reason],
        );
    }
}

#[test]
fn describe_that_hangs() {
    refused(
        guests::describing("loop"),
        &["`describe` failed: out of time: the call took longer than 5s"],
    );
}

#[test]
fn descriptions_that_are_not_believed() {
    for (mode, reason) in [
        ("none", "describes 0 operators"),
        ("many", "describes 1001 operators; 1 to 1000"),
        ("duplicate", "describes operator `rogue_filter` twice"),
        ("empty_name", "`` is not an operator name"),
        ("bad_name", "`Rogue\\n\\u{1b}[31m` is not an operator name"),
        ("long_name", "rrrr` is not an operator name"),
        (
            "long_summary",
            "operator `rogue_filter` describes itself at too great a length",
        ),
        (
            "big_schema",
            "operator `rogue_filter` describes itself at too great a length",
        ),
        (
            "text_schema",
            "the parameter schema of operator `rogue_filter` is not JSON",
        ),
        (
            "list_schema",
            "the parameter schema of operator `rogue_filter` is not a JSON object",
        ),
        (
            "deep_schema",
            "the parameter schema of operator `rogue_filter` is not JSON: recursion limit",
        ),
    ] {
        refused(guests::describing(mode), &[reason]);
    }
}

#[test]
fn a_distance_that_is_no_number() {
    let case = case(&lines(3, &[]));
    case.write("plugins/rogue.wasm", guests::describing("hamming"));
    let ran = case.run(&recipe("rogue_deduplicator", "behave", ""));
    ran.failed(
        2,
        &[
            "process[0].rogue_deduplicator",
            "gives no number below 64 as `how`",
            "plugins/rogue.wasm",
        ],
    );
    assert!(!case.path("work").exists(), "something was started");
}

#[test]
fn a_thousand_operators_are_fine() {
    let case = case(&lines(10, &[]));
    case.write("plugins/rogue.wasm", guests::describing("thousand"));
    case.run("process:\n  - rogue_999: {}\n").ok();
    case.run("process:\n  - rogue_1000: {}\n  - rogue_999: {hwo: x}\n")
        .failed(
            2,
            &["no operator `rogue_1000`", "did you mean `rogue_", "hwo"],
        );
}

#[test]
fn two_plugins_with_one_operator() {
    let case = case(&lines(10, &[]));
    case.write("plugins/copy.wasm", guests::component());
    // The very same component twice is not a conflict.
    case.run(&recipe("rogue_filter", "behave", "")).ok();
    case.write("plugins/copy.wasm", guests::describing("duplicate"));
    case.run(&recipe("rogue_filter", "behave", ""))
        .failed(2, &["copy.wasm", "twice"]);
    let mut other = guests::component().to_vec();
    // A custom section at the end: another component with the same operators.
    other.extend_from_slice(&[0, 3, 1, b'x', b'y']);
    case.write("plugins/copy.wasm", other);
    case.run(&recipe("rogue_filter", "behave", "")).failed(
        2,
        &[
            "operator `rogue_filter` is also in",
            "copy.wasm",
            "rogue.wasm",
        ],
    );
}

#[test]
fn operators_that_cannot_be_created() {
    for (how, reason) in [
        (
            "create_loop",
            "operator `rogue_filter` failed while it was created: out of time: the call took longer than 100ms",
        ),
        (
            "create_allocate",
            "failed while it was created: out of memory",
        ),
        ("create_unreachable", "failed while it was created: "),
        ("create_recurse", "stack overflow"),
        ("create_panic", "does not like"),
        (
            "create_refuse",
            "`how` cannot be \\u{1b}[31m`create_refuse`",
        ),
        ("create_giant_refusal", "rogue_filter"),
        (
            "signature_loop",
            "operator `rogue_filter` failed to say what it reads and writes: out of time",
        ),
        (
            "signature_unreachable",
            "failed to say what it reads and writes: ",
        ),
        (
            "signature_allocate",
            "failed to say what it reads and writes: out of memory",
        ),
        (
            "signature_recurse",
            "failed to say what it reads and writes: stack overflow",
        ),
        ("signature_panic", "does not like"),
        ("signature_many", "the signature names more than 256 fields"),
        ("signature_empty_path", "`` is not a field path"),
        ("signature_broken_path", "`a..b` is not a field path"),
        ("signature_two_types", "uses the field `text` as"),
    ] {
        let case = case(&lines(3, &[]));
        let timeout = if how.ends_with("loop") { 0.1 } else { 60.0 };
        let settings = format!("op_limits: {{timeout_s: {timeout}, memory_mb: 48}}");
        let ran = case
            .run(&recipe("rogue_filter", how, &settings))
            .failed(2, &["recipe.yaml:", "process[0].rogue_filter", reason]);
        assert!(!case.path("work").exists(), "something was started");
        assert!(
            ran.stderr.len() < 10_000,
            "{how}: {} bytes of message",
            ran.stderr.len()
        );
        if !matches!(how, "create_refuse" | "signature_two_types") {
            assert!(
                ran.stderr.contains("rogue.wasm"),
                "{how}: the component is not named: {}",
                ran.stderr
            );
        }
    }
}

#[test]
fn ten_thousand_bad_plugins_give_a_short_list() {
    let case = case(&lines(3, &[]));
    for i in 0..10_000 {
        case.write(
            &format!("plugins/{}/bad{i}.wasm", i % 100),
            format!("not a component {i}"),
        );
    }
    let ran = case
        .run(&recipe("rogue_filter", "behave", ""))
        .failed(2, &["plugins/0/bad", "and 9980 more mistakes"]);
    assert!(
        ran.stderr.lines().count() < 50 && ran.stderr.len() < 10_000,
        "{} bytes of message",
        ran.stderr.len()
    );
    let ran = case
        .run(&format!(
            "{}check_plugins_lock: false\n",
            recipe("rogue_filter", "behave", "")
        ))
        .failed(2, &[]);
    assert!(ran.stderr.len() < 10_000);
}

#[test]
fn three_hundred_copies_of_a_plugin_give_one_note() {
    let case = case(&lines(3, &[]));
    for i in 0..299 {
        case.write(&format!("plugins/copies/{i:03}.wasm"), guests::component());
    }
    let ran = case.run(&recipe("rogue_filter", "behave", "")).ok();
    let note = "plugins/copies/001.wasm, plugins/copies/002.wasm, plugins/copies/003.wasm and 296 more are the same component as plugins/copies/000.wasm";
    assert!(
        ran.stderr.contains(note) && ran.stderr.lines().count() < 10,
        "{}",
        ran.stderr
    );
    // Copies of an unusable component are one mistake.
    for i in 0..300 {
        case.write(&format!("plugins/copies/{i:03}.wasm"), "nothing");
    }
    let ran = case.run(&recipe("rogue_filter", "behave", ""));
    let ran = ran.failed(2, &["plugins/copies/000.wasm: this is not a WebAssembly file (and 299 more with the same content)"]);
    assert!(ran.stderr.lines().count() < 10, "{}", ran.stderr);
}

#[test]
fn what_is_printed_at_creation_is_in_the_log() {
    let case = case(&lines(3, &[]));
    case.run(&recipe("rogue_filter", "create_print", "")).ok();
    let log = std::fs::read_to_string(case.path("work/job/logs/attempt_0001.txt")).unwrap();
    assert!(
        log.contains("line 7 \\u{1b}[31m of many") && log.contains("prints too much"),
        "{log}"
    );
    // Nor does the console of a run that shows progress there.
    std::fs::remove_dir_all(case.path("work")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_djhost"));
    command
        .args([
            "run",
            "recipe.yaml",
            "--plugins",
            "plugins",
            "--work_dir",
            "work",
        ])
        .current_dir(case.path(""));
    command
        .env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        )
        .env("HOME", case.path(""))
        .env_remove("RUST_LOG");
    let output = command.output().unwrap();
    let console = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && !console.contains("of many"),
        "{console}"
    );
}
