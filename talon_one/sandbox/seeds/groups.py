"""The tree of evaluation groups of an Application, as a seed writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talon_one.sandbox.contract.checks import check_body
from talon_one.sandbox.seeds.kinds import BY_KEY
from talon_one.sandbox.seeds.properties import report_unknown
from talon_one.sandbox.seeds.references import References
from talon_one.sandbox.seeds.source import escaped
from talon_one.sandbox.seeds.things import Report, Thing
from talon_one.sandbox.seeds.unknown import Unknown

GROUP = "CampaignEvaluationGroup"
PROPERTIES = frozenset(
    {"id", "name", "description", "evaluationMode", "evaluationScope", "locked", "members"}
)
"""Properties of a group. Its members are campaigns, by ID or by name, and further groups."""


def resolve_tree(
    tree: Any, application: Thing, references: References, report: Report
) -> dict[str, Any]:
    """Return a tree with the IDs of its campaigns and groups.

    Args:
        tree: The tree as given.
        application: The Application that has it.
        references: Finds campaigns by name.
        report: Takes mistakes.
    """
    campaigns = {each.id for each in application.children if each.kind.key == "campaigns"}
    placed: set[int] = set()
    groups: set[int] = set()

    def group_of(given: Any, pointer: str) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            report(pointer, "a group must be an object")
            return {}
        for name in given:
            if name not in PROPERTIES:
                unknown = Unknown(f"{pointer}/{escaped(name)}", name, PROPERTIES)
                report_unknown(unknown, report, "a group")
        own = {name: value for name, value in given.items() if name != "members"}
        checked, problems = check_body(GROUP, own)
        for problem in problems:
            if problem.title != "required":
                report(f"{pointer}{problem.pointer}", problem.details)
        number = checked.get("id")
        if isinstance(number, int):
            if number in groups:
                report(f"{pointer}/id", f"the ID {number} of a group is taken")
            groups.add(number)
        members = given.get("members", [])
        if not isinstance(members, list):
            report(f"{pointer}/members", "members must be a list")
            members = []
        found = [member_of(each, f"{pointer}/members/{i}") for i, each in enumerate(members)]
        return {**checked, "members": found}

    def member_of(given: Any, pointer: str) -> Any:
        if isinstance(given, Mapping) and "members" in given:
            return group_of(given, pointer)
        campaign = references.reference(
            BY_KEY["campaigns"], given, pointer, application, by_id=True
        )
        if isinstance(campaign, bool) or not isinstance(campaign, int):
            report(pointer, "a member is a campaign, or a group with members")
        elif not campaign:
            pass  # It does not exist, which is reported already.
        elif campaign in placed:
            report(pointer, f"the campaign {campaign} is in the tree twice")
        elif campaigns and campaign not in campaigns:
            report(pointer, f"the campaign {campaign} belongs to another Application")
        else:
            placed.add(campaign)
        return campaign

    resolved = group_of(tree, f"{application.pointer}/evaluationTree")
    _number(resolved, groups)
    return resolved


def _number(group: dict[str, Any], taken: set[int]) -> None:
    """Give IDs to the groups that have none."""
    waiting = [group]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one.get("id"), int):
            one["id"] = max(taken, default=0) + 1
            taken.add(one["id"])
        waiting += [each for each in one.get("members", ()) if isinstance(each, dict)]
