"""`talon-one quickstart` walks through a checkout, and fails in one line where it cannot."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
from collections.abc import Callable

import pytest

import talon_one
from cli.program import TALON_ONE, Ended, run, variables
from support.platforms import needs_posix_files
from support.server import HANG_UP, RecordingServer, Response
from talon_one.cli import main
from talon_one.sandbox import Sandbox

FACTS = (
    "acceptCoupon",
    "setDiscount",
    "value: TEN-OFF",
    "Discount: 4.00",
    "State of the session: closed",
    "Redemptions of TEN-OFF: 1, by this customer: 1",
)


def refusal(ended: Ended, code: int = 1) -> str:
    """Return the one line on standard error with which the command gave up."""
    assert ended.code == code, ended
    (line,) = ended.err.splitlines()
    return line


def test_it_starts_a_sandbox_of_its_own_and_shows_the_coupon_used() -> None:
    # An empty variable counts as none.
    ended = run(TALON_ONE, "quickstart", more={"TALON_ONE_HOST": ""})
    assert (ended.code, ended.err) == (0, "")
    assert "(a sandbox, started for this run)" in ended.out
    assert [fact for fact in FACTS if fact not in ended.out] == []


def test_it_talks_to_the_host_that_the_environment_names() -> None:
    with Sandbox() as sandbox:
        ended = run(TALON_ONE, "quickstart", more=sandbox.environment())
        assert (ended.code, ended.err) == (0, "")
        assert f"Talking to {sandbox.url} (TALON_ONE_HOST)." in ended.out
        assert [fact for fact in FACTS if fact not in ended.out] == []
        with talon_one.IntegrationApi(host=sandbox.url, api_key=sandbox.api_key) as api:
            stored = api.get_customer_session(shown(ended.out, "Session")).customer_session
            inventory = api.get_customer_inventory(shown(ended.out, "Profile"), profile=True)
    assert stored is not None
    assert (stored.state, stored.coupon_codes, stored.total) == ("closed", ["TEN-OFF"], 40)
    assert inventory.profile is not None
    assert inventory.profile.closed_sessions == 1


def shown(text: str, label: str) -> str:
    """Return what stands behind a label."""
    found = re.search(rf"^{label}: (\S+)$", text, re.MULTILINE)
    assert found, text
    return found[1]


def test_a_coupon_that_is_refused_is_shown_with_the_reason() -> None:
    # Brackets are markup to rich, and must come through as they are.
    ended = run(TALON_ONE, "quickstart", "--coupon", "[bold]Ä")
    assert (ended.code, ended.err) == (0, "")
    assert "Coupon [bold]Ä is refused: CouponNotFound" in ended.out
    assert "Discount: 0.00" in ended.out
    assert "No coupon was redeemed." in ended.out


def test_a_host_without_a_server_is_reported_in_one_line() -> None:
    # A port that is taken, but not listened at, refuses connections for as long as it is held.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = run(
            TALON_ONE, "quickstart", more={"TALON_ONE_HOST": host, "TALON_ONE_API_KEY": "k"}
        )
    line = refusal(ended, code=3)
    assert line.startswith("talon-one: updateCustomerProfileV2 ")
    assert "refused" in line
    assert f"(PUT {host}/v2/customer_profiles/" in line


def test_a_wrong_key_is_reported_in_one_line_that_does_not_quote_it() -> None:
    with Sandbox() as sandbox:
        wrong = {**sandbox.environment(), "TALON_ONE_API_KEY": "guesswork"}
        ended = run(TALON_ONE, "quickstart", more=wrong)
    line = refusal(ended)
    assert "401 Unauthorized: Invalid or missing credentials" in line
    assert "guesswork" not in ended.out + ended.err


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[dict[str, str], int], str]:
    """A function that runs the quickstart in this process, and returns why it gave up."""
    for name in os.environ:
        if name.startswith("TALON_ONE_"):
            monkeypatch.delenv(name)

    def attempt(given: dict[str, str], code: int) -> str:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        ended = main(["quickstart"])
        said = capsys.readouterr()
        return refusal(Ended(ended, said.out, said.err), code)

    return attempt


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TALON_ONE_HOST": "http://127.0.0.1:9"}, "TALON_ONE_API_KEY"),
        ({"TALON_ONE_HOST": "shop.talon.one", "TALON_ONE_API_KEY": "k"}, "needs a scheme"),
    ],
    ids=["no key", "no scheme"],
)
def test_settings_that_cannot_work_are_one_line(
    given: dict[str, str], said: str, refused: Callable[[dict[str, str], int], str]
) -> None:
    assert said in refused(given, 2)


@pytest.mark.parametrize(
    ("response", "code", "said"),
    [
        (Response(200, "<html>\n"), 4, "not JSON"),
        (
            Response(500, {"message": "first line\nsecond line"}),
            1,
            "500 Internal Server Error (after 3 attempts): first",
        ),
        (HANG_UP, 4, "closed connection"),
    ],
    ids=["page of a proxy", "fault of the server", "no response"],
)
def test_an_unusable_response_is_one_line(
    response: Response, code: int, said: str, refused: Callable[[dict[str, str], int], str]
) -> None:
    with RecordingServer(default=response) as server:
        assert said in refused({"TALON_ONE_HOST": server.url, "TALON_ONE_API_KEY": "k"}, code)


def test_piped_output_has_neither_colours_nor_lines_that_are_too_long() -> None:
    ended = run(TALON_ONE, "quickstart", more={"COLUMNS": "60", "TERM": "xterm-256color"})
    assert "\x1b" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= 60


@needs_posix_files
def test_in_a_narrow_terminal_nothing_is_lost() -> None:
    columns = 32
    output = in_terminal(columns)
    plain = re.sub(r"\x1b\[[\d;]*m", "", output)
    assert plain != output, "a terminal gets bold headings"
    assert max(map(len, plain.splitlines())) <= columns
    # Cells and sentences are broken where they must be, so only the characters are compared.
    for word in ("Redemptions of TEN-OFF: 1", "State of the session: closed", "name: 10%"):
        assert word.replace(" ", "") in re.sub(r"\s", "", plain)


def in_terminal(columns: int) -> str:
    """Return what the command writes to a terminal of this width."""
    # Windows does not have these modules.
    import fcntl
    import pty
    import termios

    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    more = {"TERM": "xterm-256color"}
    with subprocess.Popen(
        [TALON_ONE, "quickstart"], env=variables(more), stdin=there, stdout=there, stderr=there
    ) as running:
        os.close(there)
        output = b""
        while piece := read(here):
            output += piece
        os.close(here)
    assert running.returncode == 0, output
    return output.decode()


def read(terminal: int) -> bytes:
    """Return what comes next; nothing once all writers are gone."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux raises this when the other side is closed.
        return b""


def test_a_console_without_unicode_is_served_as_well() -> None:
    ended = run(TALON_ONE, "quickstart", "--coupon", "Ä", more={"PYTHONIOENCODING": "ascii"})
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.isascii()
    assert r"Coupon \xc4 is refused" in ended.out


def test_a_reader_that_goes_away_early_is_no_crash() -> None:
    with subprocess.Popen(
        [TALON_ONE, "quickstart"],
        env=variables({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert b"Traceback" not in running.stderr.read()
