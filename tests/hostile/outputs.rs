//! Where the result and the job's own files go: nothing of the user's is overwritten, removed, or
//! taken for input.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::harness::Case;
use crate::hostile::{KEEP, good};

/// A case that writes to `path`.
fn to(case: &Case, path: &str, more: &str) -> crate::harness::Ran {
    case.run(&format!("{KEEP}export_path: {path}\n{more}"))
}

#[test]
fn a_pipe_or_a_device_is_not_replaced() {
    let case = Case::with_input(good(3));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        case.path("pipe.jsonl"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .unwrap();
    to(&case, "pipe.jsonl", "").failed(
        2,
        &[
            "export_path `pipe.jsonl`",
            "this is a device, a pipe or a socket",
        ],
    );
    symlink("pipe.jsonl", case.path("link.jsonl")).unwrap();
    to(&case, "link.jsonl", "").failed(2, &["this is a device, a pipe or a socket"]);
}

#[test]
fn a_link_to_a_file_stays_a_link() {
    let case = Case::with_input(good(3));
    case.write("real/there.jsonl", "old\n");
    symlink("real/there.jsonl", case.path("link.jsonl")).unwrap();
    to(&case, "link.jsonl", "").ok();
    assert!(case.path("link.jsonl").is_symlink());
    assert_eq!(
        fs::read_to_string(case.path("real/there.jsonl")).unwrap(),
        good(3)
    );
}

#[test]
fn shards_go_neither_onto_the_input_nor_beside_older_ones() {
    let case = Case::new();
    case.write("data/c-00-of-01.jsonl", good(3));
    let recipe = "dataset_path: data/c-00-of-01.jsonl\nexport_shard_size: 1GiB\n";
    to(&case, "data/c.jsonl", recipe).failed(
        2,
        &[
            "export_path `data/c.jsonl`",
            "this is a file of the dataset",
        ],
    );
    assert_eq!(
        fs::read_to_string(case.path("data/c-00-of-01.jsonl")).unwrap(),
        good(3)
    );

    let case = Case::with_input(good(300));
    case.write("shards/c-mine.jsonl", "mine");
    let shards = |size: &str| {
        let _ = fs::remove_dir_all(case.path("work"));
        to(
            &case,
            "shards/c.jsonl",
            &format!("export_shard_size: {size}\n"),
        )
        .ok();
        let mut names: Vec<String> = fs::read_dir(case.path("shards"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n != "c-mine.jsonl")
            .collect();
        names.sort_unstable();
        let rows: String = names
            .iter()
            .map(|name| fs::read_to_string(case.path("shards").join(name)).unwrap())
            .collect();
        assert_eq!(rows, good(300), "{names:?}");
        names.len()
    };
    assert!(shards("1KiB") > 3);
    assert_eq!(shards("3KiB"), 2);
    assert_eq!(
        fs::read_to_string(case.path("shards/c-mine.jsonl")).unwrap(),
        "mine"
    );
}

#[test]
fn a_directory_of_the_user_is_no_run_directory() {
    let case = Case::with_input(good(3));
    case.write("work/job/checkpoints/model.bin", "mine");
    to(&case, "r.jsonl", "").failed(
        2,
        &[
            "the run directory would be `work/job`, but `work/job/checkpoints` in it does not belong to a job",
            "`job_id`",
        ],
    );
    assert_eq!(
        fs::read_to_string(case.path("work/job/checkpoints/model.bin")).unwrap(),
        "mine"
    );
    // Other names are in nobody's way.
    fs::remove_dir_all(case.path("work/job/checkpoints")).unwrap();
    case.write("work/job/notes.txt", "mine");
    to(&case, "r.jsonl", "").ok();
    assert_eq!(
        fs::read_to_string(case.path("work/job/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn a_dataset_directory_takes_in_nothing_of_a_job() {
    let case = Case::new();
    case.write("work/in.jsonl", good(3));
    to(&case, "work/sub/r.jsonl", "dataset_path: work\n").failed(
        2,
        &[
            "export_path `work/sub/r.jsonl`",
            "this is in the dataset's directory",
        ],
    );
    // The run directory is `work/job`.
    for _ in 0..2 {
        let ran =
            to(&case, "r.jsonl", "dataset_path: work\ncheckpoint: {strategy: every_op}\nintermediate_storage: {format: jsonl}\n").ok();
        assert_eq!(ran.summary["ledger"]["read"], 3);
    }
    assert_eq!(fs::read_to_string(case.path("r.jsonl")).unwrap(), good(3));
}

#[test]
fn logs_checkpoints_and_partitions_go_where_the_recipe_wants_them() {
    let case = Case::with_input(good(3));
    let places = "checkpoint_dir: big/ck\nevent_log_dir: fast/{job_id}/logs\npartition_dir: big/parts\nproject_name: mine\n";
    let ran = to(
        &case,
        "r.jsonl",
        &format!("{places}checkpoint: {{strategy: every_op}}\n"),
    )
    .ok();
    assert_eq!(ran.summary["project_name"], "mine");
    let files = |dir: &str| fs::read_dir(case.path(dir)).unwrap().count();
    assert!(files("big/ck/job") >= 2 && files("fast/job/logs") == 1 && files("big/parts/job") >= 1);
    assert!(case.path("work/job/checkpoints").is_symlink());
    // The checkpoints are reused: none is written again.
    let written = || -> Vec<_> {
        let entries = fs::read_dir(case.path("big/ck/job"))
            .unwrap()
            .map(|e| e.unwrap());
        let mut files: Vec<_> = entries
            .map(|e| (e.file_name(), e.metadata().unwrap().modified().unwrap()))
            .collect();
        files.sort_unstable();
        files
    };
    let before = written();
    fs::remove_file(case.path("r.jsonl")).unwrap();
    to(
        &case,
        "r.jsonl",
        &format!("{places}checkpoint: {{strategy: every_op}}\n"),
    )
    .ok();
    assert_eq!(written(), before);
}

/// Runs that must be refused before anything is written, and plans with the same words.
#[track_caller]
fn refused(case: &Case, path: &str, more: &str, parts: &[&str]) {
    to(case, path, more).failed(2, parts);
    let planned = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args([
            "plan",
            "recipe.yaml",
            "--work_dir",
            "work",
            "--job_id",
            "job",
        ])
        .current_dir(case.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&planned.stderr);
    assert_eq!(planned.status.code(), Some(2), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    assert!(
        !case.path("work").exists() && !case.path("new").exists(),
        "something was written"
    );
}

#[test]
fn places_that_cannot_be_are_found_before_the_work() {
    let case = Case::with_input(good(3));
    for path in ["new/", "new/.", "new/er//"] {
        refused(
            &case,
            path,
            "",
            &[
                "names a directory, and the result is a file",
                "result.jsonl",
            ],
        );
    }
    for (path, instead) in [("./", "`./result.jsonl`"), ("/", "`/result.jsonl`")] {
        refused(&case, path, "", &["names a directory", instead]);
    }
    // The homes of others are not known.
    for recipe in ["dataset_path: ~root/in.jsonl", "checkpoint_dir: ~root/ck"] {
        refused(
            &case,
            "new/r.jsonl",
            recipe,
            &["~root/", "of others", "`./~root/"],
        );
    }
    refused(
        &case,
        "~root/r.jsonl",
        "",
        &["export_path", "`./~root/r.jsonl`"],
    );
    assert!(!case.path("~root").exists());
    let long = "x".repeat(300);
    refused(
        &case,
        &format!("new/{long}.jsonl"),
        "",
        &[
            "export_path",
            "has 306 bytes, and at most 255 are possible there",
        ],
    );
    refused(
        &case,
        &format!("new/{long}/r.jsonl"),
        "",
        &["export_path", "300 bytes"],
    );
    refused(
        &case,
        &format!("new/{}r.jsonl", "deep/".repeat(1000)),
        "",
        &["export_path", "too long"],
    );
    // Names of shards are longer than that of the file.
    let name = format!("new/{}.jsonl", "x".repeat(245));
    refused(
        &case,
        &name,
        "export_shard_size: 1KiB\n",
        &["export_path", "bytes, and at most 255 are possible there"],
    );
    for key in ["event_log_dir", "checkpoint_dir", "partition_dir"] {
        refused(
            &case,
            "new/r.jsonl",
            &format!("{key}: new/{long}\n"),
            &[key, "300 bytes"],
        );
        refused(
            &case,
            "new/r.jsonl",
            &format!("{key}: in.jsonl/x\n"),
            &[key, "in.jsonl` is not a directory"],
        );
    }
    for path in [
        "{work_dir}/parts/r.jsonl",
        "{work_dir}/checkpoints/sub/r.jsonl",
        "{work_dir}/job_summary.json",
        "{work_dir}/events_1.jsonl",
    ] {
        refused(
            &case,
            &format!("'{path}'"),
            "",
            &["export_path", "is the job's own"],
        );
    }
    refused(
        &case,
        "new/ck/job/r.jsonl",
        "checkpoint_dir: new/ck\n",
        &["is the job's own"],
    );
}

#[test]
fn the_longest_name_is_written() {
    let case = Case::with_input(good(3));
    let name = format!("{}.jsonl", "n".repeat(249));
    to(&case, &format!("new/{name}"), "").ok();
    assert_eq!(
        fs::read_to_string(case.path("new").join(&name)).unwrap(),
        good(3)
    );
    assert_eq!(fs::read_dir(case.path("new")).unwrap().count(), 1);
}

#[test]
fn a_job_that_would_fill_the_disk_is_not_begun() {
    let case = Case::with_input(good(2000));
    // A sparse file, far larger than today's disks.
    let file = fs::OpenOptions::new()
        .write(true)
        .open(case.path("in.jsonl"))
        .unwrap();
    if file.set_len(15 << 40).is_err() {
        // Some file systems have no such files.
        return;
    }
    refused(
        &case,
        "new/r.jsonl",
        "",
        &[
            "free, and the job would need about",
            "TB for the result",
            "`check_free_space: false`",
        ],
    );
    // Checkpoints of whole rows are as large as the input, each of them.
    refused(
        &case,
        "new/r.jsonl",
        "intermediate_storage: {format: jsonl}\ncheckpoint: {strategy: every_op}\n",
        &["need about 49.5 TB", "16.5 TB for the checkpoints"],
    );
}

#[test]
fn a_tilde_is_the_home_directory() {
    let case = Case::new();
    // The harness makes the directory of the case the home directory.
    case.write("data/in.jsonl", good(3));
    case.write("words/stopwords.json", "{\"en\": [\"row\"]}");
    let recipe = "dataset_path: ~/data/in.jsonl\nexport_path: ~/new/r.jsonl\ncheckpoint_dir: ~/ck\nmax_quarantine_ratio: 1\n\
                  process:\n  - stopwords_filter: {stopwords_dir: ~/words, min_ratio: 0.4}\n";
    case.run(recipe).ok();
    assert_eq!(
        fs::read_to_string(case.path("new/r.jsonl")).unwrap(),
        good(3)
    );
    assert!(case.path("ck/job").is_dir() && !case.path("~").exists());
    // A file of this name is there under `./~`.
    case.write("~/in.jsonl", good(2));
    let _ = fs::remove_dir_all(case.path("work"));
    assert_eq!(
        to(&case, "r.jsonl", "dataset_path: [./~/in.jsonl]\n")
            .ok()
            .summary["ledger"]["read"],
        2
    );
}

/// Somebody who can put links into a run directory cannot make djhost write through them.
#[test]
fn links_in_the_run_directory_are_not_followed() {
    for name in ["lock", "logs/attempt_0001.txt"] {
        for is_hard in [false, true] {
            let case = Case::with_input("{\"text\": \"a\"}\n");
            case.write("precious", "precious");
            std::fs::create_dir_all(case.path("work/job").join(name).parent().unwrap()).unwrap();
            // Its own files make it a run directory.
            case.write("work/job/lock", "");
            let link = case.path("work/job").join(name);
            let _ = std::fs::remove_file(&link);
            match is_hard {
                true => std::fs::hard_link(case.path("precious"), &link).unwrap(),
                false => symlink(case.path("precious"), &link).unwrap(),
            }
            let what = if is_hard {
                "this is a file with more than one name"
            } else {
                "this is a symbolic link"
            };
            case.run("process:\n  - text_length_filter:\n")
                .failed(2, &[name, what, "remove it"]);
            assert_eq!(
                std::fs::read_to_string(case.path("precious")).unwrap(),
                "precious",
                "{name}"
            );
            std::fs::remove_file(&link).unwrap();
            case.run("process:\n  - text_length_filter:\n").ok();
        }
    }
}

/// Whoever can write to a run directory, or plant one, must not make others wait.
#[test]
fn pipes_in_place_of_documents_make_nobody_wait() {
    let case = Case::with_input(good(3));
    to(&case, "out.jsonl", "").ok();
    for name in [
        "job_summary.json",
        "metadata/dataset_mapping.json",
        "metadata/result.json",
    ] {
        let path = case.path("work/job").join(name);
        let text = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &path, fifo, 0o600.into(), 0).unwrap();
        let at_work = ["--base-dir", "work"];
        let same_job = ["--work_dir", "work", "--job_id", "job"];
        for (command, at) in [
            (&["jobs", "--all"][..], &at_work[..]),
            (&["monitor", "job"], &at_work),
            (&["plan", "recipe.yaml"], &same_job),
            (&["run", "recipe.yaml"], &same_job),
        ] {
            let said = std::process::Command::new("timeout")
                .args(["60", env!("CARGO_BIN_EXE_djhost")])
                .args(command)
                .args(at)
                .current_dir(case.path(""))
                .output()
                .unwrap();
            let code = said.status.code();
            assert!(
                code.is_some_and(|code| code < 3),
                "{command:?} at `{name}`: {code:?}"
            );
        }
        fs::remove_file(&path).unwrap();
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn file_systems_without_room_for_files_are_found_before_the_work() {
    let case = Case::with_input(good(3));
    for path in ["/proc/x/r.jsonl", "/proc/r.jsonl", "/sys/x/r.jsonl"] {
        refused(&case, path, "", &["export_path", &path[..4]]);
    }
    for key in ["event_log_dir", "checkpoint_dir", "partition_dir"] {
        refused(
            &case,
            "new/r.jsonl",
            &format!("{key}: /proc/x\n"),
            &[key, "/proc"],
        );
    }
    // One without inodes takes a mount, which not every system lets a test make.
    fs::create_dir(case.path("full")).unwrap();
    let plan = "mount -t tmpfs -o nr_inodes=1 tmpfs full && exec \"$0\" plan recipe.yaml --export_path full/r.jsonl";
    let planned = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", plan])
        .arg(env!("CARGO_BIN_EXE_djhost"))
        .current_dir(case.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&planned.stderr);
    if said.starts_with("error: ") || planned.status.success() {
        assert_eq!(planned.status.code(), Some(2), "{said}");
        assert!(
            said.contains("export_path") && said.contains("no inodes left"),
            "{said}"
        );
    }
}
