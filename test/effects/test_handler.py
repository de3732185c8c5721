"""`EffectHandler` calls the function for each effect, even if others fail."""

from __future__ import annotations

import asyncio
import json
import pickle
import warnings
from typing import Any

import pytest

import talon_one
from effects.sample_effects import effect, effect_json, response_with
from support.server import RecordingServer
from talon_one import (
    AcceptCouponEffectProps,
    ApiTypeError,
    ApiValueError,
    CustomEffectProps,
    Effect,
    IntegrationApi,
    Model,
    OpenApiException,
    RejectCouponEffectProps,
    SetDiscountEffectProps,
    StrikethroughSetDiscountPerItemEffectProps,
)
from talon_one._utils.suggest import did_you_mean
from talon_one.effects import (
    Difference,
    EffectHandler,
    EffectHandlingError,
    UnknownEffectTypeWarning,
    codes,
    difference,
    discounts,
    effects_of,
    rolled_back,
)

ACCEPTED = effect_json("acceptCoupon", {"value": "TEN-OFF"})
DISCOUNT = effect_json("setDiscount", {"name": "10% off", "value": 3.4})
REJECTED = effect_json("rejectCoupon", {"value": "NOPE", "rejectionReason": "CouponNotFound"})
KINDS = Effect._fields["props"].classes.keys()  # type: ignore[attr-defined]  # has variants
NEW = effect_json("sendPigeon", {"to": "Zoe"})


def recorder(calls: list[Any], name: str) -> Any:
    """Return a function for effects that records its calls."""
    return lambda effect, props: calls.append((name, effect.effect_type, type(props)))


def test_each_effect_goes_to_the_function_of_its_type() -> None:
    calls: list[Any] = []
    handler = EffectHandler()
    handler.on("acceptCoupon")(recorder(calls, "name"))
    handler.on(SetDiscountEffectProps)(recorder(calls, "class"))
    handler.default(recorder(calls, "default"))
    result = handler.dispatch(response_with(ACCEPTED, DISCOUNT, REJECTED, NEW))
    assert calls == [
        ("name", "acceptCoupon", AcceptCouponEffectProps),
        ("class", "setDiscount", SetDiscountEffectProps),
        ("default", "rejectCoupon", RejectCouponEffectProps),
        ("default", "sendPigeon", Model),
    ]
    kinds = [each.effect_type for each in result.handled]
    assert kinds == ["acceptCoupon", "setDiscount", "rejectCoupon", "sendPigeon"]
    assert result.unhandled == []
    assert result.failures == []
    result.raise_for_failures()


def test_effects_without_a_function_are_unhandled() -> None:
    handler = EffectHandler()
    handler.on("acceptCoupon")(recorder([], ""))
    result = handler.dispatch(response_with(ACCEPTED, NEW, DISCOUNT))
    assert [each.effect_type for each in result.handled] == ["acceptCoupon"]
    assert [each.effect_type for each in result.unhandled] == ["sendPigeon", "setDiscount"]


def test_one_function_may_serve_several_types() -> None:
    calls: list[str] = []
    handler = EffectHandler()

    @handler.on(AcceptCouponEffectProps, RejectCouponEffectProps)
    def of_code(effect: Effect, props: AcceptCouponEffectProps | RejectCouponEffectProps) -> None:
        calls.append(props.value)

    @handler.on("setDiscount", "sendPigeon")
    def other(effect: Effect, props: Model) -> None:
        calls.append(effect.effect_type)

    handler.dispatch(response_with(ACCEPTED, DISCOUNT, REJECTED, NEW))
    assert calls == ["TEN-OFF", "setDiscount", "NOPE", "sendPigeon"]
    assert (of_code.__name__, other.__name__) == ("of_code", "other")


