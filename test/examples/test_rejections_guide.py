"""The guide to rejections lists every reason with its sentence."""

from __future__ import annotations

from docs.pages import GUIDES, Page
from talon_one.checkout import reasons


def test_its_tables_are_the_sentences_and_remedies() -> None:
    page = Page(GUIDES / "rejections.md")
    listed = {
        reason.strip("`"): (sentence, remedy)
        for table in page.tables[1:]
        for reason, sentence, remedy in table[1:]
    }
    known = {**reasons.COUPONS, **reasons.REFERRALS, **reasons.EXCLUSIONS}
    assert listed == {
        reason: (explanation.msgid, explanation.remedy.value)
        for reason, explanation in known.items()
    }
    assert {row[0].strip("`") for row in page.tables[0][1:]} == {
        f"Remedy.{each.name}" for each in reasons.Remedy
    }
