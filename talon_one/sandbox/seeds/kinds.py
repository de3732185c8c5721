"""The kinds of things in a seed: where they stand, what the API calls them, what they need.

Their properties are those of a class of the SDK. What is listed here is only what a seed has
beside them, and which of them nothing has a default for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing in a seed.

    Attributes:
        key: Key of the list that holds things of this kind.
        model: Class of the SDK that has their properties; empty for none.
        table: Table of the state; empty if they are not entities of their own.
        called: What one of them is called, in messages.
        name: Property by which references find it; empty if nothing refers to it.
        required: Properties without a default.
        own: Properties that seeds have beside those of the class, with their types.
        children: Kinds that stand inside.
        short: Property that a text in place of the whole stands for.
        unique: Property that differs from thing to thing, inside the scope.
        scope: Where that is: `everything`, `application`, or `owner`.
    """

    key: str
    model: str
    table: str
    called: str
    name: str = "name"
    required: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Kind, ...] = ()
    short: str = ""
    unique: str = "name"
    scope: str = "everything"

    @property
    def one(self) -> str:
        """What one of them is called, with its article."""
        return f"{'an' if self.called[0] in 'aAeio' else 'a'} {self.called}"


_CODES: Final = {"couponPattern": "str", "validCharacters": "list[str]"}

KEYS: Final = Kind(
    "keys",
    "CreateApplicationAPIKey",
    "",
    "key",
    name="",
    required=("key",),
    own={"key": "str"},
    short="key",
    unique="key",
)
STORES: Final = Kind(
    "stores",
    "Store",
    "stores",
    "store",
    required=("name", "integrationId"),
    unique="integrationId",
    scope="owner",
)
ITEM_FILTERS: Final = Kind(
    "itemFilters",
    "Selector",
    "item_filters",
    "cart item filter",
    required=("name", "source", "steps"),
    own={"id": "int"},
    scope="owner",
)
COUPONS: Final = Kind(
    "coupons",
    "Coupon",
    "coupons",
    "coupon",
    name="",
    own=_CODES,
    short="value",
    unique="value",
    scope="application",
)
REFERRALS: Final = Kind(
    "referrals",
    "Referral",
    "referrals",
    "referral",
    name="",
    required=("advocateProfileIntegrationId",),
    own={"referralPattern": "str", "validCharacters": "list[str]"},
    unique="code",
    scope="application",
)
COLLECTIONS: Final = Kind(
    "collections",
    "Collection",
    "collections",
    "collection",
    required=("name",),
    own={"items": "list[str]"},
    scope="owner",
)
ACHIEVEMENTS: Final = Kind(
    "achievements",
    "Achievement",
    "achievements",
    "achievement",
    required=("name",),
    scope="owner",
)
VALUE_MAPS: Final = Kind(
    "valueMaps",
    "ValueMap",
    "value_maps",
    "value map",
    own={"name": "str", "values": "dict[str, Any]"},
    scope="owner",
)
CAMPAIGNS: Final = Kind(
    "campaigns",
    "Campaign",
    "campaigns",
    "campaign",
    required=("name",),
    own={"ruleset": "Any"},
    children=(COLLECTIONS, ACHIEVEMENTS, VALUE_MAPS, COUPONS, REFERRALS),
    scope="owner",
)
APPLICATIONS: Final = Kind(
    "applications",
    "Application",
    "applications",
    "Application",
    required=("name",),
    own={
        "secret": "str",
        "undefinedNames": 'Literal["accept", "refuse"]',
        "eventTypes": "list[str]",
        "evaluationTree": "Any",
    },
    children=(KEYS, STORES, ITEM_FILTERS, CAMPAIGNS),
)
MANAGEMENT_KEYS: Final = Kind(
    "managementKeys",
    "ManagementKey",
    "",
    "Management key",
    name="",
    required=("key",),
    own={"key": "str"},
    short="key",
    unique="key",
)
ATTRIBUTES: Final = Kind(
    "attributes",
    "Attribute",
    "attributes",
    "attribute",
    required=("name", "entity"),
)
ADDITIONAL_COSTS: Final = Kind(
    "additionalCosts",
    "AccountAdditionalCost",
    "additional_costs",
    "additional cost",
    required=("name",),
)
CUSTOM_EFFECTS: Final = Kind(
    "customEffects",
    "CustomEffect",
    "custom_effects",
    "custom effect",
    required=("name",),
)
WEBHOOKS: Final = Kind(
    "webhooks",
    "Webhook",
    "webhooks",
    "webhook",
    name="title",
    required=("title", "url"),
    unique="title",
)
CAMPAIGN_GROUPS: Final = Kind(
    "campaignGroups",
    "CampaignGroup",
    "campaign_groups",
    "campaign group",
    required=("name",),
)
AUDIENCES: Final = Kind(
    "audiences",
    "Audience",
    "audiences",
    "audience",
    required=("name",),
    own={"members": "list[str]"},
)
TIERS: Final = Kind(
    "tiers",
    "LoyaltyTier",
    "",
    "tier",
    required=("name", "minPoints"),
    scope="owner",
)
POINTS: Final = Kind(
    "points",
    "AddLoyaltyPoints",
    "",
    "opening balance",
    name="",
    required=("points",),
    own={"program": "dict[str, Any]"},
    unique="",
)
CARDS: Final = Kind(
    "cards",
    "LoyaltyCard",
    "cards",
    "loyalty card",
    name="",
    required=("identifier",),
    children=(POINTS,),
    short="identifier",
    unique="identifier",
    scope="owner",
)
LOYALTY_PROGRAMS: Final = Kind(
    "loyaltyPrograms",
    "LoyaltyProgram",
    "loyalty_programs",
    "loyalty program",
    required=("name",),
    children=(TIERS, CARDS),
)
GIVEAWAYS: Final = Kind(
    "codes",
    "Giveaway",
    "giveaways",
    "giveaway code",
    name="",
    required=("code",),
    short="code",
    unique="code",
    scope="owner",
)
GIVEAWAY_POOLS: Final = Kind(
    "giveawayPools",
    "GiveawaysPool",
    "giveaway_pools",
    "giveaway pool",
    required=("name",),
    children=(GIVEAWAYS,),
)
CATALOG_ITEMS: Final = Kind(
    "items",
    "CatalogItem",
    "catalog_items",
    "catalog item",
    name="",
    required=("sku",),
    unique="sku",
    scope="owner",
)
CATALOGS: Final = Kind(
    "catalogs",
    "Catalog",
    "catalogs",
    "catalog",
    required=("name",),
    children=(CATALOG_ITEMS,),
)
PROFILES: Final = Kind(
    "profiles",
    "CustomerProfile",
    "profiles",
    "profile",
    name="",
    required=("integrationId",),
    children=(POINTS,),
    short="integrationId",
    unique="integrationId",
)

