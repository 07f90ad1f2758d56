//! Gives the hub the bytes of large files, by the protocol of Git LFS: it is told what they are, and
//! says where they go, whole or in parts, or that it has them.

use super::failure::Failure;
use super::http::{Content, Sent, send};
use super::hub::endpoint;
use super::hub_push::{Stored, cannot_read, good, strange};
use crate::threads::pool;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::ErrorKind;

const KIND: &str = "application/vnd.git-lfs+json";
/// Files that are asked about at a time: the places that the hub names are good for an hour or so.
const ASKED: usize = 16;
/// Files that are sent at a time.
const AT_ONCE: usize = 4;
/// How often the hub is asked for another place, if one is no longer good.
const ATTEMPTS: usize = 3;

/// Uploads `files` for the dataset `name`. Files that the hub has are not sent again.
pub(super) fn upload(
    name: &str,
    branch: &str,
    token: &str,
    files: &[&Stored],
) -> Result<(), Failure> {
    let threads = pool(AT_ONCE, "upload")
        .map_err(|e| Failure::new(ErrorKind::Other, format!("no threads: {e}")))?;
    for files in files.chunks(ASKED) {
        let mut left: Vec<&Stored> = files.to_vec();
        for attempt in 1.. {
            let places = places(name, branch, token, &left)?;
            let send = |(file, place): &(&Stored, Value)| match send_to(file, place, token) {
                Ok(()) => Ok(true),
                // The place may have been good for too short a time.
                Err(e) if attempt < ATTEMPTS && e.kind == ErrorKind::PermissionDenied => {
                    tracing::info!("{e}: asking for another place");
                    Ok(false)
                }
                Err(e) => Err(e),
            };
            let sent: Vec<bool> =
                threads.install(|| places.par_iter().map(send).collect::<Result<_, Failure>>())?;
            let sent = places.iter().zip(sent);
            left = sent
                .filter(|(_, sent)| !sent)
                .map(|((file, _), _)| *file)
                .collect();
            if left.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Where the files go: those that the hub does not have yet.
fn places<'s>(
    name: &str,
    branch: &str,
    token: &str,
    files: &[&'s Stored],
) -> Result<Vec<(&'s Stored, Value)>, Failure> {
    let objects: Vec<Value> = files
        .iter()
        .map(|file| json!({ "oid": file.digest, "size": file.bytes }))
        .collect();
    let body = json!({
        "operation": "upload", "transfers": ["basic", "multipart"], "hash_algo": "sha256",
        "objects": objects, "ref": { "name": branch },
    });
    let path = format!("/{name}.git/info/lfs/objects/batch");
    let request = format!("POST {path}");
    let answer = send(&Sent {
        method: "POST",
        url: &format!("{}{path}", endpoint()),
        token: Some(token),
        headers: &[("Content-Type", KIND), ("Accept", KIND)],
        content: Content::Bytes(body.to_string().as_bytes()),
        name: &request,
    })?;
    let reply = good(&request, answer)?;
    let objects = reply.get("objects").and_then(Value::as_array);
    let objects = objects.ok_or_else(|| strange(&request, "it has no objects"))?;
    let mut places = Vec::new();
    for file in files {
        let is_it = |object: &&Value| object.get("oid").is_some_and(|oid| *oid == *file.digest);
        let object = objects
            .iter()
            .find(is_it)
            .ok_or_else(|| strange(&request, "a file is missing in it"))?;
        if let Some(error) = object.get("error") {
            let said = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or("no reason given");
            let message = format!("{request}: the hub refuses `{}`: {said}", file.path);
            return Err(Failure::new(ErrorKind::Other, message));
        }
        if object.pointer("/actions/upload").is_some() {
            places.push((*file, object["actions"].clone()));
        }
    }
    Ok(places)
}

fn send_to(file: &Stored, actions: &Value, token: &str) -> Result<(), Failure> {
    let open = File::open(&file.file).map_err(|e| cannot_read(&file.path, &e))?;
    let (place, headers) = action(actions, "upload").ok_or_else(|| no_place(file))?;
    match headers.get("chunk_size").map(number) {
        None => {
            let content = Content::Part(&open, 0, file.bytes);
            put(&place, &headers, content, &format!("PUT `{}`", file.path))?;
        }
        Some(chunk) => {
            let chunk = chunk
                .filter(|chunk| *chunk > 0)
                .ok_or_else(|| no_place(file))?;
            let mut parts = Vec::new();
            for number in 1..=file.bytes.div_ceil(chunk).max(1) {
                let from = (number - 1) * chunk;
                // Numbers are keys with or without zeros before them.
                let url = headers
                    .iter()
                    .find(|(key, _)| key.parse() == Ok(number))
                    .and_then(|(_, url)| url.as_str())
                    .ok_or_else(|| no_place(file))?;
                let name = format!("PUT part {number} of `{}`", file.path);
                let content = Content::Part(&open, from, chunk.min(file.bytes - from));
                let tag = put(url, &Map::new(), content, &name)?
                    .ok_or_else(|| strange(&name, "it has no ETag"))?;
                parts.push(json!({ "partNumber": number, "etag": tag }));
            }
            let body = json!({ "oid": file.digest, "parts": parts }).to_string();
            finish(
                &place,
                &Map::new(),
                &body,
                None,
                &format!("POST the end of `{}`", file.path),
            )?;
        }
    }
    if let Some((place, headers)) = action(actions, "verify") {
        let body = json!({ "oid": file.digest, "size": file.bytes }).to_string();
        let name = format!("POST a check of `{}`", file.path);
        // The token is for the hub alone.
        let own = place.starts_with(&endpoint()).then_some(token);
        finish(&place, &headers, &body, own, &name)?;
    }
    Ok(())
}

fn no_place(file: &Stored) -> Failure {
    strange(
        &format!("the upload of `{}`", file.path),
        "it does not say where to",
    )
}

/// The URL and the headers of an action.
fn action(actions: &Value, name: &str) -> Option<(String, Map<String, Value>)> {
    let action = actions.get(name)?;
    let headers = action.get("header").and_then(Value::as_object);
    Some((
        action.get("href")?.as_str()?.to_owned(),
        headers.cloned().unwrap_or_default(),
    ))
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn texts(headers: &Map<String, Value>) -> Vec<(&str, &str)> {
    let texts = headers
        .iter()
        .filter_map(|(key, value)| Some((&**key, value.as_str()?)));
    texts.collect()
}

/// Puts bytes at a URL; returns the `ETag`.
fn put(
    url: &str,
    headers: &Map<String, Value>,
    content: Content<'_>,
    name: &str,
) -> Result<Option<String>, Failure> {
    let answer = send(&Sent {
        method: "PUT",
        url,
        token: None,
        headers: &texts(headers),
        content,
        name,
    })?;
    if !(200..300).contains(&answer.status) {
        let body = String::from_utf8_lossy(&answer.body);
        return Err(Failure::answer(name, answer.status, &body, 0));
    }
    let tag = answer.headers.get("etag").and_then(|tag| tag.to_str().ok());
    Ok(tag.map(str::to_owned))
}

fn finish(
    url: &str,
    headers: &Map<String, Value>,
    body: &str,
    token: Option<&str>,
    name: &str,
) -> Result<(), Failure> {
    let mut all = texts(headers);
    let is_set = |name: &str| all.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    let token = token.filter(|_| !is_set("authorization"));
    let missing: Vec<&str> = ["Content-Type", "Accept"]
        .into_iter()
        .filter(|name| !is_set(name))
        .collect();
    all.extend(missing.into_iter().map(|name| (name, KIND)));
    let answer = send(&Sent {
        method: "POST",
        url,
        token,
        headers: &all,
        content: Content::Bytes(body.as_bytes()),
        name,
    })?;
    good(name, answer).map(drop)
}
