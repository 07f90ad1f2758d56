//! What operators use, from buckets: models, word lists, directories.

use crate::proxy::{Way, proxy};
use crate::store::{Bucket, text};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

fn example(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/examples/files");
    fs::read(dir.join(name)).unwrap()
}

/// What is printed, without regard to where lines end.
fn said(output: &Output) -> String {
    let text = text(&[&*output.stdout, &*output.stderr].concat());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A store that notes what it is asked for.
fn noting() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    let port = proxy(move |request| {
        noted.lock().unwrap().push(request.to_owned());
        Way::Through
    });
    (format!("http://127.0.0.1:{port}"), asked)
}

const HEAD: &str = "dataset_path: in.jsonl\nexport_path: out/result.jsonl\n";

#[test]
fn models_are_fetched_once_and_used_as_those_on_a_disk() {
    let bucket = Bucket::new("models");
    bucket.put("models/script.ftz", example("script.ftz"));
    bucket.put("models/org/words/tokenizer.json", example("tokenizer.json"));
    fs::write(bucket.path("local.ftz"), example("script.ftz")).unwrap();
    fs::write(bucket.path("local.json"), example("tokenizer.json")).unwrap();
    let rows = "{\"text\": \"The weather is nice today, and we are going for a walk.\"}\n\
                {\"text\": \"Walking is nice.\"}\n{\"text\": \"We go!\"}\n\
                {\"text\": \"今天天气很好,我们去公园散步。\"}\n";
    fs::write(bucket.path("in.jsonl"), rows).unwrap();
    let recipe = |settings: &str, model: &str, words: &str| {
        format!(
            "{HEAD}{settings}process:\n- fasttext_classifier_filter: {{model: '{model}', label: LATIN, min_score: 0.9}}\n\
             - token_num_filter: {{hf_tokenizer: '{words}', min_num: 4}}\n"
        )
    };
    let expected = bucket.result(&recipe("", "local.ftz", "local.json"));
    assert!(expected.len() > 20 && expected.len() < rows.len());
    let (url, asked) = noting();
    let env = [("AWS_ENDPOINT_URL", url.as_str())];
    let run = |recipe: &str| {
        let output = bucket.run_with(recipe, &env);
        assert!(output.status.success(), "{}", said(&output));
        fs::read(bucket.path("out/result.jsonl")).unwrap()
    };
    let bodies = |name: &str| {
        let asked = asked.lock().unwrap();
        let is_get = |line: &&String| line.starts_with("GET") && line.ends_with(name);
        asked.iter().filter(is_get).count()
    };
    for (settings, model, words) in [
        ("", "BUCKET/models/script.ftz", "BUCKET/models/org/words"),
        (
            "",
            "BUCKET/models/script.ftz",
            "BUCKET/models/org/words/tokenizer.json",
        ),
        ("model_dir: BUCKET/models\n", "script.ftz", "org/words"),
        (
            "model_dir: [missing, BUCKET/models/]\n",
            "script.ftz",
            "org/words",
        ),
        (
            "models: {it: BUCKET/models/script.ftz, words: BUCKET/models/org/words}\n",
            "it",
            "words",
        ),
    ] {
        assert!(
            run(&recipe(settings, model, words)) == expected,
            "{settings}"
        );
    }
    assert_eq!((bodies("/script.ftz"), bodies("/tokenizer.json")), (1, 1));
    let args = ["plan", "recipe.yaml", "--work_dir", "other"];
    let planned = said(&bucket.djhost(&args, &env).output().unwrap());
    for part in [
        "is lent the fasttext model `s3://models/models/script.ftz` (`model`)",
        "is lent the tokenizer model `s3://models/models/org/words/tokenizer.json` (`hf_tokenizer`)",
        "sha256 ",
    ] {
        assert!(planned.contains(part), "`{part}` is not in {planned}");
    }
    assert!(!planned.contains("hunter2"));
    // Another object at this address is another model.
    bucket.put("models/script.ftz", "no model");
    let output = bucket.run(&recipe("", "BUCKET/models/script.ftz", "local.json"));
    assert_eq!(output.status.code(), Some(2));
    let wrong = said(&output);
    assert!(
        wrong.contains("fasttext_classifier_filter.model: `s3://models/models/script.ftz`")
            && !wrong.contains("fetched"),
        "{wrong}"
    );
    for (model, says) in [
        (
            "BUCKET/none.ftz",
            "there is no fasttext model `s3://models/none.ftz`: there is no such file",
        ),
        (
            "s3://no-such-bucket-here/x.ftz",
            "there is no fasttext model `s3://no-such-bucket-here/x.ftz`",
        ),
        ("ftp://host/x.ftz", "`ftp://` is not supported"),
    ] {
        let output = bucket.run(&recipe("", model, "local.json"));
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(says), "{}", said(&output));
        assert!(said(&output).contains("recipe.yaml:"), "{}", said(&output));
    }
}

