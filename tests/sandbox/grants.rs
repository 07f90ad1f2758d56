//! Grants: what the recipe allows an operator to see, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::{Case, Ran};
use crate::sandbox::world::stats;
use crate::sandbox::{case, guests, lines};

/// A case with files that may be read, files that may not, and links between them; its rows name
/// the paths that the operator tries.
fn files(paths: &str) -> Case {
    let case = case(&[format!("{{\"text\": \"GUILTY|{paths}\"}}\n")]);
    case.write("lists/a.txt", "alpha");
    case.write("lists/sub/b.txt", "beta");
    case.write("secret.txt", "secret");
    case.write("hidden/c.txt", "secret");
    case
}

/// A recipe with the operator that tries files, and `settings` in addition to its `how`.
fn trying(settings: &str) -> String {
    format!("keep_stats_in_res_ds: true\nprocess:\n  - rogue_filter: {{how: files{settings}}}\n")
}

/// The results for the paths.
#[track_caller]
fn found(case: &Case, settings: &str) -> String {
    stats(case.run(&trying(settings)).ok().text()).remove(0)
}

const LISTS: &str = ", grants: {read_dirs: [lists]}";

#[test]
fn granted_directories_can_be_read() {
    let case = files(
        "lists/a.txt|./lists/a.txt|lists/sub/b.txt|lists/sub/../a.txt|lists/|lists/sub/|secret.txt|hidden/c.txt|./",
    );
    assert_eq!(
        found(&case, LISTS),
        "lists/a.txt=alpha ./lists/a.txt=alpha lists/sub/b.txt=beta lists/sub/../a.txt=alpha lists/=a.txt,sub lists/sub/=b.txt \
         secret.txt=refused hidden/c.txt=refused ./=refused"
    );
    assert_eq!(
        found(&files("lists/a.txt|lists/"), ""),
        "lists/a.txt=refused lists/=refused",
        "nothing without a grant"
    );
}

#[test]
fn paths_are_those_of_the_recipe() {
    let case = files("");
    let absolute = case.path("lists").display().to_string();
    case.write(
        "in.jsonl",
        format!("{{\"text\": \"GUILTY|{absolute}/a.txt|lists/a.txt|./lists/a.txt\"}}\n"),
    );
    let settings = format!(", grants: {{read_dirs: [\"{absolute}\"]}}");
    assert_eq!(
        found(&case, &settings),
        format!("{absolute}/a.txt=alpha lists/a.txt=refused ./lists/a.txt=refused")
    );
    // A grant may lead upwards: the recipe's owner may go there.
    case.write(
        "in.jsonl",
        "{\"text\": \"GUILTY|lists/sub/../a.txt|hidden/../lists/a.txt|lists/a.txt\"}\n",
    );
    let settings = ", grants: {read_dirs: hidden/../lists}";
    assert_eq!(
        found(&case, settings),
        "lists/sub/../a.txt=refused hidden/../lists/a.txt=alpha lists/a.txt=refused"
    );
}

#[test]
fn nothing_leads_out_of_a_granted_directory() {
    let paths = "lists/../secret.txt|lists/../hidden/c.txt|lists/sub/../../secret.txt|lists/../|lists/./.././secret.txt|lists//../secret.txt|\
                 /etc/passwd|lists//etc/passwd|/proc/self/environ|lists/up|lists/file|lists/root|lists/absolute|lists/folder/c.txt|\
                 lists/folder/|lists/chain|lists/loop|lists/inside|lists/folder/../../secret.txt|../secret.txt|lists/sub/deep";
    let case = files(paths);
    let link = |to: &str, name: &str| symlink(to, case.path("lists").join(name)).unwrap();
    link("..", "up");
    link("../secret.txt", "file");
    link("/etc/passwd", "root");
    let secret = case.path("secret.txt").display().to_string();
    link(&secret, "absolute");
    link("../hidden", "folder");
    link("file", "chain");
    link("loop", "loop");
    link("sub/b.txt", "inside");
    link("../../lists/../secret.txt", "sub/deep");
    let expected: Vec<String> = paths
        .split('|')
        .map(|path| {
            if path == "lists/inside" {
                format!("{path}=beta")
            } else {
                format!("{path}=refused")
            }
        })
        .collect();
    assert_eq!(found(&case, LISTS), expected.join(" "));
}

