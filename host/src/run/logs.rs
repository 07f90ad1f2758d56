//! Logs for people: one file per attempt in `logs/`, and the terminal (standard error).

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use tracing::Level;
use tracing::dispatcher::{Dispatch, with_default};
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Subscriber;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::{Context as Scope, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::error::UserError;
use crate::rundir::RunPaths;
use crate::rundir::own_files::open_own;

/// Logging of this process, or of one job of several in it. The terminal gets lines from the start.
/// The file is opened once the run directory is known and begins with the lines logged so far.
#[derive(Clone, Default)]
pub struct Logs {
    file: Arc<Mutex<Sink>>,
    /// Where the lines of one job go; None: the whole process logs here.
    job: Option<Dispatch>,
}

/// Bytes of lines kept in memory until the file is open.
const MAX_WAITING: usize = 1 << 20;

/// Where lines for the file go.
enum Sink {
    /// Not known yet: plugins print while they are created, before there is a run directory.
    Waiting {
        lines: Vec<u8>,
        dropped: u64,
    },
    Open(File),
}

impl Default for Sink {
    fn default() -> Self {
        Self::Waiting {
            lines: Vec::new(),
            dropped: 0,
        }
    }
}

impl Logs {
    /// Sets up logging for the process. Called once, at its start.
    ///
    /// `level` is the value of `--log-level` (`error`, `warn`, `info`, `debug`, `trace`, or filters
    /// like `djhost=debug,wasmtime=warn`); None means `RUST_LOG`, or else `info`. The terminal
    /// shows the lines of this level, but only warnings and errors if `quiet`, since a progress bar
    /// is shown then. Without a level it leaves out the job's events, which the user sees in
    /// another form. The file has everything.
    pub fn init(level: Option<&str>, quiet: bool) -> Result<Self> {
        let logs = Self::default();
        logs.layers(level, quiet)?
            .try_init()
            .context("logging is set up already")?;
        Ok(logs)
    }

    /// Sets up logging for one job in a process that has other things to do. What the job logs
    /// [within](Self::scope) goes to its file, as `level` says (see [`init`](Self::init)), and
    /// nothing to the terminal: `warn` gets each warning and error.
    pub fn of_job(
        level: Option<&str>,
        warn: impl Fn(String) + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut logs = Self::default();
        let file = logs.file_layer(level)?;
        let warnings = Warnings(warn).with_filter(LevelFilter::WARN);
        logs.job = Some(Registry::default().with(file).with(warnings).into());
        Ok(logs)
    }

    /// Sets up logging for a process that runs tasks of another one: `send` gets level, target and
    /// text of each line of `level` (see [`init`](Self::init)).
    pub(crate) fn sent(
        level: Option<&str>,
        send: impl Fn(Level, &str, String) + Send + Sync + 'static,
    ) -> Result<()> {
        let lines = Sent(send).with_filter(filter(level)?);
        Registry::default()
            .with(lines)
            .try_init()
            .context("logging is set up already")
    }

    /// Runs `work`, and logs here what it and the threads that it starts log.
    pub fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.job {
            Some(job) => with_default(job, work),
            None => work(),
        }
    }

    fn layers(
        &self,
        level: Option<&str>,
        quiet: bool,
    ) -> Result<impl SubscriberExt + SubscriberInitExt + use<>> {
        let terminal = tracing_subscriber::fmt::layer()
            .with_writer(|| crate::term::live::Stderr)
            // A line that cannot be written must not cause another one, which would panic.
            .log_internal_errors(false)
            .with_target(false)
            .with_timer(UtcTime("%H:%M:%S"))
            .with_ansi(crate::term::Style::for_stderr().colour);
        let asked = level.is_some() || std::env::var_os("RUST_LOG").is_some();
        let terminal_filter = match (asked, quiet) {
            (true, _) => filter(level)?,
            (false, true) => EnvFilter::new("warn,djhost::rundir::events=off"),
            // What operators print goes to the file only.
            (false, false) => EnvFilter::new(
                "info,wasmtime=warn,cranelift=warn,djhost::rundir::events=off,djhost::guest=warn",
            ),
        };
        Ok(Registry::default()
            .with(self.file_layer(level)?)
            .with(terminal.with_filter(terminal_filter)))
    }

    fn file_layer(&self, level: Option<&str>) -> Result<impl Layer<Registry> + use<>> {
        let file = Self {
            file: Arc::clone(&self.file),
            job: None,
        };
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(move || file.clone())
            .log_internal_errors(false)
            .with_timer(UtcTime("%Y-%m-%d %H:%M:%S%.3f"))
            .with_ansi(false);
        Ok(layer.with_filter(filter(level)?))
    }

    /// Also writes to the log file of `attempt` from now on.
    pub fn open_file(&self, paths: &RunPaths, attempt: u32) -> Result<()> {
        let path = paths.log(attempt);
        let failed = || format!("cannot create `{}`", path.display());
        let mut file =
            open_own(&path, OpenOptions::new().create(true).append(true)).with_context(failed)?;
        let mut sink = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Sink::Waiting { lines, dropped } = &*sink {
            file.write_all(lines).with_context(failed)?;
            if *dropped > 0 {
                writeln!(
                    file,
                    "{dropped} more lines from before this file was opened are not here"
                )
                .with_context(failed)?;
            }
        }
        *sink = Sink::Open(file);
        Ok(())
    }
}

