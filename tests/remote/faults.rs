use super::{at_first, expected, is_large, rows, run};
use crate::harness::Case;
use djhost::testing::web::{Fault, Web};
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_server_that_fails_now_and_then_changes_nothing() {
    let rows = rows();
    let expected = expected(&rows);
    for fault in [
        Fault::Status(429),
        Fault::Status(500),
        Fault::Status(503),
        Fault::Reset,
        Fault::Cut(1000),
        Fault::Slow,
    ] {
        let web = Web::new();
        web.put("/rows.jsonl", &*rows);
        web.put_plain("/whole.jsonl", &*rows);
        for path in ["/rows.jsonl", "/whole.jsonl"] {
            web.fail(at_first(4, fault, |asked| asked.number % 3 == 1));
            let case = Case::new();
            let ran = run(&case, &web.url(path)).ok();
            assert!(ran.output.unwrap() == expected, "{fault:?} {path}");
        }
    }
}

#[test]
fn a_server_that_fails_for_good_ends_the_job_which_can_be_continued() {
    let rows = rows();
    let web = Web::new();
    web.put("/rows.jsonl", &*rows);
    for (fault, says) in [
        (Fault::Status(503), "the server answers 503"),
        (Fault::Reset, "after 2 requests"),
        (Fault::Cut(500), "after 2 requests"),
        (Fault::Status(403), "the server answers 403"),
    ] {
        let mut case = Case::new();
        case.env
            .push(("DJHOST_TEST_RETRIES".to_owned(), "1".to_owned()));
        web.fail(move |asked| {
            (is_large(asked) && asked.range.as_ref().is_some_and(|r| r.start > 2_000_000))
                .then_some(fault)
        });
        let url = web.url("/rows.jsonl");
        run(&case, &url).failed(1, &[&url, "GET bytes ", says]);
        web.heal();
        let ran = run(&case, &url).ok();
        assert!(ran.output.unwrap() == expected(&rows), "{fault:?}");
        assert_eq!(ran.summary["attempts"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_file_that_changes_while_the_job_runs_is_not_mixed() {
    let rows = rows();
    let web = Web::new();
    web.put("/rows.jsonl", &*rows);
    let other = rows.replace("some words", "same words");
    // As large as before.
    assert_eq!(other.len(), rows.len());
    let (changing, is_changed) = (web.clone(), AtomicBool::new(false));
    let late = other.clone();
    web.fail(move |asked| {
        let is_late = asked.range.as_ref().is_some_and(|r| r.start > 2_000_000);
        if !is_large(asked) || !is_late || is_changed.swap(true, Ordering::Relaxed) {
            return None;
        }
        // The server is locked here, and the file changes before it answers again.
        let (web, late) = (changing.clone(), late.clone());
        std::thread::spawn(move || web.put("/rows.jsonl", late));
        Some(Fault::Reset)
    });
    let case = Case::new();
    let url = web.url("/rows.jsonl");
    run(&case, &url).failed(
        1,
        &[
            &url,
            "it has changed since the job looked at it",
            "run the job again",
        ],
    );
    web.heal();
    assert!(run(&case, &url).ok().output.unwrap() == expected(&other));
}