#[test]
fn a_grant_is_for_reading_only() {
    let case = files(
        ">lists/a.txt|>lists/new.txt|>lists/sub/b.txt|>lists/sub|>secret.txt|lists/a.txt|lists/",
    );
    assert_eq!(
        found(&case, LISTS),
        ">lists/a.txt=0 >lists/new.txt=0 >lists/sub/b.txt=0 >lists/sub=0 >secret.txt=0 lists/a.txt=alpha lists/=a.txt,sub"
    );
    assert_eq!(
        fs::read_to_string(case.path("lists/a.txt")).unwrap(),
        "alpha"
    );
    assert_eq!(
        fs::read_dir(case.path("lists")).unwrap().count()
            + fs::read_dir(case.path("lists/sub")).unwrap().count(),
        3
    );
}

#[test]
fn each_op_has_its_own_grants() {
    let case = files("lists/a.txt|hidden/c.txt");
    let recipe = "keep_stats_in_res_ds: true\nprocess:\n  - rogue_mapper: {how: behave, grants: {read_dirs: [hidden]}}\n  \
                  - rogue_filter: {how: files, grants: {read_dirs: [lists]}}\n";
    assert_eq!(
        stats(case.run(recipe).ok().text()),
        ["lists/a.txt=alpha hidden/c.txt=refused"]
    );
}

#[test]
fn create_has_the_grants_too() {
    let case = files("");
    let recipe =
        "process:\n  - rogue_filter: {how: create_reading, grants: {read_dirs: [lists]}}\n";
    case.run(recipe)
        .failed(2, &["lists/a.txt=alpha /etc/passwd=refused"]);
}

#[test]
fn parameters_that_name_files_are_granted_as_written() {
    let paths = "lists/a.txt|lists/sub/b.txt|hidden/c.txt|secret.txt";
    let case = files(paths);
    let found = |settings: &str| found(&case, settings);
    assert_eq!(
        found(", folders: [lists/sub]"),
        "lists/a.txt=refused lists/sub/b.txt=beta hidden/c.txt=refused secret.txt=refused"
    );
    assert_eq!(
        found(", words: lists/a.txt"),
        "lists/a.txt=alpha lists/sub/b.txt=beta hidden/c.txt=refused secret.txt=refused"
    );
    assert_eq!(
        found(", words: ./secret.txt"),
        "lists/a.txt=alpha lists/sub/b.txt=beta hidden/c.txt=secret secret.txt=secret"
    );
    // The defaults of the plugin name `secret.txt` and `hidden`.
    assert_eq!(
        found(""),
        "lists/a.txt=refused lists/sub/b.txt=refused hidden/c.txt=refused secret.txt=refused"
    );
    assert_eq!(
        found(", words: null"),
        "lists/a.txt=refused lists/sub/b.txt=refused hidden/c.txt=refused secret.txt=refused"
    );
}

#[test]
fn media_beside_the_dataset() {
    let case = files("data/pic.txt|pic.txt|secret.txt");
    case.write("data/pic.txt", "picture");
    case.write("data/rows.jsonl", fs::read(case.path("in.jsonl")).unwrap());
    case.write("plugins/rogue.wasm", guests::describing("media"));
    let run = |settings: &str| {
        stats(
            case.run(&format!(
                "dataset_path: data/rows.jsonl\n{}",
                trying(settings)
            ))
            .ok()
            .text(),
        )
        .remove(0)
    };
    // A plugin's own description grants nothing.
    assert_eq!(
        run(""),
        "data/pic.txt=refused pic.txt=refused secret.txt=refused"
    );
    assert_eq!(
        run(", grants: {media: true}"),
        "data/pic.txt=picture pic.txt=picture secret.txt=refused"
    );
}

