"""A test over many values fails if one of them does, and names all that do."""

from __future__ import annotations

import inspect
import json
from urllib.request import urlopen

import pytest

from support.every import for_every
from support.server import RecordingServer


def test_every_value_that_fails_is_named_with_the_line_and_the_reason() -> None:
    seen = []

    @for_every("number", range(1, 6))
    def over_all(number: int) -> None:
        seen.append(number)
        if number == 2:
            pytest.fail("two is odd")
        assert number != 4, "no four"
        if number == 5:
            raise KeyError("five")

    with pytest.raises(AssertionError) as caught:
        over_all()
    assert seen == [1, 2, 3, 4, 5]
    first, *lines = str(caught.value).splitlines()
    line = inspect.getsourcelines(over_all)[1]
    assert first == "3 of 5 failed:"
    assert lines[0] == f"  2: test_every.py:{line + 4}: Failed: two is odd"
    assert lines[1].startswith(f"  4: test_every.py:{line + 5}: AssertionError: no four")
    assert lines[2] == f"  5: test_every.py:{line + 7}: KeyError: 'five'"
    assert str(caught.value.__cause__) == "two is odd"


def test_several_arguments_come_from_tuples_and_all_of_them_are_in_the_name() -> None:
    @for_every("letter, number", [("a", 1), ("b", 2)], label=lambda value: f"<{value}>")
    def over_all(number: int, letter: str) -> None:
        assert (letter, number) == ("a", 1)

    with pytest.raises(AssertionError, match=r"^1 of 2 failed:\n  <b>-<2>: "):
        over_all()


def test_no_values_are_a_failure() -> None:
    @for_every("number", [])
    def over_all(number: int) -> None:
        """Would pass."""

    with pytest.raises(AssertionError, match="there is no number to test"):
        over_all()


def test_an_interrupt_ends_it() -> None:
    seen = []

    @for_every("number", range(3))
    def over_all(number: int) -> None:
        seen.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        over_all()
    assert seen == [0]


def test_a_server_has_no_memories_of_the_values_before() -> None:
    with RecordingServer() as server:

        @for_every("number", range(3))
        def over_all(server: RecordingServer, number: int) -> None:
            server.script({"number": number}, {"left": number})
            with urlopen(server.url) as response:
                assert json.load(response) == {"number": number}
            assert len(server.requests) == 1

        assert list(inspect.signature(over_all).parameters) == ["server"]
        over_all(server=server)


@pytest.mark.parametrize("small", [True, False])
@for_every("number", range(3))
def test_it_goes_with_fixtures_and_parameters(
    tmp_path_factory: pytest.TempPathFactory, number: int, small: bool
) -> None:
    assert tmp_path_factory.getbasetemp().exists()
    assert isinstance(small, bool)
    assert number < 3
