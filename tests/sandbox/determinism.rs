//! The check for operators that do not repeat their answers, and what an operator may see of time
//! and randomness.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use crate::sandbox::world::stats;
use crate::sandbox::{ROWS, case, lines, recipe};

fn checked(ratio: &str, more: &str) -> String {
    format!(
        "batch_size_kb: 16\nkeep_stats_in_res_ds: true\ndeterminism: {{check_ratio: {ratio}{more}}}"
    )
}

#[test]
fn an_operator_that_remembers_is_found() {
    let lines = lines(2000, &[]);
    let here = case(&lines);
    let ran = here
        .run(&recipe("rogue_filter", "state", &checked("1", "")))
        .ok();
    assert!(
        ran.stderr.contains("operator `rogue_filter` is not deterministic: it answers otherwise when it has not seen"),
        "{}",
        ran.stderr
    );
    let found = &ran.summary["determinism"]["rogue_filter"];
    // The first batch of each instance is the same anywhere.
    let (batches, different) = (
        found["batches"].as_u64().unwrap(),
        found["different"].as_u64().unwrap(),
    );
    assert!(batches >= 4 && different == batches - 1, "{found}");
    let events = std::fs::read_to_string(ran.summary["event_log_file"].as_str().unwrap()).unwrap();
    assert!(events.contains("determinism_check"), "{events}");
    case(&lines)
        .run(&recipe(
            "rogue_filter",
            "state",
            &checked("1", ", on_difference: fail"),
        ))
        .failed(
            1,
            &[
                "operator `rogue_filter` is not deterministic",
                "on_difference is `fail`",
            ],
        );
    // Nobody asked for the check.
    let ran = case(&lines)
        .run(&recipe("rogue_filter", "state", "batch_size_kb: 16"))
        .ok();
    assert!(!ran.stderr.contains("deterministic") && ran.summary.get("determinism").is_none());
}

#[test]
fn an_operator_that_gives_the_same_again_passes() {
    let lines = lines(2000, &[]);
    for how in ["behave", "vars"] {
        let ran = case(&lines)
            .run(&recipe(
                "rogue_filter",
                how,
                &checked("1", ", on_difference: fail"),
            ))
            .ok();
        let found = &ran.summary["determinism"]["rogue_filter"];
        assert!(
            found["batches"].as_u64().unwrap() >= 4 && found["different"] == 0,
            "{how}: {found}"
        );
    }
    for op in ["rogue_mapper", "rogue_deduplicator", "rogue_selector"] {
        case(&lines)
            .run(&recipe(
                op,
                "behave",
                &checked("1", ", on_difference: fail"),
            ))
            .ok();
    }
}

#[test]
fn the_sample_is_a_share_of_the_batches_and_the_same_again() {
    let lines = lines(20_000, &[]);
    let batches = |ratio: &str| {
        let ran = case(&lines)
            .run(&recipe("rogue_filter", "behave", &checked(ratio, "")))
            .ok();
        ran.summary["determinism"]["rogue_filter"]["batches"]
            .as_u64()
            .unwrap()
    };
    let (all, half) = (batches("1"), batches("0.5"));
    assert!(half > all / 4 && half < all * 3 / 4, "{half} of {all}");
    assert_eq!(half, batches("0.5"));
}

#[test]
fn a_resumed_job_sees_the_same_random_numbers_and_clocks() {
    let lines = lines(ROWS * 4, &[]);
    for how in ["random", "peek"] {
        let settings = "partition: {mode: manual, num_of_partitions: 4}\nbatch_size_kb: 16\nkeep_stats_in_res_ds: true";
        let recipe = format!(
            "{settings}\nprocess:\n  - text_length_filter: {{min_len: 1}}\n  - rogue_filter: {{how: {how}}}\n"
        );
        let undisturbed = case(&lines).run(&recipe).ok();
        let seen: std::collections::BTreeSet<String> =
            stats(undisturbed.text()).into_iter().collect();
        assert!(seen.len() >= 2, "{seen:?}");
        let case = case(&lines);
        // Killed twice: with some partitions done, and with some half done.
        for fault in ["kill@event:partition_complete:2", "kill@event:op_start:2"] {
            case.write(
                "recipe.yaml",
                format!("{recipe}\ndataset_path: in.jsonl\nexport_path: out/result.jsonl\n"),
            );
            let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
            command.args([
                "run",
                "recipe.yaml",
                "--quiet",
                "--work_dir",
                "work",
                "--job_id",
                "job",
                "--np",
                "1",
                "--plugins",
                "plugins",
            ]);
            command
                .current_dir(case.path(""))
                .env("HOME", case.path(""))
                .env(djhost::testing::fault::VARIABLE, fault);
            command.env(
                "DJHOST_CACHE_DIR",
                concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
            );
            assert_eq!(
                command.output().unwrap().status.signal(),
                Some(9),
                "{how}: {fault}"
            );
        }
        let resumed = case.run(&recipe).ok();
        assert!(resumed.text() == undisturbed.text(), "{how}");
        // Another seed of the job, other numbers.
        let other = case.run(&format!("seed: 7\n{recipe}")).ok();
        assert!(other.text() != undisturbed.text(), "{how}");
    }
}

