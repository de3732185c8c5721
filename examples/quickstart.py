"""The quickstart as a script; its source is `talon_one/cli/quickstart.py`."""

import sys

from talon_one.cli import main

if __name__ == "__main__":
    sys.exit(main(["quickstart"]))
