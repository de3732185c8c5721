"""`python -m talon_one.cli`, for systems where the `talon-one` script is not on the path."""

import sys

from talon_one.cli import main

sys.exit(main())
