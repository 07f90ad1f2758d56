#!/usr/bin/env bash
# Builds the wheel, installs it into a new environment below target/, and tests it: pytest, the examples of the documentation,
# mypy --strict, and the notebook. Needs Python 3.11 or later as `python3` (the package itself: 3.9), and the network for pip.
#
#   host/python/test.sh [ARGUMENTS OF PYTEST]
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/target/tmp/python
venv=$work/venv
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "python3 is " + sys.version.split()[0] + ": tests of the package need 3.11")'

tools=$work/tools
if ! "$tools/bin/maturin" --version >/dev/null 2>&1; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet 'maturin>=1.9,<2'
fi
rm -rf "$work/wheels"
"$tools/bin/maturin" build --quiet --release --manifest-path host/python/Cargo.toml --out "$work/wheels"

rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --requirement host/python/tests/requirements.txt
"$venv/bin/pip" install --quiet "$work"/wheels/*.whl

export DJHOST_CACHE_DIR=$PWD/target/tmp/djhost-cache
"$venv/bin/python" -m pytest -q host/python/tests "$@"