def test_functions_get_the_context() -> None:
    handler = EffectHandler()

    @handler.on(SetDiscountEffectProps)
    def grant(effect: Effect, props: SetDiscountEffectProps, cart: dict[str, float]) -> None:
        cart[props.name] = props.value

    carts: list[dict[str, float]] = [{}, {}]
    for cart in carts:
        handler.dispatch(response_with(DISCOUNT), cart).raise_for_failures()
    assert carts == [{"10% off": 3.4}] * 2


def test_an_exception_is_collected_and_the_other_functions_run() -> None:
    calls: list[Any] = []
    handler = EffectHandler()

    @handler.on("acceptCoupon", "rejectCoupon")
    def fail(effect: Effect, props: Model) -> None:
        raise LookupError(props["value"])

    handler.on("setDiscount")(recorder(calls, "discount"))
    result = handler.dispatch(response_with(ACCEPTED, DISCOUNT, REJECTED))
    assert [name for name, *_ in calls] == ["discount"]
    assert [each.effect_type for each in result.handled] == ["setDiscount"]
    assert [(each.effect.effect_type, str(each.error)) for each in result.failures] == [
        ("acceptCoupon", "TEN-OFF"),
        ("rejectCoupon", "NOPE"),
    ]
    with pytest.raises(EffectHandlingError) as caught:
        result.raise_for_failures()
    assert isinstance(caught.value, OpenApiException)
    assert caught.value.__cause__ is result.failures[0].error
    assert str(caught.value) == (
        "2 effects could not be handled: "
        "acceptCoupon of campaign 12, rule 'Ten percent': LookupError: TEN-OFF; "
        "rejectCoupon of campaign 12, rule 'Ten percent': LookupError: NOPE"
    )
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert again.failures[0].effect == result.failures[0].effect


def test_an_exception_that_ends_the_program_is_not_collected() -> None:
    handler = EffectHandler()

    @handler.default
    def interrupt(effect: Effect, props: Model) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handler.dispatch(response_with(ACCEPTED))


def test_malformed_props_fail_only_in_their_function() -> None:
    handler = EffectHandler()

    @handler.on(SetDiscountEffectProps)
    def grant(effect: Effect, props: SetDiscountEffectProps) -> float:
        return props.value + 0

    malformed: list[Any] = [None, [], {"name": "n"}]
    broken = [effect_json("setDiscount", props) for props in malformed]
    kinds: list[Any] = [None, ["setDiscount"], {"a": 1}, 7]
    strange = [effect_json(kind, {}) for kind in kinds]
    result = handler.dispatch(response_with(*broken, DISCOUNT, *strange))
    assert (len(result.failures), len(result.handled), len(result.unhandled)) == (3, 1, 4)


def test_plain_functions_and_coroutine_functions_run_one_after_another() -> None:
    calls: list[str] = []
    handler = EffectHandler()

    @handler.on(AcceptCouponEffectProps)
    async def accept(effect: Effect, props: AcceptCouponEffectProps, cart: str) -> None:
        calls.append(f"begin {cart}")
        await asyncio.sleep(0)
        calls.append(f"end {props.value}")

    @handler.on("rejectCoupon")
    async def fail(effect: Effect, props: Model, cart: str) -> None:
        await asyncio.sleep(0)
        raise LookupError(cart)

    @handler.on("setDiscount")
    def discount(effect: Effect, props: Model, cart: str) -> None:
        calls.append("discount")

    state = response_with(ACCEPTED, REJECTED, DISCOUNT, NEW)
    result = asyncio.run(handler.dispatch_async(state, "cart"))
    assert calls == ["begin cart", "end TEN-OFF", "discount"]
    assert [each.effect_type for each in result.handled] == ["acceptCoupon", "setDiscount"]
    assert [each.effect_type for each in result.unhandled] == ["sendPigeon"]
    assert [str(each.error) for each in result.failures] == ["cart"]


def test_a_cancelled_task_stops() -> None:
    calls: list[Any] = []
    handler = EffectHandler()

    @handler.on("acceptCoupon")
    async def cancel(effect: Effect, props: Model) -> None:
        raise asyncio.CancelledError

    handler.on("setDiscount")(recorder(calls, "discount"))

    async def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            await handler.dispatch_async(response_with(ACCEPTED, DISCOUNT))

    asyncio.run(run())
    assert calls == []


