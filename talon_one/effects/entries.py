"""Entries of a summary: one effect each, with its typed props and the code that triggered it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from talon_one._schema.model import Model
from talon_one._utils.quoting import quoted
from talon_one.effects.amounts import (
    ItemUnit,
    decimal_of,
    exact_sum,
    granted,
    index_in,
    index_of,
    number_in,
    taken_back,
)
from talon_one.effects.extraction import place, props_of
from talon_one.effects.redemption import code_of
from talon_one.exceptions import ApiValueError

if TYPE_CHECKING:
    from talon_one.effects.amounts import Part
    from talon_one.models import Effect

P = TypeVar("P", covariant=True)


class Bundle(NamedTuple):
    """A bundle of cart items. Names of bundles are unique in their campaign only."""

    campaign_id: int | None
    """Campaign that defines the bundle, by ID."""
    name: str | None
    """Name of the definition."""
    number: int
    """Index of the bundle among those built from the same definition."""


class SelectedPrice(NamedTuple):
    """The price that Talon.One selected for a SKU before it applied discounts."""

    price_type: str | None
    """Price type, for example ``member``."""
    price: Decimal | None
    """Price of the unit before discounts; ``None`` if the effect does not state it."""
    adjustment_id: str | None
    """UUID of the price adjustment; ``None`` if no adjustment produced the price."""


class PointsLedger(NamedTuple):
    """A balance of loyalty points: of a customer profile, or of a loyalty card."""

    program_id: int
    """Loyalty program, by ID."""
    subledger_id: str
    """Subledger of the program; empty for the main ledger."""
    profile_id: str | None
    """Customer profile, by integration ID. ``None`` for a card, and for the profile of the session
    if the response does not name it."""
    card: str | None
    """Loyalty card, by identifier; ``None`` for a profile."""


class Points(NamedTuple):
    """Movements of points on one ledger."""

    added: Decimal
    deducted: Decimal

    @property
    def net(self) -> Decimal:
        """Points added minus points deducted; negative if the balance falls."""
        # In any context of the caller.
        return exact_sum((self.added, self.deducted.copy_negate()))


@dataclass(frozen=True)
class Entry(Generic[P]):
    """One effect of a response.

    Properties that give decoration, such as `bundle`, are ``None`` if the effect lacks them or has
    something unreadable in their place.
    """

    effect: Effect
    """The effect as received."""
    props: P = field(repr=False)
    """Its props, an object of the class for its type."""
    coupon_code: str | None
    """Code of the coupon that triggered the effect; ``None`` if no coupon did, or if the response
    does not say reliably which one."""

    @property
    def campaign_id(self) -> int | None:
        """Campaign from which the effect came, by ID; -1 if it is from no campaign."""
        return self.effect.campaign_id

    @property
    def rule_name(self) -> str | None:
        """Rule that produced the effect, by name."""
        return self.effect.rule_name

    @property
    def rule_index(self) -> int | None:
        """Index of the rule in the ruleset of the campaign."""
        return self.effect.rule_index

    @property
    def unit(self) -> ItemUnit | None:
        """Unit of a cart item that the effect names, if any."""
        return self._unit("cartItemPosition", "cartItemSubPosition")

    @property
    def whole_item(self) -> bool:
        """Whether the effect names a cart item without a unit; `unit` is then the first one.

        Applications that do not flatten carts send such effects.
        """
        return self.unit is not None and self._index("cartItemSubPosition") is None

    @property
    def bundle(self) -> Bundle | None:
        """Bundle to which the effect belongs, if any."""
        index = self._index("bundleIndex")
        if index is None:
            return None
        return Bundle(self.effect.campaign_id, self._text("bundleName"), index)

    @property
    def selected_price(self) -> SelectedPrice | None:
        """Price that was selected for the SKU, if the effect says so."""
        effect = self.effect
        data = (effect.selected_price_type, effect.selected_price, effect.adjustment_reference_id)
        if all(each is None for each in data):
            return None
        kind, price, adjustment = data
        return SelectedPrice(kind, decimal_of(price), adjustment)

    def _get(self, key: str) -> Any:
        props: Any = self.props
        return props.get(key)

    def _text(self, key: str) -> str | None:
        value = self._get(key)
        # A subclass, such as an enum, as the text that it is.
        return str.__str__(value) if issubclass(type(value), str) else None

    def _index(self, key: str) -> int | None:
        return index_of(self._get(key))

    def _number(self, key: str) -> Decimal | None:
        return decimal_of(self._get(key))

    def _unit(self, position: str, sub_position: str) -> ItemUnit | None:
        index = self._index(position)
        return None if index is None else ItemUnit(index, self._index(sub_position) or 0)


@dataclass(frozen=True)
class Discount(Entry[Model]):
    """One discount that is granted or taken back, and what it is on."""

    part: Part
    """The amount with what it is on, as read from the effect."""

    @property
    def name(self) -> str:
        """Name of the discount; empty if it has none."""
        return self.part.name

    @property
    def amount(self) -> Decimal:
        """Amount in the currency of the Application, exactly as received."""
        return self.part.amount

    @property
    def unit(self) -> ItemUnit | None:
        """Unit of a cart item that the discount is on; ``None`` for the session."""
        return self.part.unit

    @property
    def cost(self) -> str | None:
        """Name of the additional cost that the discount is on: of `unit`, or of the session."""
        return self.part.cost

    @property
    def whole_item(self) -> bool:
        """Whether the discount is on all units of the cart item at `unit` together.

        Applications that do not flatten carts send such discounts.
        """
        return self.part.whole_item

    @property
    def scope(self) -> str | None:
        """Part of the session or item that the discount is on, if the effect states it."""
        return self._text("scope")

    @property
    def desired_amount(self) -> Decimal | None:
        """Amount before a budget reduced it, if it did."""
        return self._number("desiredValue")

    @property
    def pro_rata_total(self) -> Decimal | None:
        """Whole of the pro rata discount of which this is a share, if it is one."""
        return self._number("totalDiscount")

    @property
    def bundle_basis(self) -> ItemUnit | None:
        """Unit in the bundle whose discount is the basis, if the effect names one."""
        return self._unit("targetedItemPosition", "targetedItemSubPosition")

    @property
    def excluded_from_price_history(self) -> bool:
        """Whether the price history of the item leaves this discount out."""
        return self._get("excludedFromPriceHistory") is True


@dataclass(frozen=True)
class Malformed:
    """An effect of a known type that lacks what its type needs; it is in no sum."""

    effect: Effect
    """The effect as received."""
    problem: str
    """What is wrong with it, in a sentence."""


def entry_of(effect: Effect, code: str | None) -> Entry[Any]:
    """Return the entry of an effect of a documented type.

    Raises:
        ApiValueError: The effect lacks something without which a sum or a list would be wrong.
    """
    props = props_of(effect)
    match effect.effect_type:
        case (
            "setDiscount"
            | "setDiscountPerItem"
            | "setDiscountPerAdditionalCost"
            | "setDiscountPerAdditionalCostPerItem"
        ):
            return Discount(effect, props, code, granted(effect))
        case "rollbackDiscount":
            return Discount(effect, props, code, taken_back(effect))
        case "acceptCoupon" | "acceptReferral" | "redeemReferral":
            code_of(effect)
        case "addFreeItem":
            if not isinstance(props.get("sku"), str):
                raise ApiValueError(f"{place(effect)}: sku is {quoted(props.get('sku'))}, not text")
        case (
            "addLoyaltyPoints"
            | "deductLoyaltyPoints"
            | "rollbackAddedLoyaltyPoints"
            | "rollbackDeductedLoyaltyPoints"
        ):
            number_in(effect, "value")
            index_in(effect, "programId")
    return Entry(effect, props, code)
