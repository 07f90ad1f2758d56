//! Models written byte by byte: what they say, and that damage never panics.

/// Words and their hashes, computed apart.
pub(crate) const HASHES: [(&str, u64); 7] = [
    ("", 0x0000_0000_0000_0000),
    ("a", 0x0717_17d2_d36b_6b11),
    ("<unk>", 0xea91_e756_1f5b_392b),
    ("<s>", 0x0075_8639_bd21_7e70),
    ("</s>", 0x6be0_737d_f1f7_6c0a),
    ("sentence", 0xef12_6eef_2c2e_ca64),
    ("internationalisation", 0x99ea_9f42_4e78_a7f8),
];
