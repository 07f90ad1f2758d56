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

rm -rf "$work/wheels"
host/python/wheel.sh "$work/wheels"

rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --requirement host/python/tests/requirements.txt
"$venv/bin/pip" install --quiet "$work"/wheels/*.whl

export DJHOST_CACHE_DIR=$PWD/target/tmp/djhost-cache
"$venv/bin/python" -m pytest -q host/python/tests "$@"
