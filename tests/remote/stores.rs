//! Google Cloud Storage and Azure Blob Storage: a stand-in that speaks both protocols as far as djhost does.

use crate::harness::{Case, cache};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

const DATE: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

#[derive(Default)]
struct Content {
    /// By bucket and key: bytes and generation.
    objects: BTreeMap<String, (Vec<u8>, u64)>,
    /// By key and upload: numbered or named parts.
    parts: HashMap<String, BTreeMap<String, Vec<u8>>>,
    count: u64,
    asked: Vec<String>,
}

struct Asked {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

#[derive(Clone)]
pub(super) struct Stand {
    port: u16,
    content: Arc<Mutex<Content>>,
}

impl Stand {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stand = Self {
            port: listener.local_addr().unwrap().port(),
            content: Arc::default(),
        };
        let content = Arc::clone(&stand.content);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let content = Arc::clone(&content);
                thread::spawn(move || while let Some(()) = serve(&stream, &content) {});
            }
        });
        stand
    }

    /// Puts another version of an object, if there is one.
    pub(super) fn put(&self, path: &str, body: &[u8]) {
        let mut content = self.content.lock().unwrap();
        store(&mut content, path, body.to_vec());
    }

    /// All requests: method and path.
    pub(super) fn asked(&self) -> Vec<String> {
        self.content.lock().unwrap().asked.clone()
    }

    fn get(&self, path: &str) -> Option<Vec<u8>> {
        let content = self.content.lock().unwrap();
        content.objects.get(path).map(|(bytes, _)| bytes.clone())
    }

    fn keys(&self) -> Vec<String> {
        self.content
            .lock()
            .unwrap()
            .objects
            .keys()
            .cloned()
            .collect()
    }
}

