//! Uploads that were begun and neither finished nor aborted: their parts are kept, and paid for.

use super::address::{Address, Scheme};
use super::aws;
use super::client::{FOLLOWING, body};
use super::failure::Failure;
use super::store::wait;
use super::upload::Unfinished;
use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};
use std::io::ErrorKind;
use std::time::Duration;

/// How long the signature of a request is good.
const SIGNED: Duration = Duration::from_secs(60);

/// The unfinished uploads to objects below `address`. Only S3 can be asked: of others an upload that
/// nobody finishes goes away by itself, or by a rule of the bucket.
pub(crate) fn unfinished_below(address: &Address) -> Result<Vec<Unfinished>, Failure> {
    let prefix = format!("{}/", address.key.trim_end_matches('/'));
    let all = unfinished(&address.beside(&prefix))?;
    Ok(all.into_iter().map(|(_, upload)| upload).collect())
}

/// The unfinished uploads to objects whose key begins as that of `address`, with their keys. Only S3
/// can be asked.
pub(crate) fn unfinished(address: &Address) -> Result<Vec<(String, Unfinished)>, Failure> {
    if address.scheme != Scheme::S3 {
        return Ok(Vec::new());
    }
    let request = format!("the list of unfinished uploads to `{address}`");
    let store = aws::store(&address.host)?;
    let prefix = address.key.clone();
    let mut found = Vec::new();
    let mut after: Option<(String, String)> = None;
    loop {
        let mut query = vec![("uploads", String::new()), ("prefix", prefix.clone())];
        if let Some((key, id)) = after.take() {
            query.extend([("key-marker", key), ("upload-id-marker", id)]);
        }
        let options = SignedUrlOptions::new().with_query(query);
        let root = Path::default();
        let signed = store.signed_url_opts(Method::GET, &root, SIGNED, &options);
        let url = wait(signed).map_err(|e| Failure::of_store(&request, &e))?;
        // Errors must not show the address, which has the signature in it.
        let mut reply = FOLLOWING
            .get(url.as_str())
            .call()
            .map_err(|_| Failure::broken(&request, "the server cannot be reached", 0))?;
        let text = body(&mut reply)
            .map_err(|e| Failure::broken(&request, &e.to_string(), 0))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())?;
        let status = reply.status().as_u16();
        if status != 200 {
            return Err(Failure::answer(&request, status, &text, 0));
        }
        let uploads = text.split("<Upload>").skip(1);
        for upload in uploads {
            let (Some(key), Some(id)) = (element(upload, "Key"), element(upload, "UploadId"))
            else {
                let why = "the answer is no list of uploads";
                return Err(Failure::new(ErrorKind::Other, format!("{request}: {why}")));
            };
            if key.starts_with(&prefix) {
                let upload = Unfinished::new(&address.beside(&key), id.clone());
                found.push((key.clone(), upload));
            }
            after = Some((key, id));
        }
        if element(&text, "IsTruncated").as_deref() != Some("true") || after.is_none() {
            return Ok(found);
        }
    }
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once("</")?;
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&");
    Some(plain)
}
