//! Advice on checkpoints, from the table of strategies and the categories of operators in
//! Data-Juicer's documentation.

use crate::config::Strategy;

/// What the name of an operator says about its cost, by the patterns of the documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// Checkpoint after these: they have global state or run a model.
    Expensive,
    /// Running these again is cheaper than a checkpoint.
    Cheap,
    /// The documentation says nothing about these.
    Unknown,
}

/// Returns the category of an operator. `*_deduplicator`, `*_embedding_*`, `*_model_*`,
/// `*_vision_*` and `*_audio_*` are expensive; `*_filter`, `clean_*` and `remove_*` are cheap. An
/// operator of both kinds (`image_embedding_filter`) is expensive. The words also count at either
/// end of a name (`embedding_mapper`, which the documentation itself calls expensive).
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

/// What is known about a job when it is planned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JobFacts<'a> {
    /// Names of the operators, in order.
    pub ops: &'a [&'a str],
    /// The strategy in effect.
    pub strategy: Strategy,
    /// `n_ops`, for `every_n_ops`.
    pub n_ops: u64,
    /// `op_names`, for `manual`.
    pub op_names: &'a [String],
    /// Expected duration in seconds, from measured speeds of the operators or an earlier run; None
    /// if unknown.
    pub seconds: Option<f64>,
}

/// Returns the strategy that the documentation recommends for a job of this duration, and its
/// rationale. An unknown duration counts as 10–60 minutes, the default.
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

/// Returns advice for `djhost plan`, one line each; none if there is nothing to improve.
pub(crate) fn advice(job: &JobFacts<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let expensive: Vec<&str> = job
        .ops
        .iter()
        .copied()
        .filter(|op| category(op) == Category::Expensive)
        .collect();
    let (better, rationale) = recommended(job.seconds, !expensive.is_empty());
    // `adaptive` uses measured times itself, so the table adds nothing.
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
            // If the next operator is cheap, the checkpoint after it protects as well.
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
