"""Where `talon-one explain` finds out about a session: a sandbox, or a deployment.

A sandbox has a record of its last evaluation. A deployment keeps none, so a dry run evaluates the
session as it is now. Nothing is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import talon_one
from talon_one._core.operation import Operation, path, query
from talon_one.exceptions import TransportError
from talon_one.sandbox.page.effects import cart_of, codes_of, others_of

if TYPE_CHECKING:
    from talon_one import ApiClient

_ABOUT: Final = Operation(
    "aboutSandbox",
    "GET",
    "/_sandbox/about",
    results={200: "dict[str, Any]"},
)
_EXPLAIN: Final = Operation(
    "explainSession",
    "GET",
    "/_sandbox/sessions/{sessionId}",
    path("session_id", "sessionId", "str"),
    query("application_id", "applicationId", "int"),
    results={200: "dict[str, Any]"},
    security=("management_key",),
)

NO_KEY: Final = (
    "TALON_ONE_MANAGEMENT_KEY is not set: a sandbox explains sessions to those who have its "
    "Management key"
)
NO_RULES: Final = (
    "A session that is {state} is not evaluated again, so which rules failed is not known: a "
    "deployment says so only about open sessions."
)
DRY_RUN: Final = (
    "The rules ran just now, in a dry run, which changes nothing. Campaigns, budgets and codes may "
    "have been different when the shop updated the session."
)
_MAX_NAMES: Final = 20
_MAX_MESSAGES: Final = 10


class ExplainError(talon_one.ConfigurationError):
    """A session cannot be explained with what the environment has."""


def explain(client: ApiClient, session_id: str, application_id: int | None) -> dict[str, Any]:
    """Return the explanation of a session: the document that the door of a sandbox gives.

    For a deployment it has `notes`, which say what is different there, and no values of conditions.

    Args:
        client: Client of the sandbox or the deployment.
        session_id: Integration ID of the session.
        application_id: Its Application, if several of a sandbox have such a session.

    Raises:
        ExplainError: If a key is missing.
        ApiException: If there is no such session, a key is wrong, or nothing is reached.
    """
    if not is_sandbox(client):
        return from_deployment(client, session_id)
    if not client.configuration.api_key.get("management_key"):
        raise ExplainError(NO_KEY)
    found: dict[str, Any] = client.call(_EXPLAIN, (session_id,), {"application_id": application_id})
    return found


def is_sandbox(client: ApiClient) -> bool:
    """Return whether a client talks to a sandbox, which says so without a key.

    Raises:
        TransportError: If nothing is reached.
    """
    try:
        about = client.call(_ABOUT, (), {})
    except TransportError:
        raise
    except talon_one.ApiException:
        return False
    return isinstance(about, Mapping) and about.get("sandbox") == "talon_one"


def from_deployment(client: ApiClient, session_id: str) -> dict[str, Any]:
    """Explain a session by what the API gives, without changing anything.

    Raises:
        ApiException: If the calls of the Integration API fail.
    """
    api = talon_one.IntegrationApi(client)
    state = api.get_customer_session(session_id).to_wire()
    session = state.get("customerSession") or {}
    reasons: list[Mapping[str, Any]] = []
    notes = []
    evaluated = session.get("state", "open") == "open"
    if evaluated:
        state = api.update_customer_session_v2(
            session_id,
            {
                "customerSession": {},
                "responseContent": [
                    "customerSession",
                    "triggeredCampaigns",
                    "ruleFailureReasons",
                    "coupons",
                ],
            },
            dry=True,
        ).to_wire()
        session = state.get("customerSession") or session
        reasons = _objects(state.get("ruleFailureReasons"))
        notes.append(DRY_RUN)
    else:
        notes.append(NO_RULES.format(state=str(session.get("state")).replace("_", " ")))
    effects = _objects(state.get("effects"))
    names = _names(state, reasons)
    management = _management(client)
    if management is not None:
        names |= _names_of_others(management, session, effects, names)
        notes += _messages(management, session, effects)
    return {
        "session": session,
        "application": {"id": session.get("applicationId")},
        "cart": cart_of(session, effects, names),
        "codes": codes_of(session, effects, names),
        "evaluation": {"event": "dry run", "created": None} if evaluated else None,
        "notes": notes,
        "rules": list(_rules(reasons, effects, names)),
        "effects": others_of(effects, names),
    }


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value or () if isinstance(each, Mapping)]


def _names(state: Mapping[str, Any], reasons: list[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of campaigns that a response has."""
    names = {each.get("id"): each.get("name") for each in _objects(state.get("triggeredCampaigns"))}
    names |= {each.get("campaignID"): each.get("campaignName") for each in reasons}
    return {number: str(name) for number, name in names.items() if isinstance(number, int) and name}


