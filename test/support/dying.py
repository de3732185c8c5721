"""Kill one worker of a program, once: whatever imports this dies in the middle of its work.

A program that starts processes imports it in its first line, so that its workers do, too. The first
worker that begins its fifth request ends there without another word, as by the OOM killer. It
leaves a copy of the folder ``state`` as it was in that moment, ``state-at-death``.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
from typing import Any

from urllib3.connection import HTTPConnection

_FATAL_REQUEST = 5

_request = HTTPConnection.request
_count = itertools.count(1)


def _request_or_die(*args: Any, **kwargs: Any) -> None:
    # Known to a worker only after it has imported the program.
    is_worker = multiprocessing.parent_process() is not None
    if is_worker and next(_count) == _FATAL_REQUEST:
        try:
            os.mkdir("died")
        except FileExistsError:
            pass  # Another worker has.
        else:
            # Files that begin with a dot are being written, and may be gone in a moment.
            shutil.copytree("state", "state-at-death", ignore=shutil.ignore_patterns(".*"))
            os._exit(9)
    _request(*args, **kwargs)


HTTPConnection.request = _request_or_die  # type: ignore[method-assign]
