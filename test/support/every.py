"""One test over many values, which names every value that it fails for."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from support.server import RecordingServer

Test = Callable[..., None]

# Where the report shows the first failure in full, a line or two must do for the others.
_LONGEST_DETAIL = 240


def for_every(
    names: str, values: Iterable[Any], label: Callable[[Any], str] = str
) -> Callable[[Test], Test]:
    """Run a test for each of many values, as a single test that reports all failures together.

    It is written like `pytest.mark.parametrize`, and goes with it. Collecting thousands of cases
    takes longer than running them, so this is for those that differ in their data alone; what
    behaves differently stays a case of its own. Fixtures are made once; a `RecordingServer` among
    them forgets its requests and its script between the values.

    Args:
        names: The argument of the test, or several with commas between them.
        values: Its values, or tuples of them; there must be some.
        label: What a value is called in the report.
    """
    arguments = [each.strip() for each in names.split(",")]
    cases = [each if len(arguments) > 1 else (each,) for each in values]

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def over_all(**fixtures: Any) -> None:
            servers = [each for each in fixtures.values() if isinstance(each, RecordingServer)]
            failures: list[tuple[str, BaseException]] = []
            for case in cases:
                for server in servers:
                    server.clear()
                try:
                    test(**fixtures, **dict(zip(arguments, case, strict=True)))
                except (Exception, pytest.fail.Exception) as failure:  # Any failure is reported.
                    failures.append(("-".join(map(label, case)), failure))
            assert cases, f"there is no {names} to test"
            if failures:
                raise AssertionError(_report(failures, len(cases))) from failures[0][1]

        signature = inspect.signature(test)
        left = [each for each in signature.parameters.values() if each.name not in arguments]
        # Pytest is to supply the fixtures only.
        over_all.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
        return over_all

    return decorate


def _report(failures: list[tuple[str, BaseException]], total: int) -> str:
    lines = [f"  {_shortened(name, 80)}: {_detail(failure)}" for name, failure in failures]
    return "\n".join([f"{len(failures)} of {total} failed:", *lines])


def _detail(failure: BaseException) -> str:
    """Return the line of the test that failed, and the beginning of what the failure says."""
    # The first frame is that of the loop, the second one that of the test.
    _, frame, *_ = [*traceback.extract_tb(failure.__traceback__), None]
    where = f"{Path(frame.filename).name}:{frame.lineno}: " if frame else ""
    said = " ".join(str(failure).split())
    return f"{where}{type(failure).__name__}: {_shortened(said, _LONGEST_DETAIL)}"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}..."
