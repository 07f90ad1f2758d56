#!/usr/bin/env bash
# Makes @NAME@.wasm. `djhost ops build` looks for the tools first.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3
    [ ! -x .venv/bin/python ] || PYTHON=$PWD/.venv/bin/python
fi
export PYTHON
# wasm-tools is beside the Python that it was installed with.
case $PYTHON in */*) PATH="$(dirname "$PYTHON"):$PATH" ;; esac
bash sdk/@LANG@/build.sh @NAME@.wasm @FILE@
