"""The command ``djhost``."""

import sys

from djhost import _djhost, _host


def main() -> int:
    """Run the command with the arguments of the process; return its exit code."""
    _host.prepare()
    return _djhost.main(["djhost", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