OWNERS: Final[Mapping[str, tuple[str, str]]] = {
    "stores": ("applications", "applicationId"),
    "itemFilters": ("applications", "applicationId"),
    "campaigns": ("applications", "applicationId"),
    "collections": ("campaigns", "campaignId"),
    "achievements": ("campaigns", "campaignId"),
    "valueMaps": ("campaigns", "campaignId"),
    "coupons": ("campaigns", "campaignId"),
    "referrals": ("campaigns", "campaignId"),
}
"""Kinds that may also stand at the top of a seed: whose they are, and the property that says so."""

TOP: Final = (
    MANAGEMENT_KEYS,
    ATTRIBUTES,
    ADDITIONAL_COSTS,
    CUSTOM_EFFECTS,
    WEBHOOKS,
    CAMPAIGN_GROUPS,
    AUDIENCES,
    LOYALTY_PROGRAMS,
    GIVEAWAY_POOLS,
    CATALOGS,
    APPLICATIONS,
    STORES,
    ITEM_FILTERS,
    CAMPAIGNS,
    COLLECTIONS,
    ACHIEVEMENTS,
    VALUE_MAPS,
    COUPONS,
    REFERRALS,
    PROFILES,
)
"""The keys of a seed."""


def all_kinds() -> Iterator[Kind]:
    """Yield every kind once."""
    seen: list[Kind] = []
    waiting = list(TOP)
    while waiting:
        kind = waiting.pop(0)
        if kind not in seen:
            seen.append(kind)
            waiting = [*kind.children, *waiting]
            yield kind


BY_KEY: Final[Mapping[str, Kind]] = {kind.key: kind for kind in all_kinds()}
"""The kinds by their keys, which are unique."""

REFERENCES: Final[Mapping[str, tuple[str, bool]]] = {
    "achievement": ("achievements", False),
    "additionalCost": ("additionalCosts", False),
    "attribute": ("attributes", False),
    "audience": ("audiences", False),
    "audienceMemberships": ("audiences", False),
    "customEffect": ("customEffects", False),
    "giveawayPool": ("giveawayPools", False),
    "program": ("loyaltyPrograms", False),
    "tier": ("tiers", False),
    "valueMap": ("valueMaps", False),
    "webhook": ("webhooks", False),
    "allowedApplicationIds": ("applications", True),
    "applicationId": ("applications", True),
    "applicationIds": ("applications", True),
    "campaignGroups": ("campaignGroups", True),
    "campaignId": ("campaigns", True),
    "campaignIds": ("campaigns", True),
    "defaultCartItemFilterId": ("itemFilters", True),
    "linkedCampaignIds": ("campaigns", True),
    "linkedStoreIds": ("stores", True),
    "subscribedApplications": ("applications", True),
    "subscribedApplicationsIds": ("applications", True),
    "subscribedCatalogsIds": ("catalogs", True),
    "valueMapsIds": ("valueMaps", True),
}
"""Properties that refer to something: to what kind, and whether by its ID alone (True) or by an
object that has the ID (False)."""

NO_REFERENCES: Final = frozenset({"attributes", "couponAttributes", "params", "payload", "values"})
"""Properties whose content is free, so that nothing in it is a reference."""

COMPUTED: Final[Mapping[str, frozenset[str]]] = {
    "campaigns": frozenset({"activeRulesetId", "budgets", "frontendState"}),
    "coupons": frozenset(
        {"usageCounter", "discountCounter", "discountRemainder", "reservationCounter"}
    ),
    "referrals": frozenset({"usageCounter"}),
    "profiles": frozenset({"closedSessions", "totalSales", "loyaltyMemberships"}),
    "cards": frozenset({"ledger", "subledgers", "programName", "programTitle"}),
    "applications": frozenset({"loyaltyPrograms"}),
    "achievements": frozenset({"hasProgress", "status"}),
    "stores": frozenset({"linkedCampaignIds"}),
    "codes": frozenset({"used", "profileIntegrationId", "profileId"}),
}
"""Properties that the API computes. A seed may have them, since responses do, and they are
ignored: all counters of a new sandbox are sums of a journal that is empty."""
