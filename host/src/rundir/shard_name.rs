//! Names of the files of an export that is cut into shards: `result-00-of-03.jsonl`, as Data-Juicer
//! has them. Those who write them and those who remove what a kill has left must agree.

/// A file name, split before its suffixes: two of a packed file.
fn split(name: &str) -> (&str, &str) {
    let lower = name.to_ascii_lowercase();
    let is_packed = [".gz", ".zst", ".zstd"]
        .iter()
        .any(|end| lower.ends_with(end));
    let stem_end = name
        .rmatch_indices('.')
        .nth(usize::from(is_packed))
        .map(|(i, _)| i)
        .or(name.rfind('.'))
        .unwrap_or(name.len());
    name.split_at(stem_end)
}

/// The name of shard `index` of `count`, counted from 0, of an export called `name`: with one digit
/// more than the count has.
pub(crate) fn shard_name(name: &str, index: usize, count: usize) -> String {
    let (stem, suffix) = split(name);
    let width = count.to_string().len() + 1;
    format!("{stem}-{index:0width$}-of-{count:0width$}{suffix}")
}

/// What the names of all shards of an export called `name` begin with.
pub(crate) fn shard_start(name: &str) -> &str {
    split(name).0
}

/// Whether `file` is the name of a shard of an export called `name`.
pub(crate) fn is_shard_name(file: &str, name: &str) -> bool {
    let (stem, suffix) = split(name);
    let numbers = file
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_suffix(suffix))
        .and_then(|rest| rest.strip_prefix('-'));
    let digits = |text: &str| text.len() >= 2 && text.bytes().all(|b| b.is_ascii_digit());
    numbers
        .and_then(|numbers| numbers.split_once("-of-"))
        .is_some_and(|(index, count)| digits(index) && digits(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_by_the_name_of_their_export() {
        for name in ["r.jsonl", "r.v1.jsonl", "r.jsonl.gz", "r.v1.JSONL.ZST", "r"] {
            let shard = shard_name(name, 1, 12);
            assert!(is_shard_name(&shard, name), "{shard}");
            assert!(shard.starts_with(shard_start(name)), "{shard}");
            assert!(!is_shard_name(name, name));
            assert!(!is_shard_name(&shard, &format!("other-{name}")));
        }
        assert_eq!(shard_name("r.v1.jsonl.gz", 0, 3), "r.v1-00-of-03.jsonl.gz");
        for other in [
            "r-0-of-3.jsonl",
            "r-x0-of-03.jsonl",
            "r-00-of-03.csv",
            "rs.jsonl",
        ] {
            assert!(!is_shard_name(other, "r.jsonl"), "{other}");
        }
    }
}