#[test]
fn where_operators_come_from_is_on_record() {
    let case = case(&lines(10, &[]));
    let ran = case
        .run("process:\n  - text_length_filter: {min_len: 1}\n  - rogue_filter:\n")
        .ok();
    let components = ran.summary["components"].as_array().unwrap();
    assert_eq!(components.len(), 2, "{components:?}");
    let of = |source: &str| {
        components
            .iter()
            .find(|c| c["source"].as_str().unwrap().starts_with(source))
            .unwrap()
    };
    let (own, rogue) = (of("built-in "), of("plugins/rogue.wasm"));
    assert_eq!(
        (&own["interruptible"], &rogue["interruptible"]),
        (&false.into(), &true.into())
    );
    assert_eq!(
        rogue["bytes"],
        std::fs::metadata(case.path("plugins/rogue.wasm"))
            .unwrap()
            .len()
    );
    for (component, version) in [(own, "0.2."), (rogue, "0.1.")] {
        assert_eq!(component["digest"].as_str().unwrap().len(), 64);
        assert_eq!(
            ran.summary["plugins"][component["source"].as_str().unwrap()],
            component["digest"]
        );
        assert!(
            component["wit_version"]
                .as_str()
                .unwrap()
                .starts_with(version)
        );
    }
    let mut plan = Command::new(env!("CARGO_BIN_EXE_djhost"));
    plan.args(["plan", "recipe.yaml", "--plugins", "plugins"])
        .current_dir(case.path(""))
        .env("HOME", case.path(""));
    plan.env(
        "DJHOST_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
    );
    let printed = String::from_utf8(plan.output().unwrap().stdout).unwrap();
    let digest = &rogue["digest"].as_str().unwrap()[..12];
    for part in [
        format!(
            "from plugins/rogue.wasm (sha256 {digest}…, {} bytes, contract 0.1.",
            rogue["bytes"]
        ),
        "interruptible)".into(),
        "may use 256 MiB, 1 min per batch, 10 s per row".into(),
    ] {
        assert!(printed.contains(&part), "`{part}` is not in {printed}");
    }
}

#[test]
fn a_plan_says_what_ops_read_and_write_and_names_each_component_once() {
    let case = case(&lines(10, &[]));
    let process = "process:\n  - text_length_filter: {min_len: 1}\n  - rogue_filter:\n  - words_num_filter:\n  - clean_links_mapper:\n";
    case.run(process).ok();
    let mut plan = Command::new(env!("CARGO_BIN_EXE_djhost"));
    plan.args(["plan", "recipe.yaml", "--plugins", "plugins"])
        .current_dir(case.path(""))
        .env("HOME", case.path(""));
    plan.env(
        "DJHOST_CACHE_DIR",
        concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache"),
    );
    let printed = String::from_utf8(plan.output().unwrap().stdout).unwrap();
    for part in [
        "  0 text_length_filter  filter, light\n       min_len=1 max_len=unlimited\n       reads `text` (a string); computes the stats `text_len` (a whole number of 64 bits)\n",
        "reads `text` (a string); writes `text` (a string)\n",
        "\ncomponents\n  ops 0, 2 from built-in text-filters (sha256 ",
        "\n  op 1 from plugins/rogue.wasm (sha256 ",
        "\n  op 3 from built-in text-mappers (sha256 ",
    ] {
        assert!(printed.contains(part), "`{part}` is not in {printed}");
    }
    assert_eq!(printed.matches("sha256").count(), 3);
    assert!(!printed.contains("9223372036854775807"), "{printed}");
}
