//! Exports to the hub: whole, by one commit, or not at all, whatever goes wrong.

use super::PROCESS;
use super::hub_server::{Hub, PART, TOKEN};
use crate::harness::{Case, Ran};
use djhost::testing::web::{Asked, Fault};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const NAME: &str = "me/mine@main";

fn rows() -> String {
    let text =
        |i: usize| format!("row {i} has some words, {} of them; ", i % 70).repeat(1 + i % 17);
    let row = |i: usize| format!("{{\"text\": \"{}\", \"id\": {i}}}\n", text(i));
    (0..2000).map(row).collect()
}

fn at(hub: &Hub) -> Case {
    let mut case = Case::with_input(rows());
    case.env = [
        ("HF_ENDPOINT", &*hub.web.url("")),
        ("HF_TOKEN", TOKEN),
        ("DJHOST_TEST_RETRIES", "2"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .to_vec();
    case
}

fn recipe(more: &str) -> String {
    format!("export_path: hf://datasets/me/mine\nexport_shard_size: 256KiB\n{more}{PROCESS}")
}

fn run(case: &Case) -> Ran {
    case.run(&recipe(""))
}

/// What the same job gives on a disk.
fn local() -> Vec<(String, Vec<u8>)> {
    let case = Case::with_input(rows());
    let recipe = recipe("").replace("hf://datasets/me/mine", "made/mine\nexport_type: hf");
    case.run(&recipe).ok();
    files_in(&case, "made/mine")
}

fn files_in(case: &Case, dir: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![(
        "README.md".to_owned(),
        std::fs::read(case.path(&format!("{dir}/README.md"))).unwrap(),
    )];
    for entry in std::fs::read_dir(case.path(&format!("{dir}/data"))).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        files.push((format!("data/{name}"), std::fs::read(entry.path()).unwrap()));
    }
    files.sort();
    files
}

fn on(hub: &Hub) -> Vec<(String, Vec<u8>)> {
    hub.files(NAME).into_iter().collect()
}

/// Goes wrong at the first `times` requests to a path that has `part` in it.
fn at_first(
    times: usize,
    fault: Fault,
    part: &'static str,
) -> impl FnMut(&Asked) -> Option<Fault> + Send {
    let count = Arc::new(AtomicUsize::new(0));
    move |asked| {
        let chosen = asked.path.contains(part) && count.fetch_add(1, Ordering::Relaxed) < times;
        chosen.then_some(fault)
    }
}

#[test]
fn a_dataset_appears_by_one_commit() {
    let hub = Hub::new().with(NAME, &[]);
    let case = at(&hub);
    run(&case).ok();
    let local = local();
    assert!(local.len() > 3, "{} files", local.len());
    assert!(on(&hub) == local);
    // Some files were sent in parts.
    assert!(local.iter().any(|(_, bytes)| bytes.len() > PART));
    let commits = hub.commits(NAME);
    assert_eq!(commits.len(), 2);
    assert_eq!(
        commits[1].title,
        format!("Upload {} files with djhost", local.len() - 1)
    );
    // The same job again has nothing to do; a new one finds that all of it is there.
    run(&case).ok();
    run(&at(&hub)).ok();
    assert_eq!(hub.commits(NAME).len(), 2);
    let grep = std::process::Command::new("grep")
        .args(["-r", "-l", TOKEN])
        .arg(case.path(""))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&grep.stdout), "");
}

#[test]
fn an_earlier_export_is_replaced_and_all_else_stays() {
    let card: &[u8] = b"---\nlicense: mit\n---\n# By hand\n\nWords of a person.\n";
    let hub = Hub::new().with(
        NAME,
        &[
            ("README.md", card),
            ("data/train-00000-of-00099.parquet", b"old"),
            ("data/test-00000-of-00001.parquet", b"of another split"),
            ("notes.txt", b"notes"),
        ],
    );
    run(&at(&hub)).ok();
    let files = hub.files(NAME);
    assert!(!files.contains_key("data/train-00000-of-00099.parquet"));
    assert!(
        files.contains_key("data/test-00000-of-00001.parquet") && files.contains_key("notes.txt")
    );
    let card = String::from_utf8(files["README.md"].clone()).unwrap();
    for part in [
        "license: mit",
        "# By hand\n\nWords of a person.",
        "path: data/train-*",
        "text_length_filter",
    ] {
        assert!(card.contains(part), "{card}");
    }
}

#[test]
fn faults_change_nothing() {
    let local = local();
    for fault in [
        Fault::Status(429),
        Fault::Status(503),
        Fault::Reset,
        Fault::Lost,
    ] {
        let parts = match fault {
            Fault::Status(503) | Fault::Lost => &[
                "/preupload/",
                "/batch",
                "/lfs/",
                "/commit/",
                "/revision/",
                "/tree/",
            ][..],
            _ => &["/lfs/", "/commit/"],
        };
        for part in parts.iter().copied() {
            let hub = Hub::new().with(NAME, &[]);
            hub.web.fail(at_first(2, fault, part));
            run(&at(&hub)).ok();
            assert!(on(&hub) == local, "{fault:?} {part}");
            // No commit is made twice.
            assert_eq!(hub.commits(NAME).len(), 2, "{fault:?} {part}");
        }
    }
}

