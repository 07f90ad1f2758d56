//! `plugins.lock`: a run with components other than the pinned ones is refused.

use std::fs;
use std::process::Command;

use crate::harness::Case;
use crate::sandbox::{case, guests, lines, recipe};

fn pin(case: &Case) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    let output = command
        .args(["ops", "lock", "--plugins", "plugins"])
        .current_dir(case.path(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn changed_new_and_missing_plugins_are_refused() {
    let case = case(&lines(3, &[]));
    let behaves = recipe("rogue_filter", "behave", "");
    case.write("plugins/more/second.wasm", guests::component());
    assert_eq!(pin(&case), "2 components pinned in plugins/plugins.lock\n");
    case.run(&behaves).ok();
    // It has another summary: it runs, but it is not what was pinned.
    let other = guests::replacing("Does something wrong", "Does SOMETHING wrong");
    case.write("plugins/rogue.wasm", &other);
    fs::remove_file(case.path("plugins/more/second.wasm")).unwrap();
    case.write("plugins/new.wasm", &other);
    let refused = [
        "plugins/rogue.wasm: this plugin has changed",
        "`second.wasm` has gone",
        "plugins/new.wasm: `plugins.lock` does not have",
        "ops lock",
    ];
    let refused = refused.map(|text| text.replace("`second.wasm`", "`more/second.wasm`"));
    case.run(&behaves)
        .failed(2, &refused.each_ref().map(String::as_str));
    fs::remove_file(case.path("plugins/new.wasm")).unwrap();
    case.run(&recipe(
        "rogue_filter",
        "behave",
        "check_plugins_lock: false",
    ))
    .ok();
    pin(&case);
    case.run(&behaves).ok();
    // The lock covers what is below it, whatever path names that.
    let below = |plugins: &str| {
        let mut below = Case::with_input(lines(3, &[]).concat());
        below.args = vec!["--plugins".into(), case.path(plugins).display().to_string()];
        below
    };
    case.write("plugins/more/second.wasm", guests::component());
    fs::remove_file(case.path("plugins/rogue.wasm")).unwrap();
    pin(&case);
    for plugins in [
        "plugins/more",
        "plugins/more/second.wasm",
        "plugins/more/../more",
    ] {
        below(plugins).run(&behaves).ok();
    }
    case.write("plugins/more/second.wasm", &other);
    for plugins in [
        "plugins/more",
        "plugins/more/second.wasm",
        "plugins/more/../more",
    ] {
        below(plugins).run(&behaves).failed(
            2,
            &[
                "second.wasm: this plugin has changed",
                "plugins/plugins.lock",
            ],
        );
    }
    std::os::unix::fs::symlink(case.path("plugins/more"), case.path("elsewhere")).unwrap();
    below("elsewhere")
        .run(&behaves)
        .failed(2, &["second.wasm: this plugin has changed"]);
    below("elsewhere")
        .run(&format!("{behaves}check_plugins_lock: false\n"))
        .ok();
    // So does the lock of a directory below the named one.
    fs::rename(
        case.path("plugins/plugins.lock"),
        case.path("plugins/more/plugins.lock"),
    )
    .unwrap();
    let text = fs::read_to_string(case.path("plugins/more/plugins.lock")).unwrap();
    case.write("plugins/more/plugins.lock", text.replace("more/", ""));
    case.run(&behaves)
        .failed(2, &["plugins/more/second.wasm: this plugin has changed"]);
    fs::remove_file(case.path("plugins/more/plugins.lock")).unwrap();
    case.run(&behaves).ok();
    // A link in its place is replaced, not followed.
    case.write("precious", "precious");
    std::os::unix::fs::symlink(case.path("precious"), case.path("plugins/plugins.lock")).unwrap();
    pin(&case);
    assert_eq!(
        fs::read_to_string(case.path("precious")).unwrap(),
        "precious"
    );
    case.run(&behaves).ok();
    case.write("plugins/plugins.lock", "{");
    case.run(&behaves)
        .failed(2, &["plugins/plugins.lock: this is no lock file"]);
}

/// A lock may lie in a directory above the plugins, where somebody else can put something.
#[test]
fn a_pipe_or_a_device_in_its_place_makes_nobody_wait() {
    let case = case(&lines(3, &[]));
    let behaves = recipe("rogue_filter", "behave", "");
    for lock in ["plugins/plugins.lock", "plugins.lock"] {
        rustix::fs::mknodat(
            rustix::fs::CWD,
            case.path(lock),
            rustix::fs::FileType::Fifo,
            0o600.into(),
            0,
        )
        .unwrap();
        case.run(&behaves)
            .failed(2, &["plugins.lock", "a directory, a pipe or a device"]);
        fs::remove_file(case.path(lock)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", case.path(lock)).unwrap();
        case.run(&behaves)
            .failed(2, &["plugins.lock", "a directory, a pipe or a device"]);
        fs::remove_file(case.path(lock)).unwrap();
    }
    case.run(&behaves).ok();
}
