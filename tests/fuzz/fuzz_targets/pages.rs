#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| djhost::fuzz::pages(data));
