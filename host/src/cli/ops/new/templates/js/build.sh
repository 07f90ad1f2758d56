#!/usr/bin/env bash
# Makes @NAME@.wasm. `djhost ops build` looks for the tools first.
set -euo pipefail
cd "$(dirname "$0")"
node sdk/build.js @FILE@ -o @NAME@.wasm
