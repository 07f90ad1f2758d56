#!/usr/bin/env bash
# Builds the wheel, for every Linux of this machine's kind with glibc 2.17 or later (manylinux2014), and Python 3.9 or later.
#
#   host/python/wheel.sh [DIRECTORY FOR THE WHEEL]      by default target/wheels
#
# Everything is compiled as for `cargo build --release`, in the same directory. Only the last step differs: `zig cc`, from PyPI, links against
# the names that glibc 2.17 had. The linker of this machine would take those of its own glibc, and the wheel would need that one. Needs Python 3.9 or
# later as `python3`, and the network for pip the first time.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath -m "${1:-target/wheels}")
work=$PWD/target/tmp/python
tools=$work/tools
if ! "$tools/bin/maturin" --version >/dev/null 2>&1 || ! "$tools/bin/python" -c 'import ziglang' 2>/dev/null; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet 'maturin>=1.9,<2' 'ziglang>=0.17,<0.18'
fi
linker=$work/linker
printf '#!/bin/sh\nexec "%s" -m ziglang cc -target "%s-linux-gnu.2.17" "$@"\n' "$tools/bin/python" "$(uname -m)" >"$linker"
chmod +x "$linker"
export ZIG_GLOBAL_CACHE_DIR=$work/zig
"$tools/bin/maturin" build --quiet --release --compatibility manylinux2014 --manifest-path host/python/Cargo.toml --out "$out" -- -C linker="$linker"
