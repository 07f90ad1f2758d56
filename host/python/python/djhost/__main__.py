"""The command ``djhost``."""

import sys

from djhost import _djhost


def main() -> int:
    return _djhost.main(["djhost", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
