"""Summary: all effects of a response, sorted by what a shop does with them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar

from talon_one._schema.access import data_of
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one.effects.amounts import (
    Discounts,
    ItemCost,
    ItemUnit,
    exact_sum,
    index_in,
    is_unknown_discount,
    number_in,
    summed,
)
from talon_one.effects.coupon_codes import codes_by_coupon_id, coupon_id_of
from talon_one.effects.entries import (
    Bundle,
    Discount,
    Entry,
    Malformed,
    Points,
    PointsLedger,
    entry_of,
)
from talon_one.effects.extraction import effects_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from decimal import Decimal

    from talon_one import models
    from talon_one.effects.extraction import EffectSource
    from talon_one.models import Effect

K = TypeVar("K")


@dataclass(frozen=True)
class RolledBack:
    """What a response takes back: after a cancellation, a return, or a reopening."""

    discounts: list[Discount] = field(default_factory=list)
    """Discounts of returned units or of the session (`rollbackDiscount`)."""
    coupons: list[Entry[models.RollbackCouponEffectProps]] = field(default_factory=list)
    """Coupon codes that can be redeemed again."""
    referrals: list[Entry[models.RollbackReferralEffectProps]] = field(default_factory=list)
    """Referral codes that can be redeemed again."""
    added_points: list[Entry[models.RollbackAddedLoyaltyPointsEffectProps]] = field(
        default_factory=list
    )
    """Points that were added, and are taken back."""
    deducted_points: list[Entry[models.RollbackDeductedLoyaltyPointsEffectProps]] = field(
        default_factory=list
    )
    """Points that were deducted, and are given back."""
    achievements: list[Entry[models.RollbackIncreasedAchievementProgressEffectProps]] = field(
        default_factory=list
    )
    """Progress in achievements that is taken back."""
    rewards: list[Entry[models.RollbackUseRewardEffectProps]] = field(default_factory=list)
    """Rewards that can be used again."""

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    @property
    def sums(self) -> Discounts:
        """Sums of the discounts, as `effects.rolled_back` returns them."""
        return summed((each.part for each in self.discounts), [])


@dataclass(frozen=True)
class Summary:
    """All effects of a response, each in one place.

    The order of the effects is kept in each list, and means nothing. Amounts are exact.
    """

    discounts: list[Discount] = field(default_factory=list)
    """Discounts of all kinds. `session`, `items`, `lines`, `costs`, `item_costs` and `bundles`
    sort them; `sums` adds them up."""
    accepted_coupons: list[Entry[models.AcceptCouponEffectProps]] = field(default_factory=list)
    """Coupon codes that rules accept; once for each rule."""
    rejected_coupons: list[Entry[models.RejectCouponEffectProps]] = field(default_factory=list)
    """Coupon codes that are rejected, each with its `rejection_reason`."""
    accepted_referrals: list[
        Entry[models.AcceptReferralEffectProps | models.RedeemReferralEffectProps]
    ] = field(default_factory=list)
    """Referral codes that rules accept; once for each rule."""
    rejected_referrals: list[Entry[models.RejectReferralEffectProps]] = field(default_factory=list)
    """Referral codes that are rejected, each with its `rejection_reason`."""
    free_items: list[Entry[models.AddFreeItemEffectProps]] = field(default_factory=list)
    """Items to add to the cart at a price of 0, one for each unit; see `free_item_counts`."""
    added_points: list[Entry[models.AddLoyaltyPointsEffectProps]] = field(default_factory=list)
    """Loyalty points that are added when the session closes; see `points`."""
    deducted_points: list[Entry[models.DeductLoyaltyPointsEffectProps]] = field(
        default_factory=list
    )
    """Loyalty points that are deducted when the session closes; see `points`."""
    tier_changes: list[Entry[models.ChangeLoyaltyTierLevelEffectProps]] = field(
        default_factory=list
    )
    """Loyalty tiers that a customer reaches."""
    points_expiry_changes: list[
        Entry[
            models.SetLoyaltyPointsExpiryDateEffectProps
            | models.ExtendLoyaltyPointsExpiryDateEffectProps
        ]
    ] = field(default_factory=list)
    """New expiry dates of loyalty points."""
    created_coupons: list[Entry[models.CouponCreatedEffectProps]] = field(default_factory=list)
    """Coupons that rules created for customers."""
    created_referrals: list[Entry[models.ReferralCreatedEffectProps]] = field(default_factory=list)
    """Referral codes that rules created."""
    reservations: list[Entry[models.ReserveCouponEffectProps]] = field(default_factory=list)
    """Coupons that rules reserved for customers."""
    giveaways: list[Entry[models.AwardGiveawayEffectProps]] = field(default_factory=list)
    """Giveaways with their codes, which a closed session awards."""
    pending_giveaways: list[Entry[models.WillAwardGiveawayEffectProps]] = field(
        default_factory=list
    )
    """Giveaways that the session awards when it closes."""
    achievements: list[
        Entry[
            models.IncreaseAchievementProgressEffectProps
            | models.StartAchievementProgressEffectProps
        ]
    ] = field(default_factory=list)
    """Progress in achievements: started, or increased."""
    unlocked_rewards: list[Entry[models.UnlockRewardEffectProps]] = field(default_factory=list)
    """Rewards that a customer unlocks."""
    used_rewards: list[Entry[models.UseRewardEffectProps]] = field(default_factory=list)
    """Rewards that a customer uses."""
    audience_changes: list[
        Entry[models.AddToAudienceEffectProps | models.RemoveFromAudienceEffectProps]
    ] = field(default_factory=list)
    """Audiences that a customer joins or leaves."""
    attribute_updates: list[Entry[models.UpdateAttributeEffectProps]] = field(default_factory=list)
    """New values of attributes."""
    notifications: list[Entry[models.ShowNotificationEffectProps]] = field(default_factory=list)
    """Messages to display to the customer."""
    custom_effects: list[Entry[models.CustomEffectProps]] = field(default_factory=list)
    """Effects that are defined in the account, each with its `payload`."""
    webhooks: list[Entry[models.TriggerWebhookEffectProps]] = field(default_factory=list)
    """Webhooks that Talon.One calls."""
    bundle_metadata: list[Entry[models.ShowBundleMetadataEffectProps]] = field(default_factory=list)
    """Items of bundles, in the deprecated form."""
    errors: list[Entry[models.ErrorEffectProps]] = field(default_factory=list)
    """Problems while rules were evaluated."""
    rolled_back: RolledBack = field(default_factory=RolledBack)
    """What a cancellation, a return or a reopening takes back; false if there is nothing."""
    unknown: list[Effect] = field(default_factory=list)
    """Effects of types that this release does not know; see `unknown_discounts`."""
    malformed: list[Malformed] = field(default_factory=list)
    """Effects that lack what their type needs, each with the problem; in no sum."""
    profile_id: str | None = None
    """Customer profile of the session, by integration ID, if the response names it."""

    @property
    def sums(self) -> Discounts:
        """Sums of the discounts, as `effects.discounts` returns them."""
        return summed((each.part for each in self.discounts), self.unknown_discounts)

    @property
    def total(self) -> Decimal:
        """Sum of all discounts except unknown and malformed ones."""
        return exact_sum(each.amount for each in self.discounts)

    @property
    def session(self) -> list[Discount]:
        """Discounts on the whole session."""
        return [each for each in self.discounts if each.unit is None and each.cost is None]

    @property
    def items(self) -> dict[ItemUnit, list[Discount]]:
        """Discounts on units of cart items, by unit."""
        found = [each for each in self.discounts if each.cost is None]
        return _grouped((each.unit, each) for each in found)

    @property
    def lines(self) -> dict[int, list[Discount]]:
        """The same, over all units of a cart item, by index of the item."""
        found = [each for each in self.discounts if each.cost is None]
        return _grouped((each.unit and each.unit.position, each) for each in found)

    @property
    def costs(self) -> dict[str, list[Discount]]:
        """Discounts on additional costs of the session, by name of the cost."""
        found = [each for each in self.discounts if each.unit is None]
        return _grouped((each.cost, each) for each in found)

    @property
    def item_costs(self) -> dict[ItemCost, list[Discount]]:
        """Discounts on additional costs of units of cart items."""
        return _grouped(
            (ItemCost(*each.unit, each.cost), each)
            for each in self.discounts
            if each.unit is not None and each.cost is not None
        )

    @property
    def bundles(self) -> dict[Bundle, list[Discount]]:
        """Discounts that belong to a bundle, by bundle."""
        return _grouped((each.bundle, each) for each in self.discounts)

    @property
    def by_coupon(self) -> dict[str, list[Discount]]:
        """Discounts that a coupon triggered, by its code."""
        return _grouped((each.coupon_code, each) for each in self.discounts)

    @property
    def free_item_counts(self) -> dict[str, int]:
        """Number of free items by SKU."""
        return dict(Counter(each.props.sku for each in self.free_items))

    @property
    def points(self) -> dict[PointsLedger, Points]:
        """Loyalty points added and deducted, by ledger.

        A rule may add points to another customer than that of the session, such as an advocate, so
        the profile is a part of the ledger. Deductions are always from a card, or from the profile
        of the session. The response names that profile only if it contains the session or the
        profile (`responseContent`).
        """
        added: defaultdict[PointsLedger, list[Decimal]] = defaultdict(list)
        deducted: defaultdict[PointsLedger, list[Decimal]] = defaultdict(list)
        for entries, amounts in ((self.added_points, added), (self.deducted_points, deducted)):
            for entry in entries:
                ledger = _ledger(entry, self.profile_id)
                amounts[ledger].append(number_in(entry.effect, "value"))
        return {
            ledger: Points(exact_sum(added[ledger]), exact_sum(deducted[ledger]))
            for ledger in {**added, **deducted}
        }

    @property
    def unknown_discounts(self) -> list[Effect]:
        """Effects in `unknown` that grant discounts; they are in no sum."""
        return [effect for effect in self.unknown if is_unknown_discount(effect)]

    @property
    def malformed_discounts(self) -> list[Malformed]:
        """Malformed effects that grant a discount or take one back."""
        kinds = ("discounts", "rolled_back.discounts")
        return [each for each in self.malformed if PLACES[each.effect.effect_type] in kinds]

    def by_place(self) -> dict[str, list[Effect]]:
        """Return all effects of the response, each once, by the name of the place.

        Names are those of the attributes, such as ``"discounts"`` or ``"rolled_back.coupons"``.
        """
        found: dict[str, list[Effect]] = {"unknown": self.unknown}
        for kept, prefix in ((self, ""), (self.rolled_back, "rolled_back.")):
            for each in fields(kept):
                value = getattr(kept, each.name)
                if isinstance(value, list) and value is not self.unknown:
                    found[prefix + each.name] = [entry.effect for entry in value]
        return found

    def raise_for_malformed(self) -> None:
        """Raise the problem of the first malformed effect, if there is one.

        Raises:
            ApiValueError: There is one.
        """
        for each in self.malformed:
            raise ApiValueError(each.problem)


def summary(response: EffectSource) -> Summary:
    """Return all effects of a response, sorted by what a shop does with them.

    Each effect is in exactly one place. An effect of a type that this release does not know is in
    `Summary.unknown`. One that lacks what its type needs, such as a discount without an amount, is
    in `Summary.malformed`; `Summary.raise_for_malformed` raises an exception for it.

    `triggeredByCoupon` of an effect is an internal ID. `Entry.coupon_code` is the code for it: from
    the `coupons` of the response if you asked for them (`responseContent`), else from effects that
    accept or reject a code and name the same ID, else from the one code that the same rule accepts.
    It is ``None`` rather than a guess.

    Args:
        response: A response of a V2 or V3 operation, a `StateChange`, or a list of effects.

    Raises:
        ApiTypeError: *response* has no effects.
    """
    effects = effects_of(response)
    found = Summary(profile_id=_profile_id(response))
    codes = codes_by_coupon_id(effects, _property(response, "coupons"))
    for effect in effects:
        kind: object = effect.effect_type
        known = PLACES.get(kind) if type(kind) is str else None
        if known is None:
            found.unknown.append(effect)
            continue
        coupon_id = coupon_id_of(data_of(effect))
        code = None if coupon_id is None else codes.get(coupon_id)
        try:
            entry = entry_of(effect, code)
        except ApiValueError as problem:
            found.malformed.append(Malformed(effect, str(problem)))
        else:
            group, _, name = known.rpartition(".")
            entries: list[Entry[Any]] = getattr(getattr(found, group) if group else found, name)
            entries.append(entry)
    return found


PLACES: Mapping[str, str] = {
    "acceptCoupon": "accepted_coupons",
    "acceptReferral": "accepted_referrals",
    "addFreeItem": "free_items",
    "addLoyaltyPoints": "added_points",
    "addToAudience": "audience_changes",
    "awardGiveaway": "giveaways",
    "changeLoyaltyTierLevel": "tier_changes",
    "couponCreated": "created_coupons",
    "customEffect": "custom_effects",
    "deductLoyaltyPoints": "deducted_points",
    "error": "errors",
    "extendLoyaltyPointsExpiryDate": "points_expiry_changes",
    "increaseAchievementProgress": "achievements",
    "redeemReferral": "accepted_referrals",
    "referralCreated": "created_referrals",
    "rejectCoupon": "rejected_coupons",
    "rejectReferral": "rejected_referrals",
    "removeFromAudience": "audience_changes",
    "reserveCoupon": "reservations",
    "rollbackAddedLoyaltyPoints": "rolled_back.added_points",
    "rollbackCoupon": "rolled_back.coupons",
    "rollbackDeductedLoyaltyPoints": "rolled_back.deducted_points",
    "rollbackDiscount": "rolled_back.discounts",
    "rollbackIncreasedAchievementProgress": "rolled_back.achievements",
    "rollbackReferral": "rolled_back.referrals",
    "rollbackUseReward": "rolled_back.rewards",
    "setDiscount": "discounts",
    "setDiscountPerAdditionalCost": "discounts",
    "setDiscountPerAdditionalCostPerItem": "discounts",
    "setDiscountPerItem": "discounts",
    "setLoyaltyPointsExpiryDate": "points_expiry_changes",
    "showBundleMetadata": "bundle_metadata",
    "showNotification": "notifications",
    "startAchievementProgress": "achievements",
    "triggerWebhook": "webhooks",
    "unlockReward": "unlocked_rewards",
    "updateAttribute": "attribute_updates",
    "useReward": "used_rewards",
    "willAwardGiveaway": "pending_giveaways",
}
"""Where in a `Summary` the effects of each documented type are."""


def _ledger(entry: Entry[Any], session_profile: str | None) -> PointsLedger:
    props = entry.props
    card, subledger = props.get("cardIdentifier"), props.get("subLedgerId")
    recipient = props.get("recipientIntegrationId", session_profile)
    return PointsLedger(
        index_in(entry.effect, "programId"),
        subledger if isinstance(subledger, str) else "",
        None if isinstance(card, str) or not isinstance(recipient, str) else recipient,
        card if isinstance(card, str) else None,
    )


def _profile_id(response: object) -> str | None:
    for name, key in (("customerSession", "profileId"), ("customerProfile", "integrationId")):
        holder = _property(response, name)
        found = holder.get(key) if isinstance(holder, Model) else None
        if isinstance(found, str) and found:
            return found
    return None


def _property(response: object, name: str) -> Any:
    if not isinstance(response, (Model, Iterable)):
        # A `StateChange` has the response that changed the state.
        with guarded("the response"):
            response = getattr(response, "response", None)
    return response.get(name) if isinstance(response, Model) else None


def _grouped(pairs: Iterable[tuple[K | None, Discount]]) -> dict[K, list[Discount]]:
    found: defaultdict[K, list[Discount]] = defaultdict(list)
    for key, discount in pairs:
        if key is not None:
            found[key].append(discount)
    return dict(found)
