"""The input of an evaluation: campaigns compiled once per revision, codes looked up, facts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from talon_one.sandbox.call import Call
from talon_one.sandbox.codes import distinct, find_coupon, find_referral
from talon_one.sandbox.facts import StateFacts
from talon_one.sandbox.permissions import is_staging
from talon_one.sandbox.rules.compile import compile_ruleset
from talon_one.sandbox.rules.shop import CampaignEntry, Group, ShopSituation
from talon_one.sandbox.rules.situation import CouponEntry, ReferralEntry
from talon_one.sandbox.shapes import coupon_facts, referral_facts
from talon_one.sandbox.state.documents import Document


class Shop(NamedTuple):
    """The campaigns of an Application and the order in which they are evaluated."""

    campaigns: Mapping[int, CampaignEntry]
    tree: Group


def situation_of(
    call: Call,
    session: Document,
    event: Mapping[str, Any],
    *,
    evaluable: frozenset[int] | None = None,
    audiences: Mapping[int, bool] | None = None,
    ignore_groups: bool = False,
    own: Mapping[str, Decimal] | None = None,
    connected: bool = False,
) -> ShopSituation:
    """Return what the rules see of a request.

    Args:
        call: The request.
        session: The session, merged and stored, or one without an ID that names a profile alone.
        event: Event that the request caused.
        evaluable: IDs of the only campaigns to evaluate.
        audiences: Audiences that the request changed: True for joined, False for left.
        ignore_groups: Whether all campaigns are evaluated as if there were no groups.
        own: What the session itself has counted, and may count again.
        connected: Whether the session is a closed one that an event refers to.
    """
    referral, advocate = _referral(call, session)
    shop = shop_of(call)
    return ShopSituation(
        now=call.now,
        application=call.application,
        session=_seen(session) if session.get("id") else None,
        event=event,
        campaigns=shop.campaigns,
        facts=StateFacts(call, session, advocate, audiences, own),
        tree=shop.tree,
        coupons=_coupons(call, session),
        referral=referral,
        evaluable=evaluable,
        store=_store(call, session),
        ignore_groups=ignore_groups,
        eligibility=call.dry,
        staging=is_staging(call.key),
        connected=connected,
    )


def shop_of(call: Call) -> Shop:
    """Return the compiled campaigns of the Application of a request."""

    def load() -> Shop:
        campaigns = {
            each["id"]: CampaignEntry(each, _ruleset(call, each))
            for each in call.state.campaigns.each(applicationId=call.application_id)
        }
        return Shop(campaigns, tree_of(call.application.get("_evaluationTree")))

    return call.state.cached(("shop", call.application_id), load)


def tree_of(described: Mapping[str, Any] | None) -> Group:
    """Return the tree of evaluation groups that a JSON object describes.

    A group has `id`, `evaluationMode`, `evaluationScope` and `members`: campaign IDs and groups.
    """
    if described is None:
        return Group()
    return Group(
        id=described.get("id", 0),
        mode=described.get("evaluationMode", "stackable"),
        scope=described.get("evaluationScope", "session"),
        members=tuple(
            member if isinstance(member, int) else tree_of(member)
            for member in described.get("members") or ()
        ),
        locked=bool(described.get("locked")),
    )


def _ruleset(call: Call, campaign: Mapping[str, Any]) -> Any:
    found = call.state.rulesets.get(campaign.get("activeRulesetId") or 0)
    return compile_ruleset(found or {"id": 0, "promotionRules": []})


def _seen(session: Document) -> Document:
    """Return a session as rules see it: with the total of the caller, if V1 sent one."""
    given = session.get("_total")
    return session if given is None else {**session, "total": given}


def _coupons(call: Call, session: Mapping[str, Any]) -> list[CouponEntry]:
    entries = []
    for code in distinct(call.application, session.get("couponCodes") or ()):
        found = find_coupon(call, code)
        entries.append(CouponEntry(code, coupon_facts(call.state, found) if found else None))
    return entries


def _referral(call: Call, session: Mapping[str, Any]) -> tuple[ReferralEntry | None, str]:
    code = session.get("referralCode")
    if not code:
        return None, ""
    found = find_referral(call, code)
    if found is None:
        return ReferralEntry(code), ""
    profile_id = session["profileId"]
    redeemed = call.state.journal.of_profile(profile_id, "redeemReferral") if profile_id else ()
    others = [each for each in redeemed if each.session_id != session.get("id")]
    entry = ReferralEntry(code, referral_facts(call.state, found), already_referred=bool(others))
    return entry, found["advocateProfileIntegrationId"]


def _store(call: Call, session: Mapping[str, Any]) -> Document | None:
    integration_id = session.get("storeIntegrationId")
    if not integration_id:
        return None
    return call.state.stores.first(applicationId=call.application_id, integrationId=integration_id)
