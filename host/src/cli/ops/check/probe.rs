//! Checks that call an operator.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use super::answer::{ask, per_row};
use super::{Check, Verdict, sample};
use crate::data::Batch;
use crate::term::counted;
use crate::wasm::{Kind, OpPool, Output, Signature};

/// The cost of a row.
#[derive(Debug, Serialize)]
pub(crate) struct Speed {
    mb_per_second: f64,
    micros_per_row: f64,
    peak_memory_mb: f64,
}

/// Rows of the dataset for most checks.
const ROWS: usize = 5_000;
/// Rows that are also sent one by one.
const ALONE: usize = 200;
/// How long the speed is measured.
const MEASURE: Duration = Duration::from_millis(500);
/// Growth of memory between calls that is no leak: a table or two.
const SLACK: usize = 2 << 20;

/// Runs all checks. Returns the speed if the operator can process the sample.
pub(crate) fn all(
    pool: &OpPool,
    given: Option<&[String]>,
    checks: &mut Vec<Check>,
) -> Result<Option<Speed>> {
    let signature = pool.signature();
    let made = sample::ordinary(signature, ROWS);
    let whole = sample::batch(signature, given.unwrap_or(&made))?;
    let unicode: Vec<String> = sample::unicode()
        .iter()
        .enumerate()
        .map(|(i, t)| sample::row(signature, t, i))
        .collect();
    checks.push(answers(
        pool,
        "one row",
        &sample::batch(signature, &made[..1])?,
    )?);
    checks.push(answers(
        pool,
        "empty values",
        &sample::batch(signature, &vec![sample::row(signature, "", 0); 3])?,
    )?);
    checks.push(match sample::nulls(signature) {
        Some(rows) => answers(pool, "nulls", &sample::batch(signature, &rows)?)?,
        None => Check::new(
            "nulls",
            Verdict::Skip,
            "all fields that it reads are required: the host keeps rows without them away",
        ),
    });
    checks.push(answers(
        pool,
        "unicode",
        &sample::batch(signature, &unicode)?,
    )?);
    if whole.rows() == 0 {
        checks.push(no_rows(signature));
        return Ok(None);
    }
    let many = answers(pool, "many rows", &whole)?;
    let usable = many.verdict != Verdict::Fail;
    checks.push(many);
    if !usable {
        return Ok(None);
    }
    checks.push(deterministic(pool, &whole)?);
    checks.push(batch_size(pool, &whole)?);
    if pool.descriptor().kind == Kind::Selector {
        checks.push(selects(pool, &whole)?);
    }
    let (memory, speed) = cost(pool, &whole)?;
    checks.push(memory);
    checks.push(Check::new(
        "speed",
        Verdict::Pass,
        format!(
            "{:.0} MB/s, {:.2} µs per row",
            speed.mb_per_second, speed.micros_per_row
        ),
    ));
    Ok(Some(speed))
}

fn no_rows(signature: &Signature) -> Check {
    let need: Vec<&str> = signature
        .reads
        .iter()
        .filter(|r| r.required)
        .map(|r| r.path.as_str())
        .collect();
    Check::new(
        "many rows",
        Verdict::Fail,
        format!(
            "no row of the sample has the required fields {}",
            need.join(", ")
        ),
    )
}

/// Checks that it answers a batch as the contract requires.
fn answers(pool: &OpPool, check: &'static str, batch: &Batch) -> Result<Check> {
    if batch.rows() == 0 {
        return Ok(Check::new(
            check,
            Verdict::Skip,
            "no such rows for the fields that it reads",
        ));
    }
    let mut instance = pool.checkout()?;
    Ok(match pool.process(&mut instance, batch)? {
        Ok(reply) if reply.rejected.is_empty() => {
            Check::new(check, Verdict::Pass, counted(batch.rows() as u64, "row"))
        }
        Ok(reply) => {
            let first = &reply.rejected[0];
            let detail = format!(
                "{} of {} rejected; row {}: {}",
                reply.rejected.len(),
                counted(batch.rows() as u64, "row"),
                first.row,
                first.reason
            );
            Check::new(check, Verdict::Warn, detail)
        }
        Err(error) => Check::new(check, Verdict::Fail, error.to_string()),
    })
}

/// Returns the first row for which two lists of answers differ.
fn differs(a: &[String], b: &[String]) -> Option<String> {
    let cut = |text: &str| text.chars().take(80).collect::<String>();
    let at = a.iter().zip(b).position(|(x, y)| x != y)?;
    Some(format!(
        "row {at}: `{}` and then `{}`",
        cut(&a[at]),
        cut(&b[at])
    ))
}