def test_dispatch_refuses_coroutine_functions() -> None:
    calls: list[Any] = []
    handler = EffectHandler()
    handler.on("acceptCoupon")(recorder(calls, "accept"))

    @handler.on("setDiscount")
    async def discount(effect: Effect, props: Model) -> None:
        calls.append("discount")

    with pytest.raises(ApiTypeError, match="use dispatch_async"):
        handler.dispatch(response_with(ACCEPTED, DISCOUNT))
    assert calls == []
    # A function that only returns a coroutine fails when it is called.
    hidden = EffectHandler()
    hidden.default(lambda effect, props: discount(effect, props))
    [failure] = hidden.dispatch(response_with(DISCOUNT)).failures
    assert "use dispatch_async" in str(failure)


def test_a_type_has_one_function() -> None:
    handler = EffectHandler()
    handler.on("setDiscount")(recorder([], ""))
    with pytest.raises(ApiValueError, match="'setDiscount' has a function already"):
        handler.on(SetDiscountEffectProps)(recorder([], ""))
    handler.default(recorder([], ""))
    with pytest.raises(ApiValueError, match="there is a default already"):
        handler.default(recorder([], ""))


def test_a_function_that_is_refused_is_registered_for_no_type() -> None:
    handler = EffectHandler()
    handler.on("setDiscount")(recorder([], ""))
    with pytest.raises(ApiValueError):
        handler.on("acceptCoupon", "setDiscount")(recorder([], ""))
    assert len(handler.dispatch(response_with(ACCEPTED)).unhandled) == 1


@pytest.mark.parametrize(
    "kind", ["setDiscout", "setDsicount", "set_discount", "SetDiscountEffectProps"]
)
def test_a_misspelled_type_causes_a_warning(kind: str) -> None:
    handler = EffectHandler()
    with pytest.warns(UnknownEffectTypeWarning, match=r"Did you mean 'setDiscount'\?") as caught:
        handler.on(kind)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_known_type_looks_like_a_misspelling_of_another(kind: str) -> None:
    # Types are added over the years. None must cause a warning in a release that predates it.
    assert did_you_mean(kind, KINDS - {kind}, typos_only=True) == ""


@pytest.mark.parametrize("kind", ["sendPigeon", "setDiscountPerParcel", "customEffect", "error"])
def test_known_and_new_types_cause_no_warning(kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EffectHandler().on(kind)
        EffectHandler().on(CustomEffectProps)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ((), "needs at least one effect type"),
        ((Effect,), "neither an effect type nor a class of props"),
        ((7,), "neither an effect type nor a class of props"),
        # A class of the caller that has the name of one of ours.
        ((type("SetDiscountEffectProps", (), {}),), "neither an effect type nor a class of props"),
        (
            (StrikethroughSetDiscountPerItemEffectProps,),
            "'SetDiscountPerItemEffectProps'",
        ),
    ],
)
def test_a_kind_that_is_not_an_effect_type_is_refused(kinds: Any, message: str) -> None:
    with pytest.raises(ApiTypeError, match=message):
        EffectHandler().on(*kinds)


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (talon_one.IntegrationStateV2, {"effects": [ACCEPTED]}),
        (talon_one.IntegrationEventV2Response, {"effects": [ACCEPTED]}),
        (talon_one.IntegrationEventV3Response, {"effects": [ACCEPTED]}),
        (talon_one.ReopenSessionResponse, {"effects": [ACCEPTED]}),
        (talon_one.CustomerProfileIntegrationResponseV2, {"effects": [ACCEPTED]}),
        (talon_one.IntegrationCustomerSessionResponse, {"effects": [ACCEPTED]}),
    ],
)
def test_every_response_with_effects_is_accepted(cls: type[Any], data: Any) -> None:
    assert [each.effect_type for each in effects_of(cls.from_dict(data))] == ["acceptCoupon"]


