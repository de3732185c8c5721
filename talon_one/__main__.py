"""`python -m talon_one`, for systems where the `talon-one` script is not on the path."""

import sys

from talon_one.cli import main

if __name__ == "__main__":
    sys.exit(main())
