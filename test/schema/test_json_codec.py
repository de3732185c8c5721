"""JSON text and Python data: nothing is lost on the way in, nothing wrong is sent."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talon_one import NULL, ApiTypeError, ApiValueError, CartItem
from talon_one._schema import json_codec
from talon_one._schema.scalars import whole

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.fixture(params=["orjson", "json"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test with and without the faster library."""
    if request.param == "json":
        monkeypatch.setattr(json_codec, "orjson", None)
    else:
        assert json_codec.orjson is not None, "orjson is among the requirements of the tests"
    return str(request.param)


class Colour(Enum):
    RED = "red"


class Shade(str, Enum):
    DARK = "dark"


@given(JSON)
def test_what_was_encoded_decodes_to_the_same_data(data: Any) -> None:
    assert json_codec.decode(json_codec.encode(data)) == data


@given(JSON)
def test_what_another_library_wrote_decodes_to_the_same_data(data: Any) -> None:
    assert json_codec.decode(json.dumps(data).encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
        "18446744073709551616",
        '{"id": 99999999999999999999}',
        '["\\ud800"]',
        '"\\udfff\\ud83d"',
        "[0.1, 1e22, -0.0]",
        "\ufeff[1]",
    ],
)
def test_decoding_gives_what_the_standard_library_gives(text: str) -> None:
    expected = json.loads(text.removeprefix("\ufeff"))
    decoded = json_codec.decode(text.encode("utf-8", "surrogatepass"))
    assert decoded == expected
    assert type(decoded) is type(expected)


def test_deep_nesting_decodes_or_is_a_value_error() -> None:
    assert json_codec.decode(b"[" * 500 + b"]" * 500)
    with pytest.raises(ValueError, match="nested too deeply"):
        json_codec.decode(b"[" * 1_000_000 + b"]" * 1_000_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (CartItem(sku="A", quantity=2), '{"sku":"A","quantity":2}'),
        ([CartItem.from_dict({"sku": "A"})], '[{"sku":"A"}]'),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), '"2026-01-02T00:00:00Z"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (Decimal("10.10"), "10.1"),
        (Decimal("5"), "5"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Colour.RED, '"red"'),
        (NULL, "null"),
        ({"a": NULL, "b": None}, '{"a":null,"b":null}'),
        (("a", 1), '["a",1]'),
        ({3}, "[3]"),
        (MappingProxyType({"a": 1}), '{"a":1}'),
        ({7: "seven"}, '{"7":"seven"}'),
        (2**70, str(2**70)),
        ("grün 🎉", '"grün 🎉"'),
    ],
)
def test_every_value_that_json_has_a_form_for_is_written_in_it(value: Any, text: str) -> None:
    assert json.loads(json_codec.encode(value)) == json.loads(text)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, Decimal("NaN")])
def test_a_number_that_json_does_not_have_is_refused_with_its_path(number: Any) -> None:
    with pytest.raises(ApiValueError, match=r"at \$\.cart\[1\]\.price"):
        json_codec.encode({"cart": [{"price": 1}, {"price": number}]})


def test_a_naive_datetime_is_refused_with_its_path() -> None:
    with pytest.raises(ApiValueError, match=r"no time zone.* at \$\.when"):
        json_codec.encode({"when": datetime(2026, 1, 1)})


def test_a_value_that_json_cannot_express_is_refused_with_its_path() -> None:
    with pytest.raises(ApiTypeError, match=r"object cannot be written as JSON at \$\.a\[0\]"):
        json_codec.encode({"a": [object()]})


def test_data_that_contain_themselves_are_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ApiValueError, match="cannot be written as JSON"):
        json_codec.encode(loop)


def test_plain_data_keep_a_naive_datetime_as_text() -> None:
    moment = datetime(2026, 1, 1, 12)
    assert json_codec.plain({"when": moment}) == {"when": "2026-01-01T12:00:00"}


@given(JSON)
def test_plain_data_of_plain_data_are_the_same(data: Any) -> None:
    assert json_codec.plain(data) == data


LONG = "9" * 5_000


@pytest.mark.parametrize(
    "text",
    [
        "1e400",
        "-1e400",
        "1E+400",
        "123456789.5e999999",
        f"{LONG}",
        f"-{LONG}",
        f"{LONG}.5",
        f"1{'0' * 400}.0",
        "1e0400",
    ],
)
def test_a_number_that_python_does_not_read_goes_back_as_it_came(text: str) -> None:
    for body in (text, f'{{"a":[{text},1.5,"x"]}}', f"[{text},null]"):
        data = json_codec.decode(body.encode())
        assert json_codec.encode(data).decode() == body
        assert json_codec.decode(json_codec.encode(data)) == data
        assert json_codec.encode(json_codec.plain(data)).decode() == body
        assert json_codec.encode(pickle.loads(pickle.dumps(data))).decode() == body
        assert json_codec.encode(copy.deepcopy(data)).decode() == body
        assert json_codec.decode(body) == data, "as text, too"
        assert text.lower().replace("e+", "e") in repr(data).lower().replace("e+", "e")
    number = json_codec.decode(text.encode())
    assert isinstance(number, float)
    assert math.isinf(number)
    assert (number < 0) is text.startswith("-")
    assert number != json_codec.decode(b"2e400")
    item = CartItem(sku="A", quantity=1, price=number)
    item.validate()
    assert f'"price":{text}' in item.to_json()