def test_lists_of_effects_are_accepted_and_their_dicts_are_not_changed() -> None:
    plain = effect_json("setDiscount", {"value": 1})
    found = effects_of([plain, effect("acceptCoupon", {})])
    assert [type(each) for each in found] == [Effect, Effect]
    assert found[0].props["value"] == 1
    assert type(plain["props"]) is dict
    assert [each.effect_type for each in effects_of(iter([plain]))] == ["setDiscount"]


@pytest.mark.parametrize("data", [{}, {"effects": None}, {"effects": []}])
def test_a_response_without_effects_has_none(data: Any) -> None:
    assert effects_of(talon_one.IntegrationStateV2.from_dict(data)) == []


V1_EFFECT = [12, 40, 0, ["setDiscount", "10% off", 3.4]]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "silent='no'"),
        (
            talon_one.IntegrationState.from_dict({}),
            r"IntegrationState has no effects; effects of V1 responses",
        ),
        (talon_one.Event.from_dict({"effects": [V1_EFFECT]}), "effects of V1 responses are lists"),
        ([V1_EFFECT], "effects of V1 responses are lists"),
        (talon_one.Coupon.from_dict({}), "Coupon has no effects$"),
        ({"effects": []}, "not dict"),
        ("effects", "not str"),
        (7, "not int"),
        ([7], "an effect is an Effect or a dict, not int"),
        (talon_one.IntegrationStateV2.from_dict({"effects": {"a": 1}}), "not dict"),
    ],
    ids=str,
)
def test_an_object_without_effects_is_refused_with_advice(wrong: Any, message: str) -> None:
    with pytest.raises(ApiTypeError, match=message):
        effects_of(wrong)
    with pytest.raises(ApiTypeError, match=message):
        EffectHandler().dispatch(wrong)


def test_the_response_of_a_call_is_dispatched() -> None:
    calls: list[Any] = []
    handler = EffectHandler()
    handler.default(recorder(calls, ""))
    with RecordingServer() as server:
        server.script({"effects": [ACCEPTED, DISCOUNT], "createdCoupons": []})
        with IntegrationApi(host=server.url, api_key="key") as api:
            handler.dispatch(api.update_customer_session_v2("s", {"customerSession": {}}))
    assert [kind for _, kind, _ in calls] == ["acceptCoupon", "setDiscount"]


def test_the_response_of_an_asyncio_call_is_dispatched() -> None:
    calls: list[str] = []
    handler = EffectHandler()

    @handler.on(SetDiscountEffectProps)
    async def grant(effect: Effect, props: SetDiscountEffectProps) -> None:
        await asyncio.sleep(0)
        calls.append(props.name)

    async def call(host: str) -> None:
        configuration = talon_one.Configuration(host, {"api_key_v1": "key"})
        async with talon_one.aio.ApiClient(configuration) as client:
            state = await talon_one.aio.IntegrationApi(client).reopen_customer_session("s")
        result = await handler.dispatch_async(state)
        result.raise_for_failures()

    with RecordingServer() as server:
        server.script({"effects": [DISCOUNT]})
        asyncio.run(call(server.url))
    assert calls == ["10% off"]


class _Collected(list[str]):
    """A callable that is false while it is empty."""

    def __call__(self, effect: Effect, props: Model) -> None:
        self.append(effect.effect_type)


def test_a_callable_that_is_false_is_called() -> None:
    handler, own, default = EffectHandler(), _Collected(), _Collected()
    handler.on("acceptCoupon")(own)
    handler.default(default)
    accepted = effect_json("acceptCoupon", {"value": "A"})
    handler.dispatch(response_with(accepted, effect_json("rejectCoupon", {"value": "B"})))
    assert (own, default) == (["acceptCoupon"], ["rejectCoupon"])


