"""The files of the page, which are open: they show nothing by themselves."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from talon_one.sandbox.call import Result

# Only its own files, and only its own server. Nothing of the responses is ever read as HTML.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # A newer version of the package may listen on the same port.
    "Cache-Control": "no-store",
}
"""Headers of everything that the page loads."""

_TYPES: Final = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}

FILES: Final = (
    "index.html",
    "page.css",
    "page.js",
    "door.js",
    "icon.svg",
    "elements.js",
    "lists.js",
    "requests.js",
    "session.js",
)


@cache
def text_of(name: str) -> str:
    """Return one of the files."""
    folder = files("talon_one.sandbox.page").joinpath("static")
    return folder.joinpath(name).read_text("utf-8")


def file(name: str) -> Result:
    """Return the response with one of the files."""
    kind = _TYPES[name.rpartition(".")[2]]
    return Result(200, text_of(name), content_type=kind)
