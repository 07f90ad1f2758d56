//! The check for operators that do not give the same answer again, and what an operator may see of time and chance.

use crate::{case, lines, recipe};

fn checked(ratio: &str, more: &str) -> String {
    format!("batch_size_kb: 16\nkeep_stats_in_res_ds: true\ndeterminism: {{check_ratio: {ratio}{more}}}")
}

#[test]
fn an_operator_that_remembers_is_found() {
    let lines = lines(2000, &[]);
    let here = case(&lines);
    let ran = here.run(&recipe("rogue_filter", "state", &checked("1", ""))).ok();
    assert!(
        ran.stderr.contains("operator `rogue_filter` is not deterministic: it answers otherwise when it has not seen"),
        "{}",
        ran.stderr
    );
    let found = &ran.summary["determinism"]["rogue_filter"];
    // The first batch of each instance is the same anywhere.
    let (batches, different) = (found["batches"].as_u64().unwrap(), found["different"].as_u64().unwrap());
    assert!(batches >= 4 && different == batches - 1, "{found}");
    let events = std::fs::read_to_string(ran.summary["event_log_file"].as_str().unwrap()).unwrap();
    assert!(events.contains("determinism_check"), "{events}");
    case(&lines)
        .run(&recipe("rogue_filter", "state", &checked("1", ", on_difference: fail")))
        .failed(1, &["operator `rogue_filter` is not deterministic", "on_difference is `fail`"]);
    // Nobody asked.
    let ran = case(&lines).run(&recipe("rogue_filter", "state", "batch_size_kb: 16")).ok();
    assert!(!ran.stderr.contains("deterministic") && ran.summary.get("determinism").is_none());
}

#[test]
fn an_operator_that_gives_the_same_again_passes() {
    let lines = lines(2000, &[]);
    for how in ["behave", "vars"] {
        let ran = case(&lines).run(&recipe("rogue_filter", how, &checked("1", ", on_difference: fail"))).ok();
        let found = &ran.summary["determinism"]["rogue_filter"];
        assert!(found["batches"].as_u64().unwrap() >= 4 && found["different"] == 0, "{how}: {found}");
    }
    for op in ["rogue_mapper", "rogue_deduplicator", "rogue_selector"] {
        case(&lines).run(&recipe(op, "behave", &checked("1", ", on_difference: fail"))).ok();
    }
}

#[test]
fn the_sample_is_a_share_of_the_batches_and_the_same_again() {
    let lines = lines(20_000, &[]);
    let batches = |ratio: &str| {
        let ran = case(&lines).run(&recipe("rogue_filter", "behave", &checked(ratio, ""))).ok();
        ran.summary["determinism"]["rogue_filter"]["batches"].as_u64().unwrap()
    };
    let (all, half) = (batches("1"), batches("0.5"));
    assert!(half > all / 4 && half < all * 3 / 4, "{half} of {all}");
    assert_eq!(half, batches("0.5"));
}
