"""What operations send as body: JSON given in any form and by any name, and files."""

from __future__ import annotations

import io
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

import talon_one
from operations.arguments import FILE, arguments, payload
from support.every import for_every
from support.samples import written
from support.server import Received, RecordingServer
from support.spec import OPERATIONS, Operation, is_model, underscored
from talon_one import ApiTypeError, ApiValueError, ModelValidationError

# Deprecated operations are tested elsewhere for what they warn of.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")

_WITH_BODY = [each for each in OPERATIONS if each.body]
_WITH_MODEL = [each for each in OPERATIONS if each.body and is_model(each.body)]
_WITH_FILE = [each for each in OPERATIONS if each.upload]


@pytest.mark.parametrize("everything", [True, False], ids=["all", "required"])
@for_every("operation", _WITH_BODY)
def test_a_dict_and_a_model_arrive_as_the_same_json(
    method: Callable[..., Any], server: RecordingServer, operation: Operation, everything: bool
) -> None:
    given = arguments(operation, everything=False)
    data = payload(operation, everything)["body"]
    # A free-form body has no class of its own, so any will do.
    cls = getattr(talon_one, operation.body or "") if operation in _WITH_MODEL else talon_one.Model
    model = cls.from_dict(data)
    method(operation)(**given, body=data)
    method(operation)(**given, body=model)
    as_dict, as_model = server.requests
    assert as_dict.headers["Content-Type"] == as_model.headers["Content-Type"] == "application/json"
    assert as_dict.method == operation.method
    assert written(as_dict.json()) == written(as_model.json()) == written(data)


@for_every("operation", _WITH_BODY)
def test_the_body_may_be_given_by_position_and_by_either_name(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = arguments(operation, everything=False)
    data = payload(operation)["body"]
    method(operation)(*given.values(), data)
    method(operation)(**given, body=data)
    method(operation)(**given, **{underscored(operation.body or ""): data})
    first, *others = server.requests
    assert first.json() == data
    assert [(each.target, each.body) for each in others] == [(first.target, first.body)] * 2


@for_every("operation", _WITH_MODEL)
def test_models_of_earlier_releases_are_accepted_and_others_are_not(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = arguments(operation, everything=False)
    for name in operation.also:
        method(operation)(**given, body=getattr(talon_one, name)())
        assert server.last.json() == {}
    server.clear()
    with pytest.raises(ApiTypeError, match=rf"{operation.id} takes {operation.body}.*, not Effect"):
        method(operation)(**given, body=talon_one.Effect.from_dict({}))
    with pytest.raises(ApiTypeError, match="or a dict of wire names, not list"):
        method(operation)(**given, body=[])
    with pytest.raises(ApiValueError, match="needs 'body'"):
        method(operation)(**given)
    assert server.requests == []


@for_every("operation", _WITH_BODY)
def test_a_body_that_is_not_allowed_is_refused_before_it_is_sent(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = arguments(operation, everything=False)
    wrong = {**payload(operation)["body"], "surprise": float("nan")}
    with pytest.raises(ModelValidationError, match=r"\$\.surprise must be a finite number"):
        method(operation)(**given, body=wrong)
    assert server.requests == []


@for_every("operation", _WITH_FILE)
def test_a_file_is_sent_as_the_one_part_of_a_form(
    method: Callable[..., Any], server: RecordingServer, operation: Operation
) -> None:
    given = arguments(operation, everything=False)
    method(operation)(**given, up_file=FILE)
    method(operation)(*given.values(), FILE)
    for received in server.requests:
        assert received.method == operation.method
        part = _only_part(received)
        assert part.get_param("name", header="Content-Disposition") == operation.upload
        assert part.get_content_type() == "text/csv"
        assert part.get_payload(decode=True) == FILE


def test_a_file_may_be_given_in_many_forms(
    method: Callable[..., Any], server: RecordingServer, tmp_path: Path
) -> None:
    path = tmp_path / "members.csv"
    path.write_bytes(FILE)
    operation = _WITH_FILE[0]
    given = arguments(operation, everything=False)
    text = FILE.decode()
    with path.open("rb") as binary, path.open(encoding="utf-8", newline="") as textual:
        forms = [path, str(path), binary, textual, ("members.csv", FILE), io.BytesIO(FILE)]
        for form in [*forms, io.StringIO(text)]:
            method(operation)(**given, up_file=form)
    parts = [_only_part(received) for received in server.requests]
    assert [part.get_payload(decode=True) for part in parts] == [FILE] * 7
    assert [part.get_filename() for part in parts] == ["members.csv"] * 5 + ["upload.csv"] * 2


def test_an_operation_without_its_file_is_refused(
    method: Callable[..., Any], server: RecordingServer, tmp_path: Path
) -> None:
    operation = _WITH_FILE[0]
    given = arguments(operation, everything=False)
    with pytest.raises(ApiValueError, match="needs 'up_file'"):
        method(operation)(**given)
    with pytest.raises(ApiValueError, match="cannot read the file"):
        method(operation)(**given, up_file=tmp_path / "missing.csv")
    with pytest.raises(ApiTypeError, match="an open file or an iterable of bytes, not int"):
        method(operation)(**given, up_file=1)
    assert server.requests == []


def _only_part(received: Received) -> Message:
    kind = received.headers["Content-Type"]
    assert kind.startswith("multipart/form-data; boundary=")
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + received.body)
    parts = form.get_payload()
    assert isinstance(parts, list)
    (part,) = parts
    assert isinstance(part, Message)
    return part