def test_an_object_that_is_not_callable_is_refused() -> None:
    handler: Any = EffectHandler()
    for register in (handler.on("acceptCoupon"), handler.default):
        with pytest.raises(ApiTypeError, match="5 is not a function"):
            register(5)


JUNK: list[Any] = [None, "setDiscount", 7, True, ["setDiscount", "x", 3.4], []]
ODD: list[Any] = [{}, {"effectType": None}, {"effectType": {"a": 1}, "props": "x"}]


def test_entries_that_are_not_effects_are_skipped(caplog: pytest.LogCaptureFixture) -> None:
    discount = effect_json("setDiscount", {"name": "10%", "value": 3})
    accepted = effect_json("acceptCoupon", {"value": "A"})
    rejected = effect_json("rejectCoupon", {"value": "B", "rejectionReason": "x"})
    lost = effect_json("showNotification", None)
    listed = [*JUNK, discount, *ODD, None, accepted, lost, rejected, *JUNK]
    state = talon_one.IntegrationStateV2.from_json(json.dumps({"effects": listed}))
    calls: list[Any] = []
    handler = EffectHandler()
    handler.on("setDiscount", "acceptCoupon", "rejectCoupon", "showNotification")(
        lambda effect, props: calls.append(props)
    )
    for given in (state, listed):
        caplog.clear()
        calls.clear()
        result = handler.dispatch(given)
        again = asyncio.run(handler.dispatch_async(given))
        assert [len(each) for each in (result.handled, result.unhandled, result.failures)] == [
            4,
            3,
            0,
        ]
        assert again == result
        assert calls[2] is None
        assert discounts(given).total == 3
        assert rolled_back(given).total == 0
        assert codes(given).accepted_coupons == ["A"]
        assert [each.value for each in codes(given).rejected_coupons] == ["B"]
        assert not difference(given, given)
        assert len(difference([], given).apply) == 7
        assert "skipped entries that are not effects: [None, 'setDiscount', 7" in caplog.text
        assert max(map(len, caplog.text.splitlines())) < 250


@pytest.mark.parametrize("effects", [[None], [None, None], ["x"], [7, None]])
def test_a_response_with_nothing_but_junk_has_no_effects(effects: Any) -> None:
    state = talon_one.IntegrationStateV2.from_json(json.dumps({"effects": effects}))
    assert effects_of(state) == []
    nothing: Any = [None]
    assert effects_of(nothing) == []
    assert not difference(state, [])


def test_a_difference_is_true_if_it_undoes_or_applies_anything() -> None:
    one = effect("setDiscount", {"name": "10%", "value": 3})
    assert Difference([one], [], [])
    assert Difference([], [one], [])
    assert difference([one], [])
    assert difference([], [one])
    assert not Difference([], [], [one])
    assert not difference([one], [one])


def test_a_long_value_is_quoted_in_short() -> None:
    huge = "x" * 100_000
    wrong = [
        effect_json("setDiscount", {"value": huge}),
        effect_json("setDiscount", {"value": [huge]}),
        effect_json("setDiscountPerAdditionalCost", {"value": 1, "additionalCost": [huge]}),
    ]
    for each in wrong:
        with pytest.raises(ApiValueError) as caught:
            discounts([each])
        assert len(str(caught.value)) < 250
    with pytest.raises(ApiValueError) as caught:
        codes([effect_json("acceptCoupon", [huge])])
    assert len(str(caught.value)) < 250


def test_an_exception_without_a_message_stops_no_other_effect() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise OSError("no")

    handler = EffectHandler()

    @handler.on("acceptCoupon")
    def fail(effect: Effect, props: Model) -> None:
        raise Mute

    accepted = effect_json("acceptCoupon", {"value": "A"})
    result = handler.dispatch([accepted] * 25)
    assert len(result.failures) == 25
    with pytest.raises(
        EffectHandlingError, match=r"25 effects .*: Mute: .*; and 15 more$"
    ) as caught:
        result.raise_for_failures()
    assert isinstance(caught.value.__cause__, Mute)
