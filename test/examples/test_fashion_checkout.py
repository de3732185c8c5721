"""The checkout of the fashion shop prints its story, and each amount in it is explained."""

from __future__ import annotations

import sys

from cli.program import run
from docs.pages import ROOT

_SCRIPT = ROOT / "examples" / "fashion_checkout.py"

STORY = """\
Carla fills her cart while Talon.One is down.
  no discounts: NoResponseError
  2 SHIRT-2: 60.00
  to pay: 64.90, saved: 0.00
It is back. She adds a coat, and two codes.
  2 SHIRT-2: 54.00
  1 COAT-7: 75.60 Sale
  Welcome by WELCOME10: -14.40
  230 points
  We do not know the code WELCOME99. Please check the spelling.
  to pay: 129.60, saved: 55.30
She orders, and clicks twice.
  closed now: True
  2 SHIRT-2: 54.00
  1 COAT-7: 75.60 Sale
  Welcome by WELCOME10: -14.40
  230 points
  to pay: 129.60, saved: 55.30
  closed now: False
  2 SHIRT-2: 54.00
  1 COAT-7: 75.60 Sale
  Welcome by WELCOME10: -14.40
  230 points
  to pay: 129.60, saved: 55.30
A third shirt, please: the order is reopened, and closed again.
  taken back: discounts of 55.30
  closed now: True
  3 SHIRT-2: 81.00
  1 COAT-7: 75.60 Sale
  Welcome by WELCOME10: -17.40
  257 points
  to pay: 156.60, saved: 58.30
One shirt does not fit.
  refund: 27.00
"""


def test_the_story_is_told_to_the_cent() -> None:
    ended = run(sys.executable, _SCRIPT)
    assert (ended.code, ended.err, ended.out) == (0, "", STORY)


def test_it_is_short() -> None:
    assert len(_SCRIPT.read_text(encoding="utf-8").splitlines()) < 120
