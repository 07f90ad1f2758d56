//! The host of a URL, and the domain that someone has registered, as tldextract finds them.

use psl::{List, Psl, Type};

/// What is known of a host.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Host<'a> {
    /// The name under the public suffix with the suffix: `example.co.uk`. Empty without either.
    pub(crate) registered_domain: &'a str,
    /// The whole name, `shop.example.co.uk`; empty without a public suffix.
    pub(crate) full: &'a str,
}

/// The host of `url`, as it is written but for dots of other scripts, which go to `scratch` as `.`.
///
/// Only suffixes under which registries register count, not those of companies such as `github.io`, as
/// in datatrove.
pub(crate) fn host<'a>(url: &'a str, scratch: &'a mut String) -> Host<'a> {
    let netloc = netloc(url);
    let netloc = if netloc.contains(DOTS) {
        *scratch = netloc.replace(DOTS, ".");
        scratch.as_str()
    } else {
        netloc
    };
    let Some(suffix) = suffix_len(netloc) else {
        return Host::default();
    };
    let Some(names) = netloc[..netloc.len() - suffix].strip_suffix('.') else {
        return Host::default();
    };
    // An empty name, as in `.com`.
    let name = names.rsplit('.').next().unwrap_or_default();
    if name.is_empty() {
        return Host::default();
    }
    Host {
        registered_domain: &netloc[netloc.len() - suffix - 1 - name.len()..],
        full: netloc,
    }
}

/// Dots of other scripts.
const DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Scheme, user, port and all that follows the host cut off.
fn netloc(url: &str) -> &str {
    let rest = match url.find("//") {
        Some(0) => &url[2..],
        Some(at) if is_scheme(&url[..at]) => &url[at + 2..],
        _ => url,
    };
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let rest = if rest.starts_with('[') {
        ""
    } else {
        &rest[..rest.find(':').unwrap_or(rest.len())]
    };
    djhost_sdk::text::strip(rest).trim_end_matches(['.', DOTS[0], DOTS[1], DOTS[2]])
}

/// Whether `text` is a scheme and a colon.
fn is_scheme(text: &str) -> bool {
    let scheme = text.strip_suffix(':').unwrap_or_default();
    !scheme.is_empty()
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// The length of the public suffix of a host, in bytes. None without one.
fn suffix_len(host: &str) -> Option<usize> {
    let lower = host.to_lowercase();
    // Lower case may differ in length; the suffix is taken by its number of labels.
    let mut end = lower.as_str();
    loop {
        let suffix = List.suffix(end.as_bytes())?;
        let len = suffix.as_bytes().len();
        match suffix.typ()? {
            Type::Icann => {
                let labels = lower[lower.len() - len..].split('.').count();
                let from = host
                    .rmatch_indices('.')
                    .nth(labels - 1)
                    .map_or(0, |(at, _)| at + 1);
                return Some(host.len() - from);
            }
            // The suffix of a company lies under one of a registry.
            Type::Private => end = lower[lower.len() - len..].split_once('.')?.1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_those_of_tldextract() {
        // Expected: registered_domain and fqdn of tldextract.TLDExtract()(url).
        let cases = [
            (
                "http://www.Example.co.uk/a",
                "Example.co.uk",
                "www.Example.co.uk",
            ),
            (
                "https://user:pw@a.example.org:80?x",
                "example.org",
                "a.example.org",
            ),
            ("//example.com.", "example.com", "example.com"),
            ("example.com#x", "example.com", "example.com"),
            ("mailto:me@example.com", "example.com", "example.com"),
            (
                "https://blog.example.github.io",
                "github.io",
                "blog.example.github.io",
            ),
            ("http://co.uk", "", ""),
            ("http://localhost:8080", "", ""),
            ("http://10.0.0.1/", "", ""),
            ("http://[2001:db8::1]/", "", ""),
            ("http://a.example.unknowntld", "", ""),
            ("http://b.test.ck/", "b.test.ck", "b.test.ck"),
            ("http://www.ck/", "www.ck", "www.ck"),
            (
                "http://x.city.kawasaki.jp",
                "city.kawasaki.jp",
                "x.city.kawasaki.jp",
            ),
            (
                "https://bücher.example.de/",
                "example.de",
                "bücher.example.de",
            ),
            ("http://example。com", "example.com", "example.com"),
            ("1http://example.com/", "example.com", "example.com"),
            ("", "", ""),
            ("http://.com/", "", ""),
        ];
        for (url, registered_domain, full) in cases {
            let mut scratch = String::new();
            assert_eq!(
                host(url, &mut scratch),
                Host {
                    registered_domain,
                    full
                },
                "{url}"
            );
        }
    }
}
