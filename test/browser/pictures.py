"""Take the pictures of the page for the guide: `python pictures.py FOLDER`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path[:0] = [str(Path(__file__).parents[1])]

from browser.conftest import _OPTIONS, CHROMIUM, Shop  # noqa: E402  the path comes first
from talon_one.sandbox import Sandbox  # noqa: E402  as above

# Fewer lose the green and the red among all the shades of gray.
_COLORS = 256


def main(folder: Path) -> None:
    """Write a session and the list of requests, each in light and dark."""
    with Sandbox(seed="fashion", clock="2026-11-01T09:00:00Z") as sandbox, sync_playwright() as run:
        shop = Shop(sandbox)
        shop.manage("GET", "/v1/applications")
        shop.order()
        sandbox.clock.advance(minutes=4)
        shop.order("order-1002")
        shop.session("order-1002", state="closed")
        browser = run.chromium.launch(executable_path=CHROMIUM, args=list(_OPTIONS))
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1000, "height": 900},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(sandbox.page_url)
            page.get_by_role("row").nth(1).wait_for()
            take(page, folder / f"sandbox-requests-{scheme}.png", 420)
            page.goto(f"{sandbox.url}/_sandbox#/sessions/order-1001")
            page.get_by_role("heading", name="Rules").wait_for()
            take(page, folder / f"sandbox-session-{scheme}.png", 1500)
            page.close()
        browser.close()


def take(page: Page, file: Path, height: int) -> None:
    """Save the upper part of a page as a small PNG."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.set_viewport_size({"width": width, "height": height})
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(_COLORS, Image.Quantize.FASTOCTREE).save(file, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
