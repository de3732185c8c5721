"""Random requests: nothing is an error of the sandbox itself, and it goes on working."""

from __future__ import annotations

from sandbox.fuzzing import fuzz, logged_errors
from sandbox.raw import Wire, put
from talon_one.sandbox import Sandbox


def test_no_request_makes_the_sandbox_fail() -> None:
    with logged_errors() as messages, Sandbox() as sandbox:
        caller = fuzz(sandbox.port, 1_200, seed=11)
        with Wire(sandbox) as wire:
            assert wire.send(put("afterwards")).response()[0] == 200
    assert caller.wrong == []
    assert messages == []
    # Enough of them got through to the operations, and enough were refused.
    assert min(caller.statuses[status] for status in (200, 400, 401, 404)) > 10