#[test]
fn built_in_operators_find_media_beside_the_dataset() {
    let case = files("");
    let pixel = include_bytes!("../parity/media/one.png");
    case.write("data/images/one.png", pixel);
    case.write("secret.png", pixel);
    let beside = case.path("data/images/one.png").display().to_string();
    symlink(case.path("secret.png"), case.path("data/link.png")).unwrap();
    let rows = [
        "images/one.png",
        beside.as_str(),
        "./images/../images/one.png",
        "../secret.png",
        "link.png",
        "missing.png",
    ];
    let lines: String = rows
        .iter()
        .map(|path| format!("{{\"text\": \"\", \"images\": [\"{path}\"]}}\n"))
        .collect();
    case.write("data/rows.jsonl", lines);
    let recipe = "dataset_path: data/rows.jsonl\nmax_quarantine_ratio: 1\nprocess:\n  - image_shape_filter:\n";
    let ran = case.run(recipe).ok();
    assert_eq!(ran.text().lines().count(), 3, "{}", ran.text());
}

#[test]
fn variables_are_those_that_are_granted() {
    let mut case = case(&lines(1, &[]));
    case.env = [("GIVEN", "one"), ("SECRET", "two")]
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .to_vec();
    let run = |grants: &str| {
        case.run(&format!(
            "keep_stats_in_res_ds: true\nprocess:\n  - rogue_filter: {{how: vars{grants}}}\n"
        ))
    };
    assert_eq!(
        stats(run(", grants: {env: [GIVEN]}").ok().text()),
        ["GIVEN=one"]
    );
    assert_eq!(
        stats(run(", grants: {env: {TZ: UTC}}").ok().text()),
        ["TZ=UTC"]
    );
    assert_eq!(stats(run("").ok().text()), [""]);
    run(", grants: {env: [ABSENT]}").failed(
        2,
        &[
            "recipe.yaml:3: process[0].rogue_filter.grants.env",
            "no variable `ABSENT`",
        ],
    );
    run(", grants: {env: {\"A=B\": x}}").failed(2, &["`A=B` cannot be a variable"]);
}

#[test]
fn a_seed_of_its_own() {
    let case = case(&lines(1, &[]));
    let run = |grants: &str| {
        let recipe = format!(
            "keep_stats_in_res_ds: true\nprocess:\n  - rogue_filter: {{how: random{grants}}}\n"
        );
        stats(case.run(&recipe).ok().text()).remove(0)
    };
    let (seven, eight) = (run(", grants: {seed: 7}"), run(", grants: {seed: 8}"));
    assert_ne!(seven, eight);
    assert_eq!(seven, run(", grants: {seed: 7}"));
    assert_ne!(run(""), seven);
}

