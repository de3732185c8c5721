"""Properties that the description marks as passwords are sent, but never shown."""

from __future__ import annotations

from typing import Any

import pytest

import talon_one
from support.every import for_every
from support.samples import sample_object
from support.spec import MODELS, properties
from talon_one._schema.scalar_checks import text_check
from talon_one._schema.validation import violations

_SECRETS = [
    (name, wire)
    for name in MODELS
    for wire, node in properties(name).items()
    if node.get("format") == "password"
]


@pytest.mark.parametrize("secret", ["hush-hush", {"of": "hush-hush"}, ["hush-hush"]], ids=str)
@for_every("name, wire", _SECRETS)
def test_a_secret_is_sent_but_not_shown(name: str, wire: str, secret: Any) -> None:
    model = getattr(talon_one, name).from_dict({**sample_object(name), wire: secret})
    shown = [repr(model), str(model), f"{model}", model.to_str(), repr([model])]
    assert not any("hush-hush" in text for text in shown)
    assert all("***" in text for text in shown)
    assert model[wire] == secret
    assert model.to_wire()[wire] == secret
    assert secret in model.to_dict().values()


def test_a_message_about_a_text_that_is_no_secret_quotes_it() -> None:
    for secret, said in ((False, "'a b'"), (True, "the secret")):
        (fault,) = text_check({"pattern": "^x$", **({"secret": True} if secret else {})})("a b")
        assert said in fault.message


@for_every("name, wire", _SECRETS)
def test_a_message_about_a_wrong_secret_does_not_quote_it(name: str, wire: str) -> None:
    cls = getattr(talon_one, name)
    for wrong in ("hush-hush" * 1000, 17_171_717, ["hush-hush"], {"a": "hush-hush"}):
        model = cls.from_dict({**sample_object(name), wire: wrong})
        said = " ".join(each.message for each in violations(model))
        assert "hush-hush" not in said
        assert "17171717" not in said
        assert said or isinstance(wrong, str)
