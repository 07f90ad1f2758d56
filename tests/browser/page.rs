//! Pages of real jobs, opened.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::chromium::drive;

const HOSTILE: &str = r#"</script><script>window.hostile = 1</script><img src=x onerror='window.hostile = 1'><!-- \u2028 & <b>"#;

const OPS: &str = "  - whitespace_normalization_mapper:\n  - words_num_filter: {min_num: 4}\n  \
    - special_characters_filter: {max_ratio: 0.3}\n";

struct Jobs(tempfile::TempDir);

impl Jobs {
    /// A directory with rows, many of them hostile.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut rows = String::new();
        for row in 0..300 {
            let words = vec!["word\u{3000}and"; 1 + row % 9].join(" ");
            let text = match row % 5 {
                0 => format!("{words} {HOSTILE}"),
                1 => HOSTILE.to_owned(),
                _ => format!("{words} {row}"),
            };
            rows += &format!("{}\n", json!({ "id": row, "text": text }));
            if row % 50 == 3 {
                rows += &format!("{{\"text\": \"{}\n", HOSTILE.replace('"', ""));
            }
        }
        fs::write(dir.path().join("in.jsonl"), rows.repeat(2)).unwrap();
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn djhost(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_djhost"));
        let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/djhost-cache");
        command
            .args(args)
            .current_dir(self.path())
            .env("DJHOST_CACHE_DIR", cache);
        command
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.djhost(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a job with all of its trace; returns its summary.
    fn run(&self, name: &str, ops: &str, more: &[&str]) -> Value {
        let text = format!(
            "dataset_path: in.jsonl\nexport_path: {name}.jsonl\nwork_dir: work\njob_id: {name}\ntrace: stats\nreorder: false\nprocess:\n{ops}"
        );
        fs::write(self.path().join("recipe.yaml"), text).unwrap();
        self.ok(&[&["run", "recipe.yaml", "--quiet"], more].concat());
        let summary = self.path().join(format!("work/{name}/job_summary.json"));
        serde_json::from_slice(&fs::read(summary).unwrap()).unwrap()
    }

    fn report(&self, args: &[&str]) -> String {
        self.ok(&[&["report"], args, &["-o", "page.html"]].concat());
        format!("file://{}", self.path().join("page.html").display())
    }
}

/// Where pictures of pages go, to be looked at.
fn shot(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&dir).unwrap();
    dir.join(name)
}

/// What must hold of every page.
fn assert_sound(seen: &Value, url: &str) {
    assert_eq!(seen["errors"], json!([]));
    assert_eq!(seen["faults"], json!([]));
    assert_eq!(seen["too_wide"], 0, "the page scrolls sideways");
    assert_eq!(seen["hostile"], "undefined", "a row has run a script");
    assert_eq!(seen["scripts"], 2);
    let asked = seen["requests"].as_array().unwrap();
    let base = url.split('?').next().unwrap();
    assert!(
        asked
            .iter()
            .all(|one| one.as_str().unwrap().starts_with(base)),
        "{asked:?}"
    );
}

#[test]
fn a_page_opens_in_both_themes_and_on_a_phone() {
    let jobs = Jobs::new();
    jobs.run("first", &format!("{OPS}  - document_deduplicator:\n"), &[]);
    jobs.run("second", OPS, &["--words_num_filter.min_num=2"]);
    let mut grounds = Vec::new();
    for (name, args) in [
        ("one", &["work/first"][..]),
        ("two", &["work/first", "--compare", "work/second"]),
    ] {
        for (theme, width) in [
            ("light", 1200),
            ("dark", 1200),
            ("light", 390),
            ("dark", 320),
        ] {
            let url = jobs.report(args);
            let picture = shot(&format!("{name}_{theme}_{width}.png"));
            let seen =
                drive(&json!({ "url": url, "theme": theme, "width": width, "shot": picture }));
            assert_sound(&seen, &url);
            let text = seen["text"].as_str().unwrap();
            assert!(
                text.contains("<img src=x onerror="),
                "the row's text is shown as text"
            );
            for title in [
                "Rows through the recipe",
                "Quarantine",
                "Duplicates",
                "Timeline",
            ] {
                assert!(
                    seen["titles"].to_string().contains(title),
                    "{title}: {}",
                    seen["titles"]
                );
            }
            grounds.push((theme, seen["ground"].to_string()));
        }
    }
    let light = &grounds[0].1;
    assert!(
        grounds
            .iter()
            .all(|(theme, ground)| (*theme == "light") == (ground == light)),
        "{grounds:?}"
    );
}

#[test]
fn a_moved_threshold_tells_what_a_rerun_keeps() {
    let jobs = Jobs::new();
    jobs.run("job", OPS, &[]);
    let url = jobs.report(&["work/job"]);
    let moves = [
        (1, "min", 0.8),
        (1, "min", 0.3),
        (1, "max", 0.5),
        (2, "max", 0.7),
        (2, "max", 0.2),
    ];
    for (op, side, to) in moves {
        // Each alone: the page is opened anew.
        let seen = drive(&json!({ "url": url, "move": [{ "op": op, "side": side, "to": to }] }));
        assert_sound(&seen, &url);
        let moved = &seen["moved"][0];
        let recipe = moved["recipe"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{moved}"));
        // `words_num_filter: {min_num: 7}`
        let (name, rest) = recipe.split_once(": {").unwrap();
        let (param, value) = rest.trim_end_matches('}').split_once(": ").unwrap();
        let again = jobs.run(
            "again",
            OPS,
            &["--fresh", &format!("--{name}.{param}={value}")],
        );
        let stays = again["ops"][op]["rows_out"].as_u64().unwrap();
        assert_eq!(moved["stays"], stays.to_string(), "{moved}");
    }
}

#[test]
fn a_live_page_needs_its_token_and_becomes_that_of_the_finished_job() {
    let jobs = Jobs::new();
    jobs.run("job", OPS, &[]);
    let mut monitor = jobs
        .djhost(&["monitor", "work/job", "--web"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(monitor.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let url = url.trim();
    let seen = std::panic::catch_unwind(|| {
        drive(&json!({ "url": url, "until": "completed", "shot": shot("live.png") }))
    });
    monitor.kill().unwrap();
    monitor.wait().unwrap();
    let seen = seen.unwrap();
    assert_sound(&seen, url);
    assert!(seen["text"].as_str().unwrap().contains("num_words"));
}

/// On paper the page is white in both themes, without controls, and nothing is cut off.
#[test]
fn a_page_prints() {
    let jobs = Jobs::new();
    let many: String = (0..40)
        .map(|at| format!("  - words_num_filter: {{min_num: {}}}\n", at / 10))
        .collect();
    jobs.run("many", &format!("{OPS}{many}"), &[]);
    jobs.run("few", OPS, &[]);
    for (name, args) in [
        ("many", &["work/many"][..]),
        ("few", &["work/few"]),
        ("two", &["work/few", "--compare", "work/many"]),
    ] {
        for theme in ["light", "dark"] {
            let url = jobs.report(args);
            let pdf = shot(&format!("{name}_{theme}.pdf"));
            let seen = drive(&json!({ "url": url, "theme": theme, "pdf": pdf }));
            assert_sound(&seen, &url);
            let printed = &seen["printed"];
            assert_eq!(printed["controls"], 0, "{name} {theme}: {printed}");
            assert_eq!(
                (&printed["tall"], &printed["wide"]),
                (&json!(0), &json!([])),
                "{name} {theme}: {printed}"
            );
            assert_eq!(
                (&printed["ground"], &printed["ink"]),
                (&json!("rgb(255, 255, 255)"), &json!("rgb(0, 0, 0)"))
            );
            assert!(
                printed["charts"].as_u64() > Some(5) && printed["tables"].as_u64() > Some(3),
                "{printed}"
            );
            assert_eq!(seen["unfolded"], 0, "what was folded is folded again");
            assert!(fs::metadata(&pdf).unwrap().len() > 10_000);
        }
    }
}
