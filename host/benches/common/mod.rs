//! What the benches share: texts to work on, batches of them, and clocks.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{StringViewArray, UInt64Array};
use djhost::testing::{Batch, Column};

/// The variable that names a JSONL file with a `text` in each line, to be used in place of made-up
/// texts.
pub(crate) const DATA: &str = "DJHOST_BENCH_DATA";

/// About `bytes` bytes of texts: documents from all over the file that [`DATA`] names, or made-up
/// ones.
pub(crate) fn texts(bytes: usize) -> Vec<String> {
    let Some(path) = std::env::var_os(DATA) else {
        return made_up(bytes);
    };
    let open = || File::open(&path).unwrap_or_else(|e| panic!("{DATA}: {}: {e}", path.display()));
    let step = (open().metadata().map_or(0, |m| m.len()) as usize / bytes).max(1);
    let line_text = |line: std::io::Result<String>| -> Option<String> {
        let row: serde_json::Value = serde_json::from_str(&line.ok()?).ok()?;
        Some(row["text"].as_str()?.to_owned())
    };
    BufReader::new(open())
        .lines()
        .step_by(step)
        .filter_map(line_text)
        .collect()
}

/// Documents of 100 to 30,000 words drawn from a vocabulary as skewed as that of languages, with
/// passages that many of them share. The same ones in every run.
pub(crate) fn made_up(bytes: usize) -> Vec<String> {
    let mut state = 0x853c_49e6_748f_ea9b_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % below
    };
    let letters: Vec<char> = "eeeeetttaaoooiinnsshhrrddllucmfywgpbvkxqjzéüñ"
        .chars()
        .collect();
    let vocabulary: Vec<String> = (0..20_000)
        .map(|_| {
            (0..2 + random(4) + random(5))
                .map(|_| letters[random(letters.len())])
                .collect()
        })
        .collect();
    let mut passage = |words: usize| {
        let mut text = String::new();
        for i in 0..words {
            // The product of two uniform numbers: few words make most of the text.
            text += &vocabulary[random(20_000) * random(20_000) / 20_000 * random(20_000) / 20_000];
            text += match random(14) {
                0 => ", ",
                1 => ". ",
                2 if i % 9 == 0 => "\n",
                3 if i % 9 == 0 => " — ",
                _ => " ",
            };
        }
        text
    };
    let shared: Vec<String> = (0..50).map(|_| passage(60)).collect();
    let mut texts = Vec::new();
    let mut made = 0;
    while made < bytes {
        // Every size from 100 words to 30,000 makes about the same share of the bytes.
        let paragraphs = [2, 5, 15, 50, 150, 600][(texts.len() * 7) % 6].min(3 + texts.len());
        let mut text = String::new();
        for i in 0..paragraphs {
            text += &if i % 4 == 3 {
                shared[(texts.len() + i) % shared.len()].clone()
            } else {
                passage(50)
            };
            text.push('\n');
        }
        made += text.len();
        texts.push(text);
    }
    texts
}

/// The texts in batches of about `bytes` bytes.
pub(crate) fn cut(texts: &[String], bytes: usize) -> Vec<Vec<&str>> {
    let mut batches = vec![Vec::new()];
    let mut filled = 0;
    for text in texts {
        if filled >= bytes {
            batches.push(Vec::new());
            filled = 0;
        }
        filled += text.len();
        if let Some(batch) = batches.last_mut() {
            batch.push(text.as_str());
        }
    }
    batches
}

/// The batch of rows that have just a text, as the reader would make it.
pub(crate) fn host_batch(texts: &[&str]) -> Batch {
    let column = Column::new("text", Arc::new(StringViewArray::from_iter_values(texts)));
    Batch {
        ids: UInt64Array::from_iter_values(0..texts.len() as u64),
        raw: None,
        origin: None,
        stored: None,
        columns: vec![column],
        stats: Vec::new(),
    }
}

/// The CPU time of `work` on this thread.
pub(crate) fn cpu_time(work: impl FnOnce()) -> Duration {
    let now = || {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
    };
    let start = now();
    work();
    now() - start
}

/// Megabytes per second.
pub(crate) fn speed(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// A file of made-up texts under `dir`.
pub(crate) fn made_up_file(dir: &Path) -> PathBuf {
    let path = dir.join("data.jsonl");
    let mut file = std::io::BufWriter::new(
        std::fs::File::create(&path).expect("the temporary directory is writable"),
    );
    for (id, text) in made_up(100 << 20).iter().enumerate() {
        writeln!(file, "{}", serde_json::json!({ "id": id, "text": text })).expect("there is room");
    }
    file.flush().expect("there is room");
    path
}

/// CPU time (user and system, all threads) and peak memory in bytes of one run of the program on
/// `recipe`, with `options` behind it.
#[expect(clippy::zombie_processes, reason = "`wait4` below waits for it")]
pub(crate) fn run(recipe: &Path, job: &str, options: &[&str]) -> (Duration, usize) {
    let child = Command::new(env!("CARGO_BIN_EXE_djhost"))
        .arg("run")
        .arg(recipe)
        .args(["--job_id", job])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut status = 0;
    // SAFETY: all-zero is a valid value of this struct of integers, and both pointers are good for
    // the call.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (
            libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage),
            usage,
        )
    };
    assert!(
        waited == child.id() as libc::pid_t && status == 0,
        "the run of {} failed: status {status}",
        recipe.display()
    );
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
    // Linux gives kilobytes.
    (
        time(usage.ru_utime) + time(usage.ru_stime),
        usage.ru_maxrss as usize * 1024,
    )
}
