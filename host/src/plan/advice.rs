//! Advice on checkpoints, from the page's table of strategies and its categories of operators.

use crate::config::Strategy;

/// What an operator's name says about its cost, by the page's patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// Checkpoint after these: global state or model inference.
    Expensive,
    /// Redoing these is cheaper than a checkpoint.
    Cheap,
    /// The page says nothing.
    Unknown,
}

/// The page's patterns: `*_deduplicator`, `*_embedding_*`, `*_model_*`, `*_vision_*`, `*_audio_*`
/// are expensive; `*_filter`, `clean_*`, `remove_*` are cheap. An operator of both kinds
/// (`image_embedding_filter`) is expensive. The words also count at the ends of a name
/// (`embedding_mapper`, which the page itself names as expensive).
pub(crate) fn category(name: &str) -> Category {
    let expensive = name.ends_with("_deduplicator")
        || name
            .split('_')
            .any(|word| matches!(word, "embedding" | "model" | "vision" | "audio"));
    let cheap =
        name.ends_with("_filter") || name.starts_with("clean_") || name.starts_with("remove_");
    match (expensive, cheap) {
        (true, _) => Category::Expensive,
        (false, true) => Category::Cheap,
        (false, false) => Category::Unknown,
    }
}

/// What is known about the job when it is planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobFacts<'a> {
    /// The operators' names, in order.
    pub ops: &'a [&'a str],
    /// The strategy that holds.
    pub strategy: Strategy,
    /// The n of `every_n_ops`.
    pub n_ops: u64,
    /// The names of `manual`.
    pub op_names: &'a [String],
    /// Expected duration in seconds, from measured speeds of the operators or an earlier run; None
    /// = unknown.
    pub seconds: Option<f64>,
}

/// The page's table: the strategy recommended for a job of this duration, and the rationale. A
/// duration that is not known counts as 10–60 minutes, the default.
pub(crate) fn recommended(seconds: Option<f64>, has_expensive: bool) -> (Strategy, &'static str) {
    const MINUTE: f64 = 60.0;
    match seconds {
        Some(s) if s < 10.0 * MINUTE => (Strategy::Disabled, "re-running is cheap"),
        Some(s) if s > 60.0 * MINUTE && has_expensive => (
            Strategy::Manual,
            "checkpoint after expensive operators only",
        ),
        _ => (Strategy::EveryNOps, "balanced protection"),
    }
}

