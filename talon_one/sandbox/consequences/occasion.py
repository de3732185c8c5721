"""The request during which consequences are carried out or undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from talon_one.sandbox.accounts import Account
from talon_one.sandbox.call import Call
from talon_one.sandbox.state.documents import Document


@dataclass(slots=True)
class Occasion:
    """A request with its session or event, and what it has created so far.

    Attributes:
        call: The request.
        session: Session that the consequences belong to, if any.
        event: Event of the request.
        profile: Current profile, None for an anonymous session.
        closing: Whether everything is carried out, and not only what happens early.
        created_coupons: Coupons created by effects.
        created_referrals: Referrals created by effects.
        awarded_giveaways: Giveaways awarded by effects.
        effects: The effects of the request; carrying one out may complete others and add some.
        touched: Accounts whose points have changed, by program, holder and ledger, each with the
            last effect that added points.
    """

    call: Call
    session: Document | None
    event: Document
    profile: Document | None
    closing: bool = False
    created_coupons: list[Document] = field(default_factory=list)
    created_referrals: list[Document] = field(default_factory=list)
    awarded_giveaways: list[Document] = field(default_factory=list)
    effects: list[dict[str, Any]] = field(default_factory=list)
    touched: dict[tuple[int, str, str], tuple[Account, dict[str, Any] | None]] = field(
        default_factory=dict
    )

    @property
    def profile_id(self) -> str:
        """Integration ID of the current profile; empty for none."""
        return str(self.profile["integrationId"]) if self.profile else ""

    def recipient(self, details: dict[str, Any]) -> str:
        """Return the integration ID of the profile that details name, the current one if none."""
        return str(details.get("profileIntegrationId") or self.profile_id)