def test_an_infinity_that_was_computed_is_no_number_that_came() -> None:
    received = json_codec.decode(b"1e400")
    for number in (received * 2, received - 1, math.inf):
        with pytest.raises(ApiValueError, match="not a JSON number"):
            json_codec.encode([number])


def test_nonstandard_json_is_read_but_not_written() -> None:
    for text in (b"[NaN]", b"[Infinity]", b"[-Infinity]"):
        data = json_codec.decode(text)
        assert not math.isfinite(data[0])
        with pytest.raises(ApiValueError, match=r"not a JSON number at \$\[0\]"):
            json_codec.encode(data)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("-0.0", "-0.0"),
        ("0.1", "0.1"),
        ("1e22", "1e22"),
        ("5e-324", "5e-324"),
        ("1e-400", "0.0"),
        ("0.12345678901234567890", "0.12345678901234568"),
        ("1.7976931348623157e308", "1.7976931348623157e308"),
        ("9007199254740993", "9007199254740993"),
        (str(2**64), str(2**64)),
        ("1" * 4_000, "1" * 4_000),
        ('{"a":1,"a":2}', '{"a":2}'),
        ('"\\ud800"', '"\\ud800"'),
    ],
)
def test_a_number_that_python_reads_is_written_as_python_has_it(text: str, again: str) -> None:
    for end in ("", "\n", " \r\n\t"):
        data = json_codec.decode((text + end).encode())
        assert json_codec.encode(data).decode().replace("e+", "e") == again
        assert math.copysign(1, data) < 0 if text == "-0.0" else True


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50))
def test_numbers_read_the_same_however_often_they_came(numbers: list[float]) -> None:
    text = json.dumps(numbers).encode()
    for _ in range(2):
        decoded = json_codec.decode(text)
        assert list(map(repr, decoded)) == list(map(repr, numbers))


def test_far_more_numbers_than_are_remembered_are_read() -> None:
    numbers = [each / 8 for each in range(10_000)]
    assert json_codec.decode(json.dumps(numbers).encode()) == numbers
    assert json_codec.decode(json.dumps(numbers).encode()) == numbers


@pytest.mark.parametrize("text", [b"", b" ", b"{", b"[1] 2", b"1 x", b"\xff", b"nul", b"[1,]"])
def test_invalid_json_is_a_value_error(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_codec.decode(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_json_is_read_in_every_encoding_that_json_may_have(encoding: str) -> None:
    assert json_codec.decode('{"a": "ä"}'.encode(encoding)) == {"a": "ä"}


def test_an_integer_of_more_digits_than_python_writes_is_written() -> None:
    assert json_codec.encode({"a": 10**5_000}).decode() == f'{{"a":1{"0" * 5_000}}}'


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("5.00"), "5"),
        (Decimal("-0"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1e400"), "1E+400"),
        (Decimal("-1e999999"), "-1E+999999"),
    ],
)
def test_a_decimal_is_written_as_the_number_it_is(number: Decimal, text: str) -> None:
    assert json_codec.encode(number).decode() == text
    assert json_codec.encode(json_codec.plain([number])).decode() == f"[{text}]"


def test_a_whole_number_is_one_whatever_its_type() -> None:
    assert whole(True) is None
    assert whole(5.0) is None
    assert whole("5") is None
    assert whole(5) == whole(Decimal("5.00")) == 5
    assert whole(Decimal("1e308")) == 10**308
    assert whole(Decimal("1e309")) is None
    assert whole(Decimal("5.5")) is None
    assert whole(Decimal("NaN")) is whole(Decimal("sNaN")) is None
    assert whole(Decimal("Infinity")) is None


class Hostile(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


class _Items(dict[str, Any]):
    def items(self) -> Any:
        raise Hostile


class _Mapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise Hostile

    def __iter__(self) -> Iterator[str]:
        raise Hostile

    def __len__(self) -> int:
        return 1


class _Zone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        raise Hostile

    def dst(self, moment: datetime | None) -> None: ...

    def tzname(self, moment: datetime | None) -> str:
        raise Hostile


@pytest.mark.parametrize("value", [_Mapping(), datetime(2026, 1, 1, tzinfo=_Zone())])
def test_what_an_object_of_the_caller_raises_is_the_cause_of_an_error_with_the_path(
    value: Any,
) -> None:
    with pytest.raises((ApiValueError, ApiTypeError), match=r"at \$\.a\[1\]") as caught:
        json_codec.encode({"a": [1, value]})
    assert isinstance(caught.value.__cause__, Hostile)
    with pytest.raises((ApiValueError, ApiTypeError)) as caught:
        json_codec.plain({"a": [1, value]})
    assert isinstance(caught.value.__cause__, Hostile)


@pytest.mark.parametrize("keys", [{(1, 2): 1}, {b"a": 1}, {None: 1, (): 2}])
def test_a_key_that_json_does_not_have_is_refused_at_its_object(keys: Any) -> None:
    with pytest.raises(ApiTypeError, match=r"keys must be .* at \$\.a\[0\]$"):
        json_codec.encode({"a": [keys]})


def test_keys_are_written_the_same_by_every_encoder() -> None:
    data = {
        True: 1,
        None: 2,
        3: 3,
        4.5: 4,
        Shade.DARK: 5,
        "b": 6,
        "far": json_codec.decode(b"1e400"),
    }
    near = {**data, "far": 7}
    expected = json.dumps(near, separators=(",", ":"), default=str)
    assert json_codec.encode(data).decode() == expected.replace('"far":7', '"far":1e400')
