//! Ways to fail, in any export.

use std::hint::black_box;

/// Does what `name` says. Returns only from those that a sandbox makes harmless.
pub(crate) fn cause(name: &str) {
    match name {
        "loop" => loop {
            black_box(());
        },
        "loop_memory" => {
            let mut memory = vec![0u8; 1 << 20];
            for i in 0usize.. {
                memory[i * 4099 % (1 << 20)] ^= black_box(1);
            }
        }
        "allocate" => {
            let mut kept = Vec::new();
            loop {
                kept.push(black_box(vec![1u8; 1 << 20]));
            }
        }
        // The first fills the engine's stack, the second the guest's own, at the bottom of its
        // memory.
        "recurse" => {
            black_box(recurse(black_box(1)));
        }
        "recurse_frames" => {
            black_box(recurse_frames(black_box(1)));
        }
        // Some tenths of a second, which is not forbidden.
        "work" => (0..1u64 << 28).for_each(|i| {
            black_box(i);
        }),
        "unreachable" => core::arch::wasm32::unreachable(),
        "panic" => panic!("this operator does not like the row"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "overflow_index" => {
            let list = black_box(vec![1, 2, 3]);
            black_box(list[black_box(4_000_000_000)]);
        }
        // As long as the clock can express: some 584 years.
        "sleep" => std::thread::sleep(std::time::Duration::MAX),
        "print" => (0..1_000_000).for_each(|i| println!("line {i} \u{1b}[31m of many")),
        "print_long" => eprint!("{}", "x".repeat(64 << 20)),
        _ => {}
    }
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if depth == 0 {
        0
    } else {
        recurse(depth.wrapping_add(1)).rotate_left(3) ^ depth
    }
}

#[inline(never)]
fn recurse_frames(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == 0 {
        0
    } else {
        recurse_frames(black_box(depth + 1)) + frame[(depth % 64) as usize]
    }
}
