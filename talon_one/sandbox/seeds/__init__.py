"""Seeds: what is in a sandbox before its first request, in the API's own shapes."""

from __future__ import annotations

from typing import Final

COUPON_CODE: Final = "TEN-OFF"
"""Code of the first coupon of the quickstart, for programs that have not loaded it."""
