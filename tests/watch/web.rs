//! `djhost monitor --web`: who is answered, and who is not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::processes::{Running, wait_for};
use crate::harness::cache;

struct Web {
    process: Child,
    port: u16,
    token: String,
    dir: tempfile::TempDir,
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a recipe in `dir` as the job `work/job`.
fn run(dir: &Path, recipe: &str) {
    std::fs::write(dir.join("recipe.yaml"), recipe).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .current_dir(dir)
        .env("DJHOST_CACHE_DIR", cache())
        .args(["run", "recipe.yaml", "--quiet", "--job_id", "job"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
}

impl Web {
    /// A finished job that is shown.
    fn new() -> Self {
        let dir = crate::harness::directory();
        std::fs::write(
            dir.path().join("in.jsonl"),
            "{\"text\": \"a text of some length\"}\n{\"text\": \"short\"}\n",
        )
        .unwrap();
        run(
            dir.path(),
            "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\nprocess:\n  - text_length_filter: {min_len: 10}\n",
        );
        Self::of(dir, "work/job")
    }

    /// Shows the job in `root`.
    fn of(dir: tempfile::TempDir, root: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_djhost"))
            .args(["monitor", root, "--web"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let rest = url
            .trim()
            .strip_prefix("http://127.0.0.1:")
            .expect("only this machine");
        let (port, token) = rest.split_once("/?token=").unwrap();
        assert_eq!(token.len(), 64, "256 bits");
        Self {
            port: port.parse().unwrap(),
            token: token.to_owned(),
            process,
            dir,
        }
    }

    /// The job as the page has it now.
    fn job(&self) -> serde_json::Value {
        let host = format!("Host: 127.0.0.1:{}\r\n", self.port);
        let answer = self.get(&format!("/data?token={}", self.token), &host);
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        serde_json::from_str::<serde_json::Value>(body).unwrap()["jobs"][0].clone()
    }

    /// Sends bytes; returns all that comes back.
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that has heard enough closes the connection, perhaps before all is sent.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\n{headers}\r\n"))
    }
}

#[test]
fn the_page_is_for_those_with_its_address_only() {
    let web = Web::new();
    let host = format!("Host: 127.0.0.1:{}\r\n", web.port);
    let page = format!("/?token={}", web.token);
    let data = format!("/data?token={}", web.token);
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or("closed").to_owned();

    let html = web.get(&page, &host);
    assert_eq!(status(&html), "200");
    for header in [
        "Content-Security-Policy: default-src 'none'",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
    ] {
        assert!(html.contains(header), "{header}");
    }
    assert!(!html.to_lowercase().contains("access-control-allow"));
    let json = web.get(
        &data,
        &format!("{host}Origin: http://127.0.0.1:{}\r\n", web.port),
    );
    assert_eq!(status(&json), "200");
    let body: serde_json::Value =
        serde_json::from_str(json.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["jobs"][0]["job"]["rows_out"], 1);
    assert_eq!(
        status(&web.get(&page, &format!("Host: localhost:{}\r\n", web.port))),
        "200"
    );

    let wrong = "0".repeat(64);
    for (path, headers, expected) in [
        ("/".to_owned(), host.clone(), "403"),
        ("/data".to_owned(), host.clone(), "403"),
        (format!("/?token={wrong}"), host.clone(), "403"),
        (format!("/?token={}", &web.token[..63]), host.clone(), "403"),
        (format!("/?token={}0", web.token), host.clone(), "403"),
        ("/?token=".to_owned(), host.clone(), "403"),
        // A name that somebody has made to point here.
        (page.clone(), "Host: evil.example\r\n".to_owned(), "403"),
        (
            page.clone(),
            format!("Host: evil.example:{}\r\n", web.port),
            "403",
        ),
        (page.clone(), String::new(), "403"),
        (page.clone(), format!("{host}{host}"), "403"),
        // A page from elsewhere.
        (
            data.clone(),
            format!("{host}Origin: http://evil.example\r\n"),
            "403",
        ),
        (data, format!("{host}Origin: null\r\n"), "403"),
        (
            format!("/job_summary.json?token={}", web.token),
            host.clone(),
            "404",
        ),
        (
            format!("/../../etc/passwd?token={}", web.token),
            host.clone(),
            "404",
        ),
    ] {
        let answer = web.get(&path, &headers);
        assert_eq!(status(&answer), expected, "{path} {headers}");
        assert!(!answer.contains("rows_out"), "{path} {headers}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(
            status(&web.send(&format!("{method} {page} HTTP/1.1\r\n{host}\r\n"))),
            "405"
        );
    }
    let head = web.send(&format!("HEAD {page} HTTP/1.1\r\n{host}\r\n"));
    assert!(head.ends_with("\r\n\r\n") && status(&head) == "200");
    assert_eq!(status(&web.send("nonsense\r\n\r\n")), "400");
    let long = format!("GET {page} HTTP/1.1\r\nX: {}", "x".repeat(20_000));
    assert_ne!(status(&web.send(&long)), "200");
    // Those who say nothing do not keep others out.
    let _silent: Vec<TcpStream> = (0..4)
        .map(|_| TcpStream::connect(("127.0.0.1", web.port)).unwrap())
        .collect();
    assert_eq!(status(&web.get(&page, &host)), "200");
}

/// A job that runs has the stats of the tasks that have ended, and more of them later.
#[test]
fn stats_are_there_while_the_job_runs() {
    let dir = crate::harness::directory();
    let rows = (0..400).map(|row| format!("{{\"text\": \"{}\"}}\n", "x".repeat(row % 40)));
    std::fs::write(dir.path().join("in.jsonl"), rows.collect::<String>()).unwrap();
    run(
        dir.path(),
        "dataset_path: in.jsonl\nexport_path: out.jsonl\nwork_dir: work\ntrace: stats\npartition: {mode: manual, num_of_partitions: 4}\n\
         process:\n  - text_length_filter: {min_len: 10}\n",
    );
    // The trace of that job becomes, file by file, that of one which runs.
    let (done, live) = (dir.path().join("work/job"), dir.path().join("live/job"));
    std::fs::create_dir_all(&live).unwrap();
    let _running = Running::start(&live, false);
    std::fs::create_dir_all(live.join("trace")).unwrap();
    std::fs::create_dir_all(live.join("metadata")).unwrap();
    let trace = "metadata/trace.json";
    std::fs::copy(done.join(trace), live.join(trace)).unwrap();
    let files = std::fs::read_dir(done.join("trace")).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap()).collect();
    assert!(files.len() >= 4, "{files:?}");
    let copy = |file: &std::fs::DirEntry| {
        std::fs::copy(file.path(), live.join("trace").join(file.file_name())).unwrap();
    };
    let last = files.pop().unwrap();
    files.iter().for_each(copy);
    let web = Web::of(dir, "live/job");
    let job = web.job();
    assert_eq!(job["job"]["is_running"], true);
    assert!(
        job["stats_note"].as_str().unwrap().contains("has ended"),
        "{job}"
    );
    let some = &job["stats"][0];
    assert!(some["count"].as_u64().unwrap() < 400, "{some}");
    let live = web.dir.path().join("live/job");
    std::fs::copy(last.path(), live.join("trace").join(last.file_name())).unwrap();
    assert!(wait_for(|| web.job()["stats"][0]["count"] == 400));
    let all = &web.job()["stats"][0];
    assert_eq!(
        (&all["key"], &all["kept"]),
        (&"text_len".into(), &300.into())
    );
    assert_eq!(
        (&all["min"], &all["max"], &all["mean"]),
        (&0.0.into(), &39.0.into(), &19.5.into())
    );
    let bins = |name: &str| -> u64 {
        let bins = all["histogram"][name].as_array().unwrap();
        bins.iter().map(|n| n.as_u64().unwrap()).sum()
    };
    assert_eq!((bins("kept"), bins("dropped")), (300, 100));
    assert_eq!(all["percentiles"][4], serde_json::json!([0.5, 19.0]));
    // A file that is gone was of an attempt that does not count any more.
    std::fs::remove_file(live.join("trace").join(last.file_name())).unwrap();
    assert!(wait_for(|| web.job()["stats"][0]["count"] != 400));
}
