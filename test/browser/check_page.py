"""The page works in a browser: live, by keyboard, in light and dark, and with hostile texts."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from browser.conftest import Shop

EVIL = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"
VIEWS = (
    "requests",
    "requests/1",
    "sessions",
    "sessions/order-1001",
    "sessions/nothing",
    "coupons",
    "points",
    "points/1",
    "points/1/profile%3Acust-anna",
    "clock",
)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def go(page: Page, shop: Shop, view: str) -> None:
    """Show a view, and wait until it is there."""
    page.goto(f"{shop.sandbox.url}/_sandbox#/{view}")
    page.locator(f"main[data-view='#/{view}']").wait_for()


def violations(page: Page) -> list[str]:
    """Return what axe says against the page."""
    found = page.evaluate(f"{AXE}; axe.run()")
    assert found["passes"]
    return [
        f"{each['id']}: {each['help']} {[node['target'] for node in each['nodes']][:3]}"
        for each in found["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_view_is_accessible_and_fits(page: Page, shop: Shop, width: int, scheme: str) -> None:
    shop.order()
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    wrong = []
    for view in VIEWS:
        go(page, shop, view)
        wrong += [f"{view}: {each}" for each in violations(page)]
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            wrong.append(f"{view} is {needed} pixels wide")
    assert wrong == []


def test_without_a_key_the_page_asks_for_one(context: BrowserContext, shop: Shop) -> None:
    page = context.new_page()
    page.goto(f"{shop.sandbox.url}/_sandbox")
    expect(page.get_by_role("heading", level=1)).to_have_text("Management key")
    expect(page.get_by_role("alert")).to_have_count(0)
    assert page.evaluate(f"{AXE}; axe.run()")["violations"] == []
    for wrong in ("guess", "schlüssel"):
        page.get_by_label("Management key").fill(wrong)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Management key").fill(shop.sandbox.management_key)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")


def test_a_key_in_the_address_leaves_it(page: Page, shop: Shop) -> None:
    assert page.url == f"{shop.sandbox.url}/_sandbox#/requests"


def test_requests_appear_as_they_are_made(page: Page, shop: Shop) -> None:
    expect(page.get_by_text("No requests yet")).to_be_visible()
    shop.order()
    row = page.get_by_role("row").filter(has_text="order-1001")
    expect(row).to_contain_text("update_customer_session_v2")
    page.get_by_role("button", name="Pause").click()
    shop.session("order-1002")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("order-1002")
    row.get_by_role("link").click()
    expect(page.get_by_role("region", name="Body of the request")).to_contain_text('"WELCOME10"')
    page.get_by_text("header").first.click()
    expect(page.get_by_text("ApiKey-v1 ***")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    shop.manage("POST", "/_sandbox/reset")
    shop.session("anew")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("row").nth(1)).to_contain_text("anew")


def test_a_hidden_tab_asks_for_nothing(page: Page, shop: Shop) -> None:
    page.clock.install()
    go(page, shop, "sessions")
    go(page, shop, "requests")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true});"
        "window.away = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.clock.run_for(60_000)
    assert asked == []
    shop.session("order-1")
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.run_for(2_000)
    expect(page.get_by_role("row").nth(1)).to_contain_text("order-1")
    assert asked != []


def test_a_session_shows_its_discounts_its_codes_and_why_rules_failed(
    page: Page, shop: Shop
) -> None:
    shop.order()
    page.get_by_role("link", name="Sessions").click()
    page.get_by_role("link", name="order-1001").click()
    cart = page.get_by_role("table", name="Cart")
    expect(cart).to_contain_text("12.00 each unit: Sale#0")
    expect(cart.get_by_role("row", name="To pay")).to_contain_text("86.40 EUR")
    codes = page.get_by_role("listitem").filter(has_text="SUMMER")
    expect(codes).to_contain_text("The Application has no such code.")
    rule = page.get_by_role("listitem").filter(has_text="Cinema voucher").last
    expect(rule).to_contain_text("failed")
    expect(rule).to_contain_text("$Session.CartItemTotal greater than or equal to 200")
    expect(rule.get_by_role("definition")).to_have_text("132")
    shop.session("order-1001", couponCodes=[])
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("The session has no codes.")).to_be_visible()


def test_hostile_texts_are_shown_as_texts(page: Page, shop: Shop) -> None:
    shop.session(
        f"a/b%2F {EVIL}",
        profileId=EVIL,
        couponCodes=[EVIL],
        cartItems=[{"sku": EVIL, "name": EVIL, "quantity": 1, "price": 1}],
        attributes={},
    )
    page.get_by_role("link", name="Sessions").click()
    page.get_by_role("link", name="a/b%2F").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"a/b%2F {EVIL}")
    expect(page.get_by_role("table", name="Cart")).to_contain_text(EVIL)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"a/b%2F {EVIL}")
    go(page, shop, "requests/1")
    expect(page.get_by_role("region", name="Body of the request")).to_contain_text("onerror")
    assert page.locator("main img, main script").count() == 0
    assert page.title() != "pwned"


def test_the_clock_is_moved_and_refuses_to_go_back(page: Page, shop: Shop) -> None:
    page.get_by_role("link", name="Clock").click()
    expect(page.locator("#now")).to_have_text("2026-11-01 09:00 UTC")
    page.get_by_role("button", name="30 days").click()
    expect(page.locator("#now")).to_have_text("2026-12-01 09:00 UTC")
    page.get_by_label("By").fill("1.5")
    page.get_by_label("Unit").select_option("hours")
    page.get_by_role("button", name="Advance").click()
    expect(page.locator("#now")).to_have_text("2026-12-01 10:30 UTC")
    page.get_by_label("To a moment").fill("2020-01-01T00:00:00Z")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot go backwards")
    assert shop.manage("GET", "/_sandbox/clock")["now"].startswith("2026-12-01T10:30")


def test_the_keyboard_reaches_everything(page: Page, shop: Shop) -> None:
    shop.order()
    page.reload()
    page.get_by_role("row").nth(1).wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    assert page.locator(":focus").bounding_box()["x"] >= 0
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(page.locator(":focus").text_content())
    assert names[:6] == ["Requests", "Sessions", "Coupons", "Points", "Clock", "Pause"]
    assert names[7] == "PUT /v2/customer_sessions/order-1001"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("h1:focus")).to_have_text("PUT /v2/customer_sessions/order-1001")
    page.go_back()
    expect(page.locator("h1:focus")).to_have_text("Requests")
    page.reload()
    page.get_by_role("row").nth(1).wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main:focus")).to_have_count(1)
    assert page.url.endswith("#/requests")


def test_ten_thousand_sessions_come_a_page_at_a_time(page: Page, shop: Shop) -> None:
    shop.session("order-0")

    def fill(state: object) -> None:
        first = state.sessions.first()  # type: ignore[attr-defined]
        for number in range(1, 10_000):
            document = {**first, "id": None, "integrationId": f"order-{number}"}
            state.sessions.add(document)  # type: ignore[attr-defined]

    shop.sandbox._change(fill)
    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_text("1 to 50 of 10,000")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("51 to 100 of 10,000")).to_be_visible()
    page.get_by_label("Part of the ID").fill("order-4321")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_back()
    expect(page.get_by_text("51 to 100 of 10,000")).to_be_visible()
    assert violations(page) == []


def test_large_carts_and_bodies_do_not_freeze_the_page(page: Page, shop: Shop) -> None:
    coat = {"name": "Coat", "quantity": 2, "price": 5}
    items = [{**coat, "sku": f"COAT-{each}"} for each in range(1000)]
    shop.session("large", cartItems=items, attributes={"IsGift": True})
    go(page, shop, "sessions/large")
    expect(page.get_by_role("table", name="Cart").get_by_role("row")).to_have_count(1 + 1000 + 4)
    go(page, shop, "requests/1")
    expect(page.get_by_text("Only the beginning is shown").first).to_be_visible()


def test_what_does_not_exist_is_said_in_a_sentence(page: Page, shop: Shop) -> None:
    shop.order()
    go(page, shop, "sessions/order-101")
    expect(page.get_by_role("alert")).to_contain_text("Did you mean 'order-1001'?")
    page.goto(f"{shop.sandbox.url}/_sandbox#/nowhere/%ff")
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