/// Sends the same rows again to the same instance and to a fresh one.
fn deterministic(pool: &OpPool, batch: &Batch) -> Result<Check> {
    const NAME: &str = "determinism";
    let (mut one, mut other) = (pool.checkout()?, pool.checkout()?);
    let mut answered = Vec::new();
    for (instance, _) in [(&mut one, 0), (&mut other, 1)] {
        for _ in 0..2 {
            match ask(pool, instance, batch)? {
                Ok(answer) => answered.push(answer),
                Err(error) => {
                    return Ok(Check::new(
                        NAME,
                        Verdict::Fail,
                        format!("answers once and then fails: {error}"),
                    ));
                }
            }
        }
    }
    let cases = [
        (1, "the same instance gives another answer the second time"),
        (2, "a fresh instance gives another answer"),
    ];
    for (i, what) in cases {
        if let Some(place) = differs(&answered[0], &answered[i]) {
            return Ok(Check::new(NAME, Verdict::Fail, format!("{what}; {place}")));
        }
    }
    Ok(Check::new(
        NAME,
        Verdict::Pass,
        "the same answers again, and from a fresh instance",
    ))
}

/// Compares the answers for rows sent one by one and in two parts with those for all at once.
fn batch_size(pool: &OpPool, batch: &Batch) -> Result<Check> {
    const NAME: &str = "batch size";
    let part = batch.slice(0, batch.rows().min(ALONE));
    let mut instance = pool.checkout()?;
    let together = match ask(pool, &mut instance, &part)? {
        Ok(answer) => answer,
        Err(error) => return Ok(Check::new(NAME, Verdict::Fail, error.to_string())),
    };
    for size in [1, 7] {
        let mut apart = Vec::new();
        for start in (0..part.rows()).step_by(size) {
            match ask(
                pool,
                &mut instance,
                &part.slice(start, size.min(part.rows() - start)),
            )? {
                Ok(answer) => apart.extend(answer),
                Err(error) => {
                    return Ok(Check::new(
                        NAME,
                        Verdict::Fail,
                        format!("rows from {start} on, {size} at a time: {error}"),
                    ));
                }
            }
        }
        if let Some(place) = differs(&together, &apart) {
            return Ok(Check::new(
                NAME,
                Verdict::Fail,
                format!("in batches of {size} the answer is another; {place}"),
            ));
        }
    }
    Ok(Check::new(
        NAME,
        Verdict::Pass,
        format!(
            "{} together, one by one, and by seven: the same",
            counted(part.rows() as u64, "row")
        ),
    ))
}

/// Asks a selector to choose from the keys of all rows, twice.
fn selects(pool: &OpPool, batch: &Batch) -> Result<Check> {
    const NAME: &str = "select";
    let mut instance = pool.checkout()?;
    let Ok(reply) = pool.process(&mut instance, batch)? else {
        return Ok(Check::new(NAME, Verdict::Fail, "gives no keys"));
    };
    debug_assert_eq!(per_row(&reply, batch.rows()).len(), batch.rows());
    let Output::Keys(keys) = reply.output else {
        return Ok(Check::new(NAME, Verdict::Fail, "gives no keys"));
    };
    Ok(match (pool.select(&keys), pool.select(&keys)) {
        (Ok(a), Ok(b)) if a == b => Check::new(
            NAME,
            Verdict::Pass,
            format!(
                "keeps {} of {}, twice the same",
                a.iter().filter(|k| **k).count(),
                counted(a.len() as u64, "row")
            ),
        ),
        (Ok(_), Ok(_)) => Check::new(
            NAME,
            Verdict::Fail,
            "chooses other rows among the same keys the second time",
        ),
        (Err(error), _) | (_, Err(error)) => Check::new(NAME, Verdict::Fail, format!("{error:#}")),
    })
}

/// Compares memory after many calls with memory after a few, and measures the time of a call.
fn cost(pool: &OpPool, batch: &Batch) -> Result<(Check, Speed)> {
    let mut instance = pool.checkout()?;
    for _ in 0..3 {
        let _ = pool.process(&mut instance, batch)?;
    }
    let (early, bytes_before) = (instance.peak_memory(), instance.bytes_in());
    let started = Instant::now();
    let mut calls = 0u32;
    while started.elapsed() < MEASURE || calls < 20 {
        let _ = pool.process(&mut instance, batch)?;
        calls += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    let late = instance.peak_memory();
    let mb = |bytes: usize| bytes as f64 / 1e6;
    let memory = if late > early + SLACK {
        let detail = format!(
            "grew from {:.1} to {:.1} MB in {calls} calls on the same rows",
            mb(early),
            mb(late)
        );
        Check::new(
            "memory",
            Verdict::Warn,
            detail + ": does it keep what it has seen?",
        )
    } else {
        Check::new(
            "memory",
            Verdict::Pass,
            format!("{:.1} MB, steady over {calls} calls", mb(late)),
        )
    };
    let rows = f64::from(calls) * batch.rows() as f64;
    let speed = Speed {
        mb_per_second: (instance.bytes_in() - bytes_before) as f64 / 1e6 / seconds,
        micros_per_row: seconds * 1e6 / rows,
        peak_memory_mb: mb(late),
    };
    Ok((memory, speed))
}