/// Advice for `djhost plan`, a line each; none where there is nothing to improve.
pub(crate) fn advice(job: &JobFacts<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let expensive: Vec<&str> = job
        .ops
        .iter()
        .copied()
        .filter(|op| category(op) == Category::Expensive)
        .collect();
    let (better, rationale) = recommended(job.seconds, !expensive.is_empty());
    // `adaptive` weighs measured times itself, so the table has nothing to add.
    if job.seconds.is_some() && better != job.strategy && job.strategy != Strategy::Adaptive {
        let minutes = job.seconds.map_or(0.0, |s| s / 60.0);
        let how = match better {
            Strategy::Manual => format!("`manual` with `op_names: [{}]`", expensive.join(", ")),
            other => format!("`{}`", other.word()),
        };
        lines.push(format!(
            "for a job of about {minutes:.0} minutes {how} is recommended: {rationale}"
        ));
    }
    let after = |i: usize| match job.strategy {
        Strategy::EveryOp => true,
        Strategy::EveryNOps => (i as u64 + 1).is_multiple_of(job.n_ops.max(1)),
        Strategy::Manual => job.op_names.iter().any(|name| name == job.ops[i]),
        Strategy::Adaptive | Strategy::Disabled => false,
    };
    let saved = (0..job.ops.len()).any(after);
    if job.strategy == Strategy::EveryNOps && !saved && !job.ops.is_empty() {
        lines.push(format!(
            "`every_n_ops` with n_ops {} writes no checkpoint, as there {} only {}: lower `checkpoint.n_ops`, or use `adaptive`",
            job.n_ops,
            if job.ops.len() == 1 { "is" } else { "are" },
            crate::term::counted(job.ops.len() as u64, "operator")
        ));
    }
    if saved {
        let unprotected: Vec<&str> = (0..job.ops.len())
            .filter(|i| category(job.ops[*i]) == Category::Expensive && !after(*i))
            // The checkpoint after the next operator protects as well, if that one is cheap.
            .filter(|i| {
                !(i + 1 < job.ops.len()
                    && after(i + 1)
                    && category(job.ops[i + 1]) == Category::Cheap)
            })
            .map(|i| job.ops[i])
            .collect();
        if !unprotected.is_empty() {
            lines.push(format!(
                "no checkpoint follows the expensive {}: name it in `checkpoint.op_names` with `strategy: manual`",
                quoted(&unprotected)
            ));
        }
        let wasted: Vec<&str> = match job.strategy {
            Strategy::Manual => (0..job.ops.len())
                .filter(|i| after(*i) && category(job.ops[*i]) == Category::Cheap)
                .map(|i| job.ops[i])
                .collect(),
            _ => Vec::new(),
        };
        if !wasted.is_empty() {
            lines.push(format!(
                "redoing {} is cheaper than the checkpoint after it",
                quoted(&wasted)
            ));
        }
    }
    lines
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|n| format!("`{n}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_of_the_page() {
        for name in [
            "document_deduplicator",
            "text_embedding_similarity_filter",
            "embedding_mapper",
            "image_vision_mapper",
            "video_audio_filter",
            "a_model_b",
        ] {
            assert_eq!(category(name), Category::Expensive, "{name}");
        }
        for name in [
            "text_length_filter",
            "clean_email_mapper",
            "remove_header_mapper",
        ] {
            assert_eq!(category(name), Category::Cheap, "{name}");
        }
        for name in [
            "fix_unicode_mapper",
            "random_selector",
            "remodelling_mapper",
        ] {
            assert_eq!(category(name), Category::Unknown, "{name}");
        }
    }

    #[test]
    fn the_table_of_strategies() {
        let minutes = |m: f64, expensive| recommended(Some(m * 60.0), expensive).0;
        assert_eq!(minutes(9.0, true), Strategy::Disabled);
        assert_eq!(minutes(10.0, true), Strategy::EveryNOps);
        assert_eq!(minutes(60.0, true), Strategy::EveryNOps);
        assert_eq!(minutes(61.0, true), Strategy::Manual);
        assert_eq!(minutes(61.0, false), Strategy::EveryNOps);
        assert_eq!(recommended(None, true).0, Strategy::EveryNOps);
    }

    #[test]
    fn advice_names_what_to_change() {
        let ops = [
            "clean_email_mapper",
            "document_deduplicator",
            "fix_unicode_mapper",
            "text_length_filter",
        ];
        let job = JobFacts {
            ops: &ops,
            strategy: Strategy::EveryNOps,
            n_ops: 5,
            op_names: &[],
            seconds: None,
        };
        assert_eq!(
            advice(&job),
            [
                "`every_n_ops` with n_ops 5 writes no checkpoint, as there are only 4 operators: lower `checkpoint.n_ops`, or use `adaptive`"
            ]
        );
        assert_eq!(
            advice(&JobFacts { n_ops: 4, ..job }),
            [
                "no checkpoint follows the expensive `document_deduplicator`: name it in `checkpoint.op_names` with `strategy: manual`"
            ]
        );
        assert_eq!(
            advice(&JobFacts {
                seconds: Some(7200.0),
                strategy: Strategy::EveryOp,
                ..job
            }),
            [
                "for a job of about 120 minutes `manual` with `op_names: [document_deduplicator]` is recommended: checkpoint after expensive operators only"
            ]
        );
        let names = [
            "document_deduplicator".to_owned(),
            "text_length_filter".to_owned(),
        ];
        assert_eq!(
            advice(&JobFacts {
                strategy: Strategy::Manual,
                op_names: &names,
                ..job
            }),
            ["redoing `text_length_filter` is cheaper than the checkpoint after it"]
        );
        assert_eq!(
            advice(&JobFacts {
                strategy: Strategy::Adaptive,
                seconds: Some(60.0),
                ..job
            }),
            Vec::<String>::new()
        );
    }
}