#[test]
fn mistakes_are_found_while_planning() {
    let case = files("");
    let pipe = Command::new("mkfifo")
        .arg(case.path("hidden/pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());
    for (settings, reason) in [
        (
            ", grants: {read_dirs: [lists, nowhere]}",
            "grants.read_dirs[1]: there is no `nowhere`",
        ),
        (
            ", grants: {read_dirs: [secret.txt]}",
            "grants.read_dirs[0]: `secret.txt` is not a directory",
        ),
        (
            ", grants: {read_dirs: [\"\"]}",
            "grants.read_dirs[0]: there is no ``",
        ),
        (
            ", grants: {read_dirs: [hidden]}",
            "hidden/pipe` is a pipe, a socket or a device",
        ),
        (
            ", grants: {read_dirs: [/dev]}",
            "is a pipe, a socket or a device",
        ),
        (
            ", grants: {network: true}",
            "grants.network: no operator can have the network",
        ),
        (", grants: {read_dir: [lists]}", "did you mean `read_dirs`?"),
        (", grants: {seed: -1}", "grants.seed: expected"),
        (
            ", words: nowhere.txt",
            "process[0].rogue_filter.words: there is no `nowhere.txt`",
        ),
        (
            ", words: lists",
            "process[0].rogue_filter.words: `lists` is not a file",
        ),
        (", words: hidden/c.txt", "hidden/pipe` is a pipe"),
        (
            ", folders: [lists, secret.txt]",
            "process[0].rogue_filter.folders[1]: `secret.txt` is not a directory",
        ),
    ] {
        case.run(&trying(settings))
            .failed(2, &["recipe.yaml:3: process[0].rogue_filter", reason]);
        assert!(!case.path("work").exists(), "something was started");
    }
}

#[test]
fn open_files_are_bounded() {
    let case = files("");
    case.write("in.jsonl", lines(20, &[3]).concat());
    let recipe = "process:\n  - rogue_filter: {how: hoard, grants: {read_dirs: [lists]}}\nmax_quarantine_ratio: 0.5\n";
    let ran: Ran = case.run(recipe).ok();
    assert_eq!(crate::sandbox::quarantined(&ran), [3]);
    assert_eq!(
        ran.quarantine[0]["reason"],
        "it holds too many files, streams or the like at once"
    );
    assert_eq!(ran.text().lines().count(), 19);
}

#[test]
fn what_is_granted_is_part_of_what_was_done() {
    let case = files("lists/a.txt");
    let run = |settings: &str| {
        let ran = case.run(&trying(settings)).ok();
        (stats(ran.text()).remove(0), ran.stderr)
    };
    assert_eq!(run(LISTS).0, "lists/a.txt=alpha");
    case.write("lists/a.txt", "omega");
    assert_eq!(
        run(LISTS).0,
        "lists/a.txt=omega",
        "another word list, another result"
    );
    assert_eq!(run(", words: lists/a.txt").0, "lists/a.txt=omega");
    case.write("lists/a.txt", "gamma");
    assert_eq!(run(", words: lists/a.txt").0, "lists/a.txt=gamma");
}

#[test]
fn plan_says_what_each_op_may_do() {
    let mut case = files("");
    case.env.push(("TOKEN".into(), "very-secret".into()));
    case.run(&trying(
        ", words: secret.txt, grants: {read_dirs: [lists], env: [TOKEN]}",
    ))
    .ok();
    let plan = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args(["plan", "recipe.yaml", "--plugins", "plugins"])
            .args(args)
            .current_dir(case.path(""))
            .env("TOKEN", "very-secret");
        command.env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        );
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let text = plan(&[]);
    assert!(
        text.contains("may read `lists` (grants.read_dirs), `.` (parameter `words`); sees the variables `TOKEN`; no network"),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&plan(&["--json"])).unwrap();
    let grants = &json["operations"][0]["grants"];
    assert_eq!(grants["read_dirs"][0]["guest"], "lists");
    assert_eq!(
        grants["read_dirs"][0]["host"],
        case.path("lists").to_str().unwrap()
    );
    assert_eq!(grants["env"][0], "TOKEN");
    // Neither here nor in any file of the run.
    assert!(!text.contains("very-secret") && !json.to_string().contains("very-secret"));
    let kept = Command::new("grep")
        .args(["-rl", "very-secret"])
        .arg(case.path("work"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&kept.stdout), "");
}

#[test]
fn plan_says_where_a_link_leads() {
    let case = files("");
    std::os::unix::fs::symlink(case.path("hidden"), case.path("linked")).unwrap();
    case.write(
        "recipe.yaml",
        "dataset_path: in.jsonl\nexport_path: out/r.jsonl\nprocess:\n  - rogue_filter: {grants: {read_dirs: [linked, lists]}}\n",
    );
    let plan = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        command
            .args(["plan", "recipe.yaml", "--plugins", "plugins"])
            .args(args)
            .current_dir(case.path(""));
        command.env(
            "DJHOST_CACHE_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
        );
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let real = fs::canonicalize(case.path("hidden")).unwrap();
    let text = plan(&[]);
    let line = format!(
        "may read `linked`, which leads to `{}` (grants.read_dirs), `lists` (grants.read_dirs)",
        real.display()
    );
    assert!(text.contains(&line), "`{line}` is not in {text}");
    let json: serde_json::Value = serde_json::from_str(&plan(&["--json"])).unwrap();
    let dirs = &json["operations"][0]["grants"]["read_dirs"];
    assert_eq!(
        (&dirs[0]["leads_to"], &dirs[1]["leads_to"]),
        (&real.to_str().unwrap().into(), &serde_json::Value::Null)
    );
}
