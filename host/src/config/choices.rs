//! Options that are one of a few words. Each word is declared once, with what it means.

use serde_json::Value;

use super::invalid_value::InvalidValue;
use super::value::{Bounds, OptionType, choices};

choices! {
    /// Data-Juicer's executors.
    ExecutorType {
        /// One process.
        Default = "default",
        /// Ray.
        Ray = "ray",
        /// Ray, by partitions.
        RayPartitioned = "ray_partitioned",
    }
}
choices! {
    /// Format of the exported dataset.
    ExportType {
        /// One JSON object per line.
        Jsonl = "jsonl",
        /// One JSON array.
        Json = "json",
        /// Apache Parquet.
        Parquet = "parquet",
        /// Arrow IPC file.
        Arrow = "arrow",
        /// A dataset as the Hugging Face hub has them: Parquet shards and a card in a directory.
        Hf = "hf",
    }
}
choices! {
    /// Who decides the size of partitions.
    PartitionMode {
        /// Measured.
        Auto = "auto",
        /// The recipe.
        Manual = "manual",
    }
}
choices! {
    /// After which operators checkpoints are written.
    Strategy {
        /// After each n-th.
        EveryNOps = "every_n_ops",
        /// After each.
        EveryOp = "every_op",
        /// After those named.
        Manual = "manual",
        /// Where redoing is dearer than writing.
        Adaptive = "adaptive",
        /// Never.
        Disabled = "disabled",
    }
}
choices! {
    /// Format of checkpoints.
    StorageFormat {
        /// Apache Parquet.
        Parquet = "parquet",
        /// Arrow IPC.
        Arrow = "arrow",
        /// JSON lines.
        Jsonl = "jsonl",
    }
}
choices! {
    /// Compression of checkpoints.
    Compression {
        /// Fast, about half the size.
        Snappy = "snappy",
        /// Slow, small, read everywhere.
        Gzip = "gzip",
        /// As it is.
        None = "none",
        /// Small, at moderate cost.
        Zstd = "zstd",
        /// Fast.
        Lz4 = "lz4",
    }
}
choices! {
    /// Which intermediate data are kept at the end of a job.
    Retention {
        /// Keep everything.
        KeepAll = "keep_all",
        /// Keep them if the job failed.
        KeepFailedOnly = "keep_failed_only",
        /// Remove everything.
        CleanupAll = "cleanup_all",
    }
}
choices! {
    /// What happens to a row that an operator cannot process.
    OnError {
        /// It is set aside with the reason.
        Quarantine = "quarantine",
        /// It is only counted.
        Drop = "drop",
        /// The job fails.
        Fail = "fail",
    }
}
choices! {
    /// What is recorded of each row.
    TraceMode {
        /// Nothing.
        Off = "off",
        /// What became of the rows that are not in the result as they were.
        Dropped = "dropped",
        /// Also each row that a filter kept, with the stats that it computed.
        All = "all",
        /// The same, with all stats of all rows.
        Stats = "stats",
    }
}
choices! {
    /// What happens if an operator gives another answer the second time.
    OnDifference {
        /// There are a message, an event and a line in the summary.
        Warn = "warn",
        /// The job fails.
        Fail = "fail",
    }
}
choices! {
    /// The least severe messages that are logged.
    LogLevel {
        /// Failures.
        Error = "error",
        /// Also what deserves a look.
        Warn = "warn",
        /// Also the course of the job.
        Info = "info",
        /// Also details.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choices! {
    /// Whether a job only computes stats.
    AnalysisMode {
        /// It processes rows.
        Off = "off",
        /// It computes the stats of the recipe's filters.
        Recipe = "recipe",
        /// It computes the stats of all filters that need nothing but the text.
        Auto = "auto",
    }
}

choices! {
    /// A type of WARC records that can become rows.
    RecordType {
        /// What a server answered.
        Response = "response",
        /// A file that was stored without the talk with a server.
        Resource = "resource",
        /// The text of a page, as in WET files.
        Conversion = "conversion",
        /// What is known of other records, as in WAT files.
        Metadata = "metadata",
    }
}
choices! {
    /// The field with the body of a page.
    PageKey {
        /// Beside the text that operators make of it.
        Html = "html",
        /// Where operators that take it find a text.
        Text = "text",
    }
}
choices! {
    /// How rows have the body of a page.
    PageBody {
        /// Decoded from its charset, in the field that `html_key` names.
        Text = "text",
        /// Its bytes in base64, in the field `bytes`: for images, PDF files and the like.
        Base64 = "base64",
    }
}
choices! {
    /// A field of the rows that are made of WARC records.
    PageField {
        /// `WARC-Target-URI`.
        Url = "url",
        /// `WARC-Date`.
        Date = "date",
        /// `WARC-Type`.
        RecordType = "record_type",
        /// The `Content-Type` that the server sent; of records without an HTTP message, their own.
        ContentType = "content_type",
        /// The status of the HTTP message.
        Status = "status",
        /// `WARC-Record-ID`.
        RecordId = "record_id",
        /// `WARC-Payload-Digest`; of records without an HTTP message also `WARC-Block-Digest`.
        Digest = "digest",
        /// The charset that the body was in.
        Charset = "charset",
    }
}
