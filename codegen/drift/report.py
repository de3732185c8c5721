"""Print what a release changes: as a table, as JSON, and as lines for the changelog."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from codegen.drift.compare import Item
from codegen.drift.plans import Plan
from codegen.drift.standing import Drift, Finding

_STATES = {"have": "have", "lack": "LACK", "conflict": "CONFLICT", "text": "text"}


def as_text(drift: Drift) -> str:
    """Return the report for a reader."""
    return "\n".join(_lines(drift)) + "\n"


def _lines(drift: Drift) -> Iterator[str]:
    old, new, spec = (form.version or "?" for form in (drift.old, drift.new, drift.spec))
    yield f"{old} -> {new}; spec/ says {spec}"
    if not drift.findings:
        yield "The release changes nothing that is described."
    by_domain: dict[str, list[Finding]] = {}
    for each in drift.findings:
        by_domain.setdefault(each.domain or "(none)", []).append(each)
    for domain in sorted(by_domain):
        yield ""
        yield domain
        yield from _table(by_domain[domain])
    if drift.findings:
        yield ""
        yield from _summary(drift.findings)
    yield from _rest(drift)


def _table(findings: list[Finding]) -> Iterator[str]:
    rows = [
        (_STATES[each.state], f"{each.item.change} {each.item.what}", _place(each.item), _how(each))
        for each in sorted(findings, key=lambda each: (each.state == "text", each.item.place))
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield f"  {'  '.join([*cells, row[3]])}".rstrip()


def _place(item: Item) -> str:
    return f"{item.place} ({item.aspect})" if item.aspect else item.place


def _how(finding: Finding) -> str:
    item = finding.item
    said = []
    if item.what not in ("description", "summary", "example"):
        said.append(_change(item))
    if finding.breaks != "no":
        word = "BREAKS" if finding.is_breach else "breaks"
        word = "types only" if finding.breaks == "types" else word
        said.append(f"{word}: {finding.effect}")
        if finding.kept:
            said.append("kept in spec/")
        if finding.acknowledged:
            said.append(f"acknowledged: {finding.acknowledged}")
    return "; ".join(each for each in said if each)


def _change(item: Item) -> str:
    if item.what in ("required", "deprecated") or item.change == "changed":
        return f"{_short(item.before)} -> {_short(item.after)}"
    if item.change == "renamed":
        return f"to {item.after}"
    return _short(item.after if item.change == "added" else item.before)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _summary(findings: list[Finding]) -> Iterator[str]:
    """Yield the table by kind: how many there are, and how the spec stands to them."""
    kinds: dict[str, Counter[str]] = {}
    for each in findings:
        counted = kinds.setdefault(f"{each.item.change} {each.item.what}", Counter())
        counted.update(["all", each.state])
        counted.update(["breaks"] if each.is_breach else [])
    total = Counter[str]()
    for counted in kinds.values():
        total.update(counted)
    columns = ("all", "have", "lack", "conflict", "text", "breaks")
    width = max(len(kind) for kind in kinds)
    yield f"{'':{width}}  " + "".join(f"{name:>9}" for name in columns)
    for kind, counted in [*sorted(kinds.items()), ("together", total)]:
        numbers = "".join(f"{counted[name] or '-':>9}" for name in columns)
        yield f"{kind:{width}}  {numbers}"


def _rest(drift: Drift) -> Iterator[str]:
    agreed: dict[str, list[str]] = {}
    for correction in drift.obsolete:
        agreed.setdefault(str(correction.where), []).append(correction.place)
    for where, places in agreed.items():
        yield f"{where}: no longer a correction, the vendor agrees: {', '.join(places)}"
    for acknowledgment in drift.unmatched:
        yield f"{acknowledgment.where}: acknowledges nothing: {acknowledgment.place}"
    if drift.elsewhere:
        count = len(drift.elsewhere)
        yield f"spec/ differs from {drift.new.file} in {count} more places; --json lists them"


def as_json(drift: Drift) -> str:
    """Return the report for programs."""
    content = {
        "old": drift.old.version,
        "new": drift.new.version,
        "spec": drift.spec.version,
        "findings": [
            {
                **asdict(each.item),
                "state": each.state,
                "domain": each.domain,
                "breaks": each.breaks,
                "effect": each.effect,
                "kept": each.kept,
                "acknowledged": each.acknowledged,
            }
            for each in drift.findings
        ],
        "obsolete_corrections": [
            {"place": each.place, "where": str(each.where)} for each in drift.obsolete
        ],
        "unmatched_acknowledgments": [
            {"place": each.place, "where": str(each.where)} for each in drift.unmatched
        ],
        "elsewhere": [asdict(each) for each in drift.elsewhere],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def as_plan(plan: Plan) -> str:
    """Return what drafts have changed, and what they could not."""
    lines = [f"{len(plan.drafted)} differences drafted in {len(plan.files)} files"]
    lines += [f"  {each}" for each in plan.drafted]
    if plan.by_hand:
        lines += ["", f"{len(plan.by_hand)} left, to be done by hand"]
        lines += [f"  {each}" for each in plan.by_hand]
    lines += ["", "Write the empty descriptions, and run `python -m codegen`."]
    return "\n".join(lines) + "\n"


_SENTENCES = {
    ("added", "operation"): "New methods: {}.",
    ("added", "schema"): "New models: {}.",
    ("added", "property"): "New properties: {}.",
    ("added", "parameter"): "New parameters: {}.",
    ("added", "enum value"): "New values of {}.",
    ("renamed", "operation"): "Renamed methods, whose former names keep working: {}.",
    ("renamed", "schema"): "Renamed models, whose former names keep working: {}.",
    ("renamed", "property"): "Renamed properties, whose former names keep working: {}.",
    ("renamed", "parameter"): "Renamed parameters, whose former names keep working: {}.",
}


def as_changelog(drift: Drift) -> str:
    """Return lines for CHANGELOG.md, to be edited: what is new, and what breaks."""
    lines = [f"- The API is that of release {drift.new.version} of the platform."]
    for (change, what), sentence in _SENTENCES.items():
        found = [
            each.item
            for each in drift.findings
            if (each.item.change, each.item.what) == (change, what)
        ]
        if found:
            lines.append("- " + sentence.format(_listed(found)))
    gone = [each for each in drift.findings if each.kept and each.item.change == "removed"]
    if gone:
        places = ", ".join(dict.fromkeys(f"`{each.item.place}`" for each in gone))
        lines.append(f"- Deprecated, because the platform has them no more: {places}.")
    for each in drift.findings:
        if each.breaks == "yes" and not each.kept:
            value = each.item.after if each.item.change == "added" else each.item.before
            said = f" `{_short(value)}`" if each.item.what == "enum value" else ""
            reason = f" ({each.acknowledged})" if each.acknowledged else ""
            lines.append(f"- **Breaking:** `{each.item.place}`{said}: {each.effect}{reason}.")
    return "\n".join(lines) + "\n"


def _listed(items: Iterable[Item]) -> str:
    found: dict[str, list[str]] = {}
    for item in items:
        values = found.setdefault(item.place, [])
        if item.what == "enum value":
            values.append(f"`{_short(item.after)}`")
        elif item.change == "renamed":
            values.append(f"now `{item.after}`")
    return ", ".join(
        f"`{place}` ({', '.join(values)})" if values else f"`{place}`"
        for place, values in found.items()
    )