fn serve(stream: &TcpStream, content: &Mutex<Content>) -> Option<()> {
    let mut from = BufReader::new(stream);
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
    let mut asked = Asked {
        method,
        path: decoded(path).trim_start_matches('/').to_owned(),
        query: query.collect(),
        headers: HashMap::new(),
        body: Vec::new(),
    };
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else {
            break;
        };
        asked
            .headers
            .insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = asked
        .headers
        .get("content-length")
        .map_or(0, |n| n.parse().unwrap());
    asked.body.resize(length, 0);
    from.read_exact(&mut asked.body).ok()?;
    let Answer(status, headers, body) = answer(&mut content.lock().unwrap(), &asked);
    let mut text = format!("HTTP/1.1 {status} X\r\nDate: {DATE}\r\n");
    let mut length = body.len().to_string();
    for (name, value) in headers {
        match name {
            "Content-Length" => length = value,
            name => write!(text, "{name}: {value}\r\n").unwrap(),
        }
    }
    write!(text, "Content-Length: {length}\r\n\r\n").unwrap();
    // By one call: a second one would wait until the client has confirmed the first.
    let mut to = stream;
    to.write_all(&[text.as_bytes(), &body].concat()).ok()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' {
            let code = std::str::from_utf8(&more[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn version(generation: u64) -> Vec<(&'static str, String)> {
    vec![
        ("ETag", format!("\"g{generation}\"")),
        ("x-goog-generation", generation.to_string()),
        ("Last-Modified", DATE.to_owned()),
    ]
}

fn answer(content: &mut Content, asked: &Asked) -> Answer {
    let has = |name: &str| asked.query.contains_key(name);
    let query = |name: &str| asked.query.get(name).map_or("", String::as_str);
    let at = asked.path.as_str();
    content.asked.push(format!("{} {at}", asked.method));
    let xml = |text: &str| Answer(200, Vec::new(), text.as_bytes().to_vec());
    let there = content.objects.get(at).map(|(_, generation)| *generation);
    match asked.method.as_str() {
        "GET" if has("list-type") || query("comp") == "list" => list(content, asked),
        "GET" | "HEAD" => {
            let Some((bytes, generation)) = content.objects.get(at) else {
                return Answer(404, Vec::new(), Vec::new());
            };
            let all = bytes.len();
            let mut headers = version(*generation);
            let other = |tag: &String| tag.trim_matches('"') != format!("g{generation}");
            if asked.headers.get("if-match").is_some_and(other) {
                return Answer(412, headers, Vec::new());
            }
            let range = asked
                .headers
                .get("range")
                .or(asked.headers.get("x-ms-range"));
            let range = range.and_then(|text| text.strip_prefix("bytes=")?.split_once('-'));
            if asked.method == "HEAD" {
                headers.push(("Content-Length", all.to_string()));
                return Answer(200, headers, Vec::new());
            }
            match range {
                None => Answer(200, headers, bytes.clone()),
                Some((first, last)) => {
                    let (first, last): (usize, usize) =
                        (first.parse().unwrap(), last.parse().unwrap());
                    let end = (last + 1).min(all);
                    headers.push(("Content-Range", format!("bytes {first}-{}/{all}", end - 1)));
                    Answer(206, headers, bytes[first..end].to_vec())
                }
            }
        }
        "DELETE" if has("uploadId") => {
            content.parts.remove(&format!("{at}?{}", query("uploadId")));
            Answer(204, Vec::new(), Vec::new())
        }
        "DELETE" => match content.objects.remove(at) {
            Some(_) => Answer(if has("x") { 204 } else { 202 }, Vec::new(), Vec::new()),
            None => Answer(404, Vec::new(), Vec::new()),
        },
        // Azure's way to delete: requests within a request.
        "POST" if query("comp") == "batch" => {
            let text = String::from_utf8_lossy(&asked.body).into_owned();
            let targets = text.lines().filter_map(|line| {
                let target = line.strip_prefix("DELETE ")?.split([' ', '?']).next()?;
                Some(decoded(target.trim_start_matches('/')))
            });
            let mut replies = String::new();
            for (n, target) in targets.enumerate() {
                let status = match content.objects.remove(&target) {
                    Some(_) => "202 Accepted",
                    None => "404 Not Found",
                };
                replies += &format!(
                    "--answer\r\nContent-Type: application/http\r\nContent-ID: {n}\r\n\r\nHTTP/1.1 {status}\r\nx-ms-version: 1\r\n\r\n"
                );
            }
            replies += "--answer--\r\n";
            let kind = "multipart/mixed; boundary=answer".to_owned();
            Answer(202, vec![("Content-Type", kind)], replies.into_bytes())
        }
        "POST" if has("uploads") => {
            content.count += 1;
            let id = format!("u{}", content.count);
            content.parts.insert(format!("{at}?{id}"), BTreeMap::new());
            xml(&format!(
                "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
            ))
        }
        "POST" if has("uploadId") => {
            let Some(parts) = content.parts.remove(&format!("{at}?{}", query("uploadId"))) else {
                return Answer(404, Vec::new(), Vec::new());
            };
            let headers = store(content, at, parts.into_values().flatten().collect());
            let tag = headers[0].1.replace('"', "&quot;");
            let body = format!(
                "<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>"
            );
            Answer(200, headers, body.into_bytes())
        }
        "PUT" if has("partNumber") => {
            let parts = content
                .parts
                .get_mut(&format!("{at}?{}", query("uploadId")))
                .unwrap();
            parts.insert(
                format!("{:06}", query("partNumber").parse::<u32>().unwrap()),
                asked.body.clone(),
            );
            Answer(200, vec![("ETag", "\"part\"".to_owned())], Vec::new())
        }
        "PUT" if query("comp") == "block" => {
            let parts = content.parts.entry(at.to_owned()).or_default();
            parts.insert(query("blockid").to_owned(), asked.body.clone());
            Answer(201, Vec::new(), Vec::new())
        }
        "PUT" if query("comp") == "blocklist" => {
            let mut parts = content.parts.remove(at).unwrap_or_default();
            let text = String::from_utf8(asked.body.clone()).unwrap();
            let names = text.split("<Uncommitted>").skip(1);
            let names = names.map(|rest| rest.split('<').next().unwrap());
            let bytes = names.flat_map(|name| parts.remove(name).unwrap()).collect();
            Answer(201, store(content, at, bytes), Vec::new())
        }
        "PUT" => {
            let header = |name: &str| asked.headers.get(name).map(|text| text.trim_matches('"'));
            let tag = there.map(|generation| format!("g{generation}"));
            let is_refused = header("x-goog-if-generation-match")
                .is_some_and(|wanted| wanted != there.unwrap_or(0).to_string())
                || header("if-none-match").is_some() && there.is_some()
                || header("if-match").is_some_and(|wanted| Some(wanted) != tag.as_deref());
            match is_refused {
                true => Answer(412, Vec::new(), Vec::new()),
                false => Answer(201, store(content, at, asked.body.clone()), Vec::new()),
            }
        }
        _ => Answer(405, Vec::new(), Vec::new()),
    }
}

fn store(content: &mut Content, at: &str, bytes: Vec<u8>) -> Vec<(&'static str, String)> {
    content.count += 1;
    content
        .objects
        .insert(at.to_owned(), (bytes, content.count));
    version(content.count)
}

/// Two objects a page, so that all pages are asked for.
fn list(content: &Content, asked: &Asked) -> Answer {
    let get = |name: &str| asked.query.get(name).map_or("", String::as_str);
    let above = format!("{}/", asked.path.trim_end_matches('/'));
    let after = [get("continuation-token"), get("marker")].concat();
    let mut entries: Vec<(String, Option<(usize, u64)>)> = Vec::new();
    for (name, (bytes, generation)) in &content.objects {
        let Some(key) = name
            .strip_prefix(&above)
            .filter(|key| key.starts_with(get("prefix")))
        else {
            continue;
        };
        let rest = &key[get("prefix").len()..];
        let entry = match rest.find('/').filter(|_| !get("delimiter").is_empty()) {
            Some(slash) => (key[..=get("prefix").len() + slash].to_owned(), None),
            None => (key.to_owned(), Some((bytes.len(), *generation))),
        };
        if entry.0 > after && entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }
    let more = entries.len() > 2;
    entries.truncate(2);
    let next = entries.last().filter(|_| more).map(|(key, _)| key.clone());
    let is_azure = get("comp") == "list";
    let mut text = String::new();
    for (key, object) in &entries {
        text += &match (object, is_azure) {
            (Some((bytes, generation)), true) => format!(
                "<Blob><Name>{key}</Name><Properties><Last-Modified>{DATE}</Last-Modified><Etag>\"g{generation}\"</Etag><Content-Length>{bytes}</Content-Length><Content-Type>x</Content-Type></Properties></Blob>"
            ),
            (Some((bytes, generation)), false) => format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>\"g{generation}\"</ETag><Size>{bytes}</Size></Contents>"
            ),
            (None, true) => format!("<BlobPrefix><Name>{key}</Name></BlobPrefix>"),
            (None, false) => format!("<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"),
        };
    }
    let next = next.unwrap_or_default();
    let text = match is_azure {
        true => format!(
            "<EnumerationResults><Blobs>{text}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
        ),
        false if next.is_empty() => format!("<ListBucketResult>{text}</ListBucketResult>"),
        false => format!(
            "<ListBucketResult>{text}<NextContinuationToken>{next}</NextContinuationToken></ListBucketResult>"
        ),
    };
    Answer(200, Vec::new(), text.into_bytes())
}

/// Runs djhost with the stand-in as both stores, and a cache of a machine of this name.
pub(super) fn djhost(case: &Case, stand: &Stand, machine: &str, args: &[&str]) -> Output {
    let port = stand.port;
    Command::new(env!("CARGO_BIN_EXE_djhost"))
        .args(args)
        .current_dir(case.path(""))
        .env("DJHOST_CACHE_DIR", cache())
        .env("HOME", case.path(machine))
        .env("NO_PROXY", "127.0.0.1")
        .env("STORAGE_EMULATOR_HOST", format!("127.0.0.1:{port}"))
        .env(
            "AZURE_STORAGE_CONNECTION_STRING",
            format!("DefaultEndpointsProtocol=http;AccountName=me;AccountKey=aHVudGVyMg==;BlobEndpoint=http://127.0.0.1:{port}/"),
        )
        .env("DJHOST_TEST_RETRIES", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn google_and_azure_have_datasets_results_and_run_directories() {
    let rows = super::rows();
    let expected = super::expected(&rows);
    for scheme in ["gs", "az"] {
        let (stand, case) = (Stand::new(), Case::new());
        let (head, tail) = rows.split_at(rows[..rows.len() / 2].rfind('\n').unwrap() + 1);
        stand.put("pail/data/a b.jsonl", head.as_bytes());
        stand.put("pail/data/sub/c.jsonl", tail.as_bytes());
        stand.put("pail/data/sub/_SUCCESS", b"");
        let recipe = |target: &str| {
            format!(
                "dataset_path: {scheme}://pail/data\nexport_path: {target}\npartition: {{mode: manual, num_of_partitions: 3}}\ncheckpoint: {{strategy: every_op}}\n{}",
                super::PROCESS
            )
        };
        case.write(
            "recipe.yaml",
            recipe(&format!("{scheme}://pail/out/r.jsonl")),
        );
        let work = format!("{scheme}://pail/runs");
        let run = [
            "run",
            "recipe.yaml",
            "--np",
            "2",
            "--quiet",
            "--work_dir",
            &work,
            "--job_id",
            "job",
        ];
        let output = djhost(&case, &stand, "one", &run);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{scheme}: {said}");
        assert!(
            stand.get("pail/out/r.jsonl").unwrap() == expected,
            "{scheme}"
        );
        assert!(
            stand
                .keys()
                .iter()
                .any(|key| key.starts_with("pail/runs/job/checkpoints/"))
        );
        // From another machine all is known, and done again what has gone.
        let again = djhost(&case, &stand, "two", &run);
        assert!(String::from_utf8_lossy(&again.stderr).contains("nothing to do"));
        let job = format!("{work}/job");
        let monitored = djhost(&case, &stand, "three", &["monitor", &job]);
        let text = String::from_utf8_lossy(&monitored.stdout);
        assert!(text.contains("completed") && text.contains(&job), "{text}");
        stand
            .content
            .lock()
            .unwrap()
            .objects
            .remove("pail/out/r.jsonl");
        assert!(djhost(&case, &stand, "two", &run).status.success());
        assert!(
            stand.get("pail/out/r.jsonl").unwrap() == expected,
            "{scheme}"
        );
        // Nothing is left of uploads and probes.
        assert!(
            !stand.keys().iter().any(|key| key.contains("probe")),
            "{:?}",
            stand.keys()
        );
        let listed = djhost(
            &case,
            &stand,
            "two",
            &["jobs", "--all", "--base-dir", &work],
        );
        assert!(String::from_utf8_lossy(&listed.stdout).contains(&job));
    }
}
