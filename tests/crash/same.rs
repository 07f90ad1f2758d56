//! The bytes of the export do not depend on how the work is cut and stored.

use proptest::prelude::*;

use super::bench::{Bench, Result};

fn expected() -> &'static Result {
    static EXPECTED: std::sync::OnceLock<Result> = std::sync::OnceLock::new();
    EXPECTED.get_or_init(|| Bench::new(700).with("partition", "{mode: manual, num_of_partitions: 1}").with("np", "1").undisturbed())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_export_is_the_same(
        np in 1..5_u32,
        partition in prop_oneof![
            (1..40_u32).prop_map(|n| format!("{{mode: manual, num_of_partitions: {n}}}")),
            (1..900_u32).prop_map(|n| format!("{{mode: manual, size: {n}}}")),
            Just("{mode: auto}".to_owned()),
        ],
        batch_kb in prop_oneof![Just(16_u32), Just(64), Just(512), Just(2048)],
        strategy in prop_oneof![Just("every_op"), Just("every_n_ops"), Just("manual"), Just("disabled"), Just("adaptive")],
        format in prop_oneof![Just("parquet"), Just("arrow"), Just("jsonl")],
        compression in prop_oneof![Just("snappy"), Just("gzip"), Just("none"), Just("zstd"), Just("lz4")],
    ) {
        // Arrow knows two kinds of compression.
        let compression = if format == "arrow" && !["zstd", "lz4", "none"].contains(&compression) { "zstd" } else { compression };
        let bench = Bench::new(700)
            .with("np", &np.to_string())
            .with("partition", &partition)
            .with("batch_size_kb", &batch_kb.to_string())
            .with("strategy", strategy)
            .with("format", format)
            .with("compression", compression);
        bench.ok(&[]);
        prop_assert_eq!(&bench.result(), expected());
    }
}
