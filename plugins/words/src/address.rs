//! Addresses of the web and of mail, which are not cut at infixes.

use crate::class::Classes;
use crate::classes::LOWER;

/// Whether all of `text` is an address: `[scheme://][user@]host[:port][/path]`. The host is an IPv4
/// address that is not private, or names whose last one is in small letters.
pub(super) fn is_address(text: &str, classes: Classes) -> bool {
    // An address has a dot.
    if !text.contains('.') {
        return false;
    }
    let is_scheme = |scheme: &str| {
        scheme.chars().count() > 1
            && scheme
                .chars()
                .all(|c| matches!(c, '+' | '-' | '.') || classes.is_word(c))
    };
    let without_scheme = text
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme))
        .map(|(_, rest)| rest);
    [Some(text), without_scheme]
        .into_iter()
        .flatten()
        .any(|text| {
            let after_user = text
                .match_indices('@')
                .filter(|&(at, _)| at > 0)
                .map(|(at, _)| at + 1);
            std::iter::once(0)
                .chain(after_user)
                .any(|start| is_host(&text[start..], classes))
        })
}

fn is_host(text: &str, classes: Classes) -> bool {
    let end = text.find(['/', '?', '#', ':']).unwrap_or(text.len());
    let (host, rest) = text.split_at(end);
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let digits = port.len() - port.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if !(2..=5).contains(&digits) {
                return false;
            }
            &port[digits..]
        }
    };
    let is_path = rest.is_empty() || rest.starts_with(['/', '?', '#']);
    is_path && (is_public_ip(host) || has_names(host, classes))
}

fn has_names(host: &str, classes: Classes) -> bool {
    let Some((names, last)) = host.rsplit_once('.') else {
        return false;
    };
    let in_name = |c: char| c.is_ascii_alphanumeric() || ('\u{a1}'..='\u{ffff}').contains(&c);
    let is_name = |name: &str| {
        let within = |c: char| in_name(c) || matches!(c, '_' | '-');
        name.starts_with(in_name)
            && name.ends_with(in_name)
            && name.chars().all(within)
            && name.chars().count() <= 64
    };
    (2..=63).contains(&last.chars().count())
        && last.chars().all(|c| classes.has(c, LOWER))
        && names.split('.').all(is_name)
}

fn is_public_ip(host: &str) -> bool {
    let octet = |text: &str| -> Option<u16> {
        let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let parts: Vec<&str> = host.split('.').collect();
    let [a, b, c, d] = parts[..] else {
        return false;
    };
    let (Some(first), Some(second), Some(third), Some(last)) =
        (octet(a), octet(b), octet(c), octet(d))
    else {
        return false;
    };
    let private = matches!(
        (first, second),
        (10 | 127, _) | (169, 254) | (192, 168) | (172, 16..=31)
    );
    let written_in_short = |text: &str| !text.starts_with('0');
    (1..224).contains(&first)
        && written_in_short(a)
        && second < 256
        && third < 256
        && (1..255).contains(&last)
        && written_in_short(d)
        && !private
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_spacy() {
        // Expected: bool(spacy.lang.tokenizer_exceptions.URL_MATCH(text)).
        let cases = [
            ("example.com", true),
            ("http://example.com/a?b#c", true),
            ("mailto:a.b@example.org", true),
            ("ftp://user:pw@host.example.net:8080/x", true),
            ("lower.Upper", false),
            ("e.g", false),
            ("a.bc", true),
            ("example.com:1", false),
            ("example.com:80x", false),
            ("-a.example", false),
            ("8.8.8.8", true),
            ("192.168.0.1", false),
            ("127.0.0.1/x", false),
            ("10.1.2.3:80", false),
            ("1.2.3.0", false),
            ("223.255.255.254", true),
            ("3.14", false),
            ("http://", false),
            ("münchen.de", true),
            ("a..bc", false),
            ("://x.yz", false),
            ("x@y@z.org", true),
            ("@z.org", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_address(text, Classes::get()), expected, "{text}");
        }
    }
}
