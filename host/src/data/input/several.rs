//! Asks something of each file of a dataset: of remote ones several at a time, because each answer is
//! a request, and there may be tens of thousands.

use super::file::InputFile;
use crate::threads::pool;
use anyhow::Result;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Requests at a time.
const AT_ONCE: usize = 32;

/// What `ask` says of each of `files`, in their order. Fails with what is wrong with the first file
/// of which something is, whatever the others say.
pub(crate) fn of_each<T: Send>(
    files: &[&InputFile],
    ask: impl Fn(&InputFile) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    if files.len() < 2 || files.iter().all(|file| file.version.is_none()) {
        return files.iter().map(|file| ask(file)).collect();
    }
    let failed = AtomicUsize::new(usize::MAX);
    let ask_one = |(at, file): (usize, &&InputFile)| {
        // Nobody asks for what comes after a failure.
        if at > failed.load(Ordering::Relaxed) {
            return None;
        }
        let answer = ask(file);
        if answer.is_err() {
            failed.fetch_min(at, Ordering::Relaxed);
        }
        Some(answer)
    };
    let threads = pool(AT_ONCE.min(files.len()), "footer")?;
    let answers: Vec<Option<Result<T>>> =
        threads.install(|| files.par_iter().enumerate().map(ask_one).collect());
    answers.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::input::file::{Compression, Format, Version};
    use anyhow::bail;

    fn file(number: u64) -> InputFile {
        InputFile {
            path: format!("s3://bucket/{number}.parquet").into(),
            format: Format::Parquet,
            compression: Compression::None,
            bytes: number,
            modified_ns: 0,
            by_record: false,
            version: Some(Version {
                tag: None,
                ranges: true,
            }),
            origin: None,
        }
    }

    #[test]
    fn answers_are_in_order_and_the_first_failure_is_told() {
        let files: Vec<InputFile> = (0..1000).map(file).collect();
        let files: Vec<&InputFile> = files.iter().collect();
        let numbers = of_each(&files, |file| Ok(file.bytes)).unwrap();
        assert_eq!(numbers, (0..1000).collect::<Vec<u64>>());
        let failing = |file: &InputFile| match file.bytes {
            300 | 301 | 999 => bail!("{}", file.bytes),
            other => Ok(other),
        };
        for _ in 0..20 {
            let failure = of_each(&files, failing).unwrap_err();
            assert_eq!(failure.to_string(), "300");
        }
    }
}
