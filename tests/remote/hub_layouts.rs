//! Datasets on the hub by their cards, splits and configurations.

use super::hub_server::{Hub, TOKEN};
use crate::harness::{Case, Ran};

const NAME: &str = "me/mine@main";

fn at(hub: &Hub) -> Case {
    let mut case = Case::new();
    case.env = vec![
        ("HF_ENDPOINT".to_owned(), hub.web.url("")),
        ("HF_TOKEN".to_owned(), TOKEN.to_owned()),
    ];
    case
}

fn run(hub: &Hub, more: &str) -> Ran {
    at(hub).run(&format!("{more}\nprocess: []\n"))
}

fn row(text: &str) -> String {
    format!("{{\"text\": \"{text}\"}}\n")
}

fn hub(card: &str) -> Hub {
    let files = [
        ("README.md", card.to_owned()),
        ("en/train-0.jsonl", row("english")),
        ("en/test-0.jsonl", row("english test")),
        ("de/train-0.jsonl", row("german")),
        ("notes.jsonl", row("a note")),
    ];
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(p, text)| (*p, text.as_bytes()))
        .collect();
    Hub::new().with(NAME, &files)
}

const CARD: &str = "---\nconfigs:\n- config_name: en\n  data_files:\n  - split: train\n    path: en/train-*\n  - split: test\n    path: en/test-*\n\
                    - config_name: de\n  data_files: de/*.jsonl\n---\n# Mine\n";

#[test]
fn the_card_says_what_is_read() {
    let hub = hub(CARD);
    let of = "dataset_path: hf://datasets/me/mine";
    let ran = run(&hub, of).failed(
        2,
        &[
            "2 configurations",
            "`en` (`train`, `test`), `de` (`train`)",
            "config_name: en",
        ],
    );
    assert!(ran.output.is_none());
    run(&hub, &format!("{of}\nconfig_name: en"))
        .failed(2, &["the splits `train`, `test`", "`split: all`"]);
    run(&hub, &format!("{of}\nconfig_name: fr"))
        .failed(2, &["no configuration `fr`", "valid are `en`, `de`"]);
    run(&hub, &format!("{of}\nconfig_name: en\nsplit: trian"))
        .failed(2, &["no split `trian`", "did you mean `train`?"]);
    for (more, texts) in [
        ("config_name: en\nsplit: train", vec!["english"]),
        (
            "config_name: en\nsplit: test+train",
            vec!["english test", "english"],
        ),
        (
            "config_name: en\nsplit: all",
            vec!["english", "english test"],
        ),
        ("config_name: de", vec!["german"]),
    ] {
        let ran = run(&hub, &format!("{of}\n{more}")).ok();
        let expected: String = texts.into_iter().map(row).collect();
        assert_eq!(ran.text(), expected, "{more}");
    }
    // As Data-Juicer names it.
    let source = "dataset: {configs: [{type: remote, source: huggingface, path: me/mine, name: en, split: test}]}\ndataset_path: []";
    assert_eq!(run(&hub, source).ok().text(), row("english test"));
}

#[test]
fn names_tell_splits_where_no_card_does() {
    let hub = hub("# Mine\n");
    let of = "dataset_path: hf://datasets/me/mine";
    run(&hub, of).failed(2, &["the splits `train`, `test`", "none is chosen"]);
    let ran = run(&hub, &format!("{of}\nsplit: train")).ok();
    assert_eq!(ran.text(), row("german") + &row("english"));
    // A directory of it is read as any directory is.
    let ran = run(&hub, "dataset_path: hf://datasets/me/mine/en").ok();
    assert_eq!(ran.text(), row("english test") + &row("english"));
    run(
        &hub,
        "dataset_path: hf://datasets/me/mine/notes.jsonl\nsplit: test",
    )
    .failed(2, &["no dataset with splits", "leave out `split`"]);
}
