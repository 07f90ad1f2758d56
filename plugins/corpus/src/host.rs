//! The host of a URL, and the domain that someone has registered, as tldextract finds them.

use crate::table::Table;

/// What is known of a host.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Host<'a> {
    /// The name under the public suffix with the suffix: `example.co.uk`. Empty without either.
    pub(crate) registered_domain: &'a str,
    /// The whole name, `shop.example.co.uk`; empty without a public suffix.
    pub(crate) full: &'a str,
}

/// The suffixes under which registries register.
#[derive(Debug)]
pub(crate) struct Suffixes(Table);

impl Suffixes {
    /// Those of the public suffix list that ships, without those of companies such as `github.io`, as
    /// datatrove has it.
    ///
    /// By hand although there is a crate `psl`: compiled in, it takes two megabytes and ten seconds for
    /// what is 90 kilobytes of text.
    pub(crate) fn new() -> Self {
        Self(Table::of(include_str!("public_suffixes.txt").into()))
    }

    /// The host of `url`, as it is written but for dots of other scripts, which go to `scratch` as `.`.
    pub(crate) fn host<'a>(&self, url: &'a str, scratch: &'a mut String) -> Host<'a> {
        let netloc = netloc(url);
        let netloc = if netloc.contains(DOTS) {
            *scratch = netloc.replace(DOTS, ".");
            scratch.as_str()
        } else {
            netloc
        };
        let Some(names) = self.names(netloc) else {
            return Host::default();
        };
        // An empty name, as in `.com`, or none.
        let name = names.rsplit('.').next().unwrap_or_default();
        if name.is_empty() {
            return Host::default();
        }
        Host {
            registered_domain: &netloc[names.len() - name.len()..],
            full: netloc,
        }
    }

    /// What is before the suffix of a host and its dot; empty if that is all of it. None without a suffix.
    fn names<'a>(&self, host: &'a str) -> Option<&'a str> {
        // No rule has more labels.
        const MOST: usize = 6;
        let mut labels = [""; MOST];
        let mut count = 0;
        for (label, to) in host.rsplit('.').zip(&mut labels) {
            *to = label;
            count += 1;
        }
        let (mut rule, mut found) = (String::new(), None);
        // The labels from the last one on, so far.
        let mut suffix = String::new();
        for (i, label) in labels[..count].iter().enumerate() {
            let parent = suffix.len();
            suffix = format!(
                "{}{}{suffix}",
                label.to_lowercase(),
                if parent > 0 { "." } else { "" }
            );
            if self.0.contains(&suffix) {
                found = Some(i + 1);
                continue;
            }
            if parent > 0 {
                rule.clear();
                rule.push_str("*.");
                rule.push_str(&suffix[suffix.len() - parent..]);
                if self.0.contains(&rule) {
                    let is_exception = self.0.contains(&format!("!{suffix}"));
                    found = Some(if is_exception { i } else { i + 1 });
                    break;
                }
            }
        }
        let length: usize = labels[..found?].iter().map(|label| label.len() + 1).sum();
        Some(&host[..host.len().saturating_sub(length)])
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
        let suffixes = Suffixes::new();
        for (url, registered_domain, full) in cases {
            let mut scratch = String::new();
            assert_eq!(
                suffixes.host(url, &mut scratch),
                Host {
                    registered_domain,
                    full
                },
                "{url}"
            );
        }
    }
}