#[test]
fn word_lists_are_fetched_and_a_changed_one_changes_the_result() {
    let bucket = Bucket::new("lists");
    bucket.put("lists/domains.txt", example("domains.txt"));
    bucket.put("lists/soft_words.txt", example("soft_words.txt"));
    bucket.put("lists/other.txt", "of no concern");
    bucket.put("lists/badwords/en", example("badwords/en"));
    let rows = "{\"url\": \"https://www.example.com/a-walk\", \"text\": \"A walk in the park.\"}\n\
                {\"url\": \"https://shop.example.co.uk/\", \"text\": \"A shop.\"}\n\
                {\"url\": \"https://example.org/free-cheap-shoes\", \"text\": \"Shoes.\"}\n\
                {\"url\": \"https://example.net/free\", \"text\": \"What a darned mess!\"}\n";
    fs::write(bucket.path("in.jsonl"), rows).unwrap();
    let recipe = format!(
        "{HEAD}process:\n- url_filter: {{extra_domains: BUCKET/lists/domains.txt, soft_banned_words: BUCKET/lists/soft_words.txt}}\n\
         - c4_badwords_filter: {{badwords_dir: BUCKET/lists/badwords}}\n"
    );
    let (url, asked) = noting();
    let env = [("AWS_ENDPOINT_URL", url.as_str())];
    let result = || {
        let output = bucket.run_with(&recipe, &env);
        assert!(output.status.success(), "{}", said(&output));
        fs::read_to_string(bucket.path("out/result.jsonl")).unwrap()
    };
    let lines: Vec<&str> = rows.split_inclusive('\n').collect();
    assert_eq!(result(), lines[0]);
    let args = ["plan", "recipe.yaml", "--work_dir", "other"];
    let planned = said(&bucket.djhost(&args, &env).output().unwrap());
    for part in [
        "is lent the list of lines `s3://lists/lists/domains.txt` (`extra_domains`)",
        "is lent the list of words `s3://lists/lists/soft_words.txt` (`soft_banned_words`)",
        "may read `s3://lists/lists/badwords` (parameter `badwords_dir`);",
    ] {
        assert!(planned.contains(part), "`{part}` is not in {planned}");
    }
    bucket.put("lists/domains.txt", "example.com\n");
    assert_eq!(result(), lines[1]);
    let asked = asked.lock().unwrap();
    let bodies = |name: &str| {
        let is_get = |line: &&String| line.starts_with("GET") && line.ends_with(name);
        asked.iter().filter(is_get).count()
    };
    assert_eq!((bodies("/domains.txt"), bodies("/badwords/en")), (2, 1));
    assert_eq!(bodies("/other.txt"), 0);
    drop(asked);
    for (from, to, says) in [
        (
            "lists/domains.txt",
            "lists/none.txt",
            "`s3://lists/lists/none.txt`: there is no such file",
        ),
        (
            "lists/badwords",
            "lists/none",
            "name a directory with word lists",
        ),
        (
            "lists/badwords",
            "lists/other.txt",
            "is a file, not a directory",
        ),
    ] {
        let output = bucket.run(&recipe.replace(from, to));
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(says), "{}", said(&output));
    }
}

#[test]
fn operators_alone_have_them_too() {
    let bucket = Bucket::new("alone");
    bucket.put("models/script.ftz", example("script.ftz"));
    bucket.put("lists/en", example("badwords/en"));
    for (op, args, rows, left) in [
        (
            "fasttext_classifier_filter",
            &[
                "--params",
                "{\"model\": \"script.ftz\", \"label\": \"LATIN\", \"min_score\": 0.9}",
                "--model-dir",
                "BUCKET/models",
            ][..],
            "{\"text\":\"The weather is nice today, and we are going.\"}\n{\"text\":\"今天天气很好,我们去公园散步。\"}\n",
            "The weather",
        ),
        (
            "c4_badwords_filter",
            &["--params", "{\"badwords_dir\": \"BUCKET/lists\"}"][..],
            "{\"text\":\"A walk in the park.\"}\n{\"text\":\"What a darned mess!\"}\n",
            "A walk",
        ),
    ] {
        let mut command = bucket.djhost(&[&["ops", "run", op], args].concat(), &[]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(rows.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let printed = text(&output.stdout);
        assert!(
            printed.contains(left) && printed.lines().count() == 1,
            "{}",
            said(&output)
        );
        assert!(
            !said(&output).contains("no `.wasm` file"),
            "{}",
            said(&output)
        );
    }
}
