//! `plugins.lock`: a run with other components than those that were pinned is refused.

use std::fs;
use std::process::Command;

use crate::harness::Case;
use crate::{case, guests, lines, recipe};

fn pin(case: &Case) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
    let output = command.args(["ops", "lock", "--plugins", "plugins"]).current_dir(case.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn changed_new_and_missing_plugins_are_refused() {
    let case = case(&lines(3, &[]));
    let behaves = recipe("rogue_filter", "behave", "");
    case.write("plugins/more/second.wasm", guests::component());
    assert_eq!(pin(&case), "2 components pinned in plugins/plugins.lock\n");
    case.run(&behaves).ok();
    // Its summary is another one: it runs, but it is not what was pinned.
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
    case.run(&behaves).failed(2, &refused.each_ref().map(String::as_str));
    fs::remove_file(case.path("plugins/new.wasm")).unwrap();
    case.run(&recipe("rogue_filter", "behave", "check_plugins_lock: false")).ok();
    pin(&case);
    case.run(&behaves).ok();
    case.write("plugins/plugins.lock", "{");
    case.run(&behaves).failed(2, &["plugins/plugins.lock: this is no lock file"]);
}