impl Write for Logs {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        match &mut *self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Sink::Open(file) => file.write(buf),
            // Only whole lines are kept.
            Sink::Waiting { lines, dropped } => {
                if lines.len() + buf.len() <= MAX_WAITING {
                    lines.extend_from_slice(buf);
                } else {
                    *dropped += 1;
                }
                Ok(buf.len())
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hands on the message of each event.
struct Warnings<F>(F);

impl<S: Subscriber, F: Fn(String) + 'static> Layer<S> for Warnings<F> {
    fn on_event(&self, event: &tracing::Event<'_>, _: Scope<'_, S>) {
        let mut message = String::new();
        event.record(&mut |field: &Field, value: &dyn fmt::Debug| {
            if field.name() == "message" {
                message = format!("{value:?}");
            }
        });
        (self.0)(message);
    }
}

/// Hands on every event.
struct Sent<F>(F);

impl<S: Subscriber, F: Fn(Level, &str, String) + 'static> Layer<S> for Sent<F> {
    fn on_event(&self, event: &tracing::Event<'_>, _: Scope<'_, S>) {
        let (mut message, mut fields) = (String::new(), String::new());
        event.record(
            &mut |field: &Field, value: &dyn fmt::Debug| match field.name() {
                "message" => message = format!("{value:?}"),
                name => fields += &format!(" {name}={value:?}"),
            },
        );
        let metadata = event.metadata();
        (self.0)(*metadata.level(), metadata.target(), message + &fields);
    }
}

fn filter(level: Option<&str>) -> Result<EnvFilter> {
    let (place, text) = match level {
        Some(level) => ("--log-level", level.to_owned()),
        None => ("RUST_LOG", std::env::var("RUST_LOG").unwrap_or_default()),
    };
    // The engine and its libraries log at every instance: only their warnings are kept unless the
    // user asks for more.
    let text = match text.trim() {
        "" => "info,wasmtime=warn,cranelift=warn".to_owned(),
        plain @ ("error" | "warn" | "info" | "debug" | "trace") => {
            format!("{plain},wasmtime=warn,cranelift=warn")
        }
        filters => filters.to_owned(),
    };
    EnvFilter::try_new(&text).map_err(|error| {
        UserError::new(place, format!("`{text}` is not a log level: {error}"))
            .hint("valid: `error`, `warn`, `info`, `debug`, `trace`, or filters like `djhost=debug,wasmtime=warn`")
            .into()
    })
}

struct UtcTime(&'static str);

impl FormatTime for UtcTime {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        write!(w, "{}", jiff::Timestamp::now().strftime(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::inherit;

    #[test]
    fn the_file_gets_the_lines_that_its_level_lets_through() {
        let dir = tempfile::tempdir().unwrap();
        let paths = RunPaths::new(dir.path());
        paths.create().unwrap();
        let logs = Logs::default();
        let subscriber = logs.layers(Some("info"), true).unwrap();
        let _guard = subscriber.set_default();
        tracing::info!("before the file is open");
        let many: Vec<String> = (0..3).map(|_| "x".repeat(MAX_WAITING / 2)).collect();
        many.iter().for_each(|line| tracing::info!("{line}"));
        logs.open_file(&paths, 2).unwrap();
        tracing::info!(partition = 3, "checkpoint saved");
        tracing::debug!("too fine");
        let text = std::fs::read_to_string(paths.logs().join("attempt_0002.txt")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].contains("before the file is open") && lines[1].len() > MAX_WAITING / 2,
            "{}",
            lines[0]
        );
        assert_eq!(
            lines[2],
            "2 more lines from before this file was opened are not here"
        );
        assert!(
            lines[3].contains("INFO")
                && lines[3].contains("checkpoint saved")
                && lines[3].contains("partition=3"),
            "{}",
            lines[3]
        );
    }

    #[test]
    fn jobs_of_one_process_have_logs_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        let told = [0, 1].map(|_| Arc::new(Mutex::new(Vec::new())));
        let log = |job: usize| {
            let paths = RunPaths::new(dir.path().join(job.to_string()));
            paths.create().unwrap();
            let told = Arc::clone(&told[job]);
            let logs = Logs::of_job(None, move |line| told.lock().unwrap().push(line)).unwrap();
            logs.open_file(&paths, 1).unwrap();
            logs.scope(|| {
                tracing::info!("job {job} begins");
                let worker = inherit(move || tracing::warn!("a worker of {job}"));
                std::thread::spawn(worker).join().unwrap();
                let pool = crate::threads::pool(2, "test").unwrap();
                pool.install(|| tracing::warn!("a pool of {job}"));
            });
            std::fs::read_to_string(paths.log(1)).unwrap()
        };
        let texts = std::thread::scope(|scope| {
            let other = scope.spawn(|| log(1));
            [log(0), other.join().unwrap()]
        });
        for (job, text) in texts.iter().enumerate() {
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 3, "{text}");
            for (line, said) in lines.iter().zip(["job", "a worker of", "a pool of"]) {
                assert!(line.contains(&format!("{said} {job}")), "{text}");
            }
            let told = told[job].lock().unwrap();
            assert_eq!(
                *told,
                [format!("a worker of {job}"), format!("a pool of {job}")]
            );
        }
    }

    #[test]
    fn a_level_that_does_not_exist_is_the_users_mistake() {
        let error = filter(Some("djhost=loud")).unwrap_err();
        assert!(
            error.is::<UserError>() && error.to_string().contains("--log-level"),
            "{error}"
        );
    }
}
