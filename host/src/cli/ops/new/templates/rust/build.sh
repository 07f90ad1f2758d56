#!/usr/bin/env bash
# Makes @NAME@.wasm. `djhost ops build` looks for the tools first.
set -euo pipefail
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-target}
cargo build --release --target wasm32-wasip2 --target-dir "$target"
cp "$target/wasm32-wasip2/release/@NAME@.wasm" @NAME@.wasm
