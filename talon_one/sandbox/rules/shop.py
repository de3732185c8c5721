"""The campaigns of an Application, compiled, and the order in which they are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from talon_one.sandbox.rules.compiled import Ruleset
from talon_one.sandbox.rules.situation import Json, Situation


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """A campaign of the Application with its compiled active ruleset."""

    campaign: Json
    ruleset: Ruleset


@dataclass(frozen=True, slots=True)
class Group:
    """A node of the tree of evaluation groups; its members are campaign IDs and further groups.

    Attributes:
        id: ID of the group, 0 for the base group.
        mode: `stackable`, `listOrder`, `highestDiscount` or `lowestDiscount`.
        scope: `session` for one decision per session, `cartItem` for one per item.
        members: Campaign IDs and groups, in the order of evaluation.
        locked: Whether members may not be moved; it plays no part in the evaluation.
    """

    id: int = 0
    mode: str = "stackable"
    scope: str = "session"
    members: tuple[int | Group, ...] = ()
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSituation(Situation):
    """The input of an evaluation: what its rules see, and the campaigns that have them.

    Attributes:
        campaigns: Campaigns of the Application, by ID.
        tree: Order and groups of evaluation. Campaigns it does not name follow it, oldest first.
    """

    campaigns: Mapping[int, CampaignEntry]
    tree: Group = field(default_factory=Group)
