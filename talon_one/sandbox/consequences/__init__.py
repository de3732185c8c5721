"""Consequences of effects: carried out once, written to the journal, and undone from there.

`carry_out` is called for every evaluation that counts; a session that is still open carries out
those that happen early, such as the creation of a coupon. `undo` reverses rows of the journal, and
knows nothing about the rules that led to them.
"""

from __future__ import annotations

from talon_one.sandbox.consequences.carrying import carry_out as carry_out
from talon_one.sandbox.consequences.carrying import settle_event as settle_event
from talon_one.sandbox.consequences.carrying import take_back as take_back
from talon_one.sandbox.consequences.carrying import undo as undo
from talon_one.sandbox.consequences.occasion import Occasion as Occasion
