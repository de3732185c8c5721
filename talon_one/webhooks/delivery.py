"""Delivery and Reply: what surrounds the body of a webhook, and how to respond to it."""

from __future__ import annotations

from typing import NamedTuple


class Delivery(NamedTuple):
    """Details of a webhook that are not in its body."""

    uuid: str | None
    """`X-UUID`, the same for every attempt to deliver a message; ``None`` if there is none."""
    notification_type: str | None
    """`NotificationType` of the body; ``None`` if it has none, as in a webhook of a rule."""
    part: int = 0
    """Index of this part in a mixed batch; 0 for any other notification."""

    @property
    def key(self) -> str | None:
        """Key to store once a function has done its work: `uuid` and `part`.

        The parts of a mixed batch share a `uuid`, but each has its own key. The key is the same for
        every attempt to deliver the message. ``None`` without a `uuid`.
        """
        return None if self.uuid is None else f"{self.uuid}/{self.part}"


class Reply(NamedTuple):
    """Response to a webhook."""

    status: int
    """HTTP status. Talon.One retries after 5xx and 429, and after no other status."""
    body: str
    """A word or a sentence of plain text. Talon.One shows it in its message log."""
