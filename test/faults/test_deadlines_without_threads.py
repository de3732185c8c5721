"""A deadline needs no thread, so it holds where no thread can be started."""

from __future__ import annotations

import threading

import pytest

from support import fresh_program
from support.calls import READ, make_client
from support.certificates import certificate_of, server_context
from support.server import SILENCE, RecordingServer, Response
from talon_one import ReadTimeoutError

pytestmark = pytest.mark.one_shell("asyncio has timers in its loop")

TRICKLE = Response(body={"a": "b" * 3000}, pace=0.001)

CALL = """
import sys
from support.calls import READ, make_client
from talon_one import ReadTimeoutError

client = make_client(sys.argv[1], retries=0)

def call():
    READ(client, _deadline=10)
    try:
        READ(client, _deadline=0.15)
    except ReadTimeoutError as failure:
        print(failure.reason)
"""


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("response", [SILENCE, TRICKLE], ids=["silence", "trickle"])
def test_a_deadline_is_kept_where_no_thread_can_be_started(
    secure: bool, response: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with (
        RecordingServer(server_context() if secure else None) as server,
        make_client(server.url, ca_cert_data=certificate_of("ours"), retries=0) as client,
    ):
        READ(client)
        server.script(response)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(ReadTimeoutError, match="the deadline has passed"):
                READ(client, _deadline=0.15)


def test_a_deadline_is_kept_while_the_interpreter_shuts_down() -> None:
    with RecordingServer() as server:
        server.script({}, TRICKLE)
        printed = fresh_program.run(CALL + "import atexit; atexit.register(call)", server.url)
        assert printed.strip().endswith("the deadline has passed")


@pytest.mark.parametrize(
    "where", ["threading._register_atexit(call)", "threading.Thread(target=call).start()"]
)
def test_a_deadline_is_kept_in_threads_that_outlive_the_main_one(where: str) -> None:
    with RecordingServer() as server:
        server.script({}, TRICKLE)
        printed = fresh_program.run(f"{CALL}\nimport threading\n{where}", server.url)
        assert printed.strip().endswith("the deadline has passed")


def test_a_call_with_a_deadline_starts_no_thread() -> None:
    with RecordingServer() as server, make_client(server.url) as client:
        READ(client)
        before = threading.active_count()
        seen = []
        server.default = lambda _: seen.append(threading.active_count()) or Response(body={})  # type: ignore[func-returns-value]
        READ(client, _deadline=5)
        assert seen == [before]


def test_a_deadline_is_kept_in_a_subinterpreter() -> None:
    with RecordingServer() as server:
        server.script({}, TRICKLE)
        program = f"import sys\nsys.argv = ['', {server.url!r}]\n{CALL}\ncall()\n"
        fresh_program.run(
            f"""
program = {program!r}
try:
    import _interpreters
except ModuleNotFoundError:  # Before Python 3.13.
    import _xxsubinterpreters
    _xxsubinterpreters.run_string(_xxsubinterpreters.create(isolated=False), program)
else:
    failure = _interpreters.exec(_interpreters.create("legacy"), program)
    assert failure is None, failure
"""
        )
        assert len(server.requests) == 2