#[test]
fn a_failure_leaves_nothing_visible_and_the_job_continues() {
    let hub = Hub::new().with(NAME, &[("notes.txt", b"notes")]);
    let case = at(&hub);
    // The token expires while files are sent.
    hub.web.fail(|asked| {
        asked
            .path
            .contains("/commit/")
            .then_some(Fault::Status(401))
    });
    run(&case).failed(
        1,
        &["hf://datasets/me/mine", "the hub answers 401", "HF_TOKEN"],
    );
    assert_eq!(hub.commits(NAME).len(), 1);
    let uploads = hub.state.lock().unwrap().uploads;
    hub.web.heal();
    run(&case).ok();
    assert_eq!(hub.files(NAME).len(), local().len() + 1);
    // What the hub has is not sent again.
    assert_eq!(hub.state.lock().unwrap().uploads, uploads);
}

#[test]
fn commits_of_others_come_between() {
    let hub = Hub::new().with(NAME, &[]);
    let (other, count) = (hub.clone(), AtomicUsize::new(0));
    hub.web.fail(move |asked| {
        if asked.path.contains("/commit/") && count.fetch_add(1, Ordering::Relaxed) < 2 {
            let mut state = other.state.try_lock().unwrap();
            let number = count.load(Ordering::Relaxed);
            let mut files = state.branches[NAME].last().unwrap().files.clone();
            files.insert(format!("other-{number}.txt"), b"x".to_vec());
            state.add(NAME, files, "of another");
        }
        None
    });
    run(&at(&hub)).ok();
    let files = hub.files(NAME);
    assert!(files.contains_key("other-1.txt") && files.contains_key("other-2.txt"));
    assert_eq!(files.len(), local().len() + 2);
}

#[test]
fn a_kill_at_any_time_leaves_nothing_or_all() {
    let local = local();
    for event in ["export_start", "export_complete"] {
        let hub = Hub::new().with(NAME, &[]);
        let case = at(&hub);
        assert!(
            case.killed_by(&format!("kill@event:{event}:1"), &recipe("")),
            "{event}"
        );
        let visible = on(&hub);
        assert!(visible.is_empty() || visible == local, "{event}");
        run(&case).ok();
        assert!(on(&hub) == local, "{event}");
        assert_eq!(hub.commits(NAME).len(), 2, "{event}");
    }
}

#[test]
fn a_file_of_a_dataset_is_written_too() {
    let hub = Hub::new().with(NAME, &[]);
    let case = at(&hub);
    let recipe = recipe("").replace("mine\nexport_shard_size: 256KiB", "mine/sub/rows.jsonl");
    case.run(&recipe).ok();
    let expected = super::expected(&rows());
    assert!(hub.files(NAME)["sub/rows.jsonl"] == expected);
    assert_eq!(hub.files(NAME).len(), 1);
    case.run(&recipe).ok();
    assert_eq!(hub.commits(NAME).len(), 2);
}

#[test]
fn a_dataset_is_created_only_if_asked_for() {
    let hub = Hub::new();
    run(&at(&hub)).failed(2, &["hf://datasets/me/mine", "404", "create_repo: true"]);
    let case = at(&hub);
    let create = recipe("push_to_hub: {create_repo: true, commit_message: The first}\n");
    case.run(&create).ok();
    assert_eq!(hub.commits(NAME).last().unwrap().title, "The first");
}

#[test]
fn mistakes_are_said_before_any_work() {
    let hub = Hub::new().with(NAME, &[]);
    let mut case = at(&hub);
    let to = |place: &str| recipe("").replace("hf://datasets/me/mine", place);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    case.run(&to(&format!("hf://datasets/me/mine@{commit}")))
        .failed(2, &["nothing can be written to a commit", "@BRANCH"]);
    case.run(&to("hf://datasets/me/mine/sub/"))
        .failed(2, &["names a directory"]);
    case.run(&to("hf://datasets/me/mine\nexport_type: jsonl"))
        .failed(2, &["names all of a dataset", "leave out `export_type`"]);
    case.run(&to("hf://datasets/me/mine@other"))
        .failed(2, &["404", "check the name and the branch"]);
    case.run(&format!(
        "dataset_path: hf://datasets/me/mine\n{}",
        recipe("")
    ))
    .failed(2, &["hf://datasets/me/mine"]);
    case.env[1].1 = "hf_other".to_owned();
    run(&case).failed(2, &["the hub answers 401", "HF_TOKEN"]);
    case.env[1].1.clear();
    run(&case).failed(2, &["there is no token for the hub", "HF_TOKEN"]);
    assert_eq!(hub.commits(NAME).len(), 1);
}
