#!/usr/bin/env bash
# Makes @NAME@.wasm. `djhost ops build` looks for the tools first.
set -euo pipefail
cd "$(dirname "$0")"
if [ -z "${PYTHON:-}" ]; then
    PYTHON=python3
    [ ! -x .venv/bin/python ] || PYTHON=.venv/bin/python
fi
PYTHONPATH=sdk "$PYTHON" -m djhost_sdk build @NAME@.py -o @NAME@.wasm