def _management(client: ApiClient) -> talon_one.ManagementApi | None:
    has_key = client.configuration.api_key.get("management_key")
    return talon_one.ManagementApi(client) if has_key else None


def _names_of_others(
    api: talon_one.ManagementApi,
    session: Mapping[str, Any],
    effects: list[Mapping[str, Any]],
    known: Mapping[int, str],
) -> dict[int, str]:
    """Look up the names of campaigns that have effects, and that the response does not name."""
    application = session.get("applicationId")
    if not isinstance(application, int):
        return {}
    found: dict[int, str] = {}
    ids = dict.fromkeys(each.get("campaignId") for each in effects)
    wanted = [each for each in ids if isinstance(each, int) and each > 0 and each not in known]
    for campaign_id in wanted[:_MAX_NAMES]:
        try:
            found[campaign_id] = api.get_campaign(application, campaign_id).name
        except talon_one.ApiException:
            # The explanation is complete without; the ID stands there instead.
            break
    return found


def _messages(
    api: talon_one.ManagementApi, session: Mapping[str, Any], effects: list[Mapping[str, Any]]
) -> list[str]:
    """Return what became of webhooks, if the session triggers any."""
    application = session.get("applicationId")
    triggers = any(each.get("effectType") == "triggerWebhook" for each in effects)
    if not triggers or not isinstance(application, int):
        return []
    try:
        logs = api.get_message_logs(
            "webhook", application_id=application, is_successful=False, period="1d"
        ).to_wire()
    except talon_one.ApiException as cause:
        return [f"The message log cannot be read: {cause}"]
    entries = _objects(logs.get("data"))[:_MAX_MESSAGES]
    return [
        f"The webhook {each.get('webhookName') or each.get('webhookId')} failed at "
        f"{each.get('createdAt')} with {(each.get('response') or {}).get('status', 'no response')}."
        for each in entries
    ] or ["No webhook of the Application has failed in the last day."]


def _rules(
    reasons: list[Mapping[str, Any]], effects: list[Mapping[str, Any]], names: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    """Yield campaigns with the rules of which something is known: an effect, or a failure."""
    campaigns: dict[Any, dict[Any, dict[str, Any]]] = {}
    for each in effects:
        campaign_id = each.get("campaignId")
        if campaign_id == -1 or str(each.get("effectType")).startswith("reject"):
            continue
        run = {"index": each.get("ruleIndex"), "title": each.get("ruleName"), "passed": True}
        campaigns.setdefault(campaign_id, {}).setdefault((each.get("ruleIndex"), ()), run)
    for each in reasons:
        run = {"index": each.get("ruleIndex"), "title": each.get("ruleName"), "passed": False}
        for name, key in (("coupon", "couponValue"), ("referral", "referralValue")):
            if each.get(key):
                run[name] = each[key]
        run["details"] = _details(each)
        codes = (each.get("couponValue"), each.get("referralValue"))
        # A rule may pass for one code and fail for another.
        campaigns.setdefault(each.get("campaignID"), {})[(each.get("ruleIndex"), codes)] = run
    for campaign_id, runs in campaigns.items():
        ordered = sorted(runs.values(), key=lambda run: str(run["index"]).zfill(6))
        yield {"id": campaign_id, "name": names.get(campaign_id, ""), "rules": ordered}


def _details(reason: Mapping[str, Any]) -> str:
    if reason.get("effectIndex") is not None:
        what = f"its effect {reason['effectIndex'] + 1} could not be applied"
    elif reason.get("conditionIndex") is not None:
        what = f"its condition {reason['conditionIndex'] + 1} does not hold"
    else:
        what = "it does not apply"
    return f"{what}: {reason['details']}" if reason.get("details") else what
