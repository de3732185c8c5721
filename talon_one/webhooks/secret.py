"""SharedSecret: check the secret in the headers of a webhook."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence

from talon_one._utils.guard import guarded
from talon_one._utils.quoting import quoted
from talon_one.exceptions import ConfigurationError
from talon_one.webhooks.errors import WrongSecretError

Headers = (
    Mapping[str, str]
    | Mapping[bytes, bytes]
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
)
"""Headers in any form that frameworks use: a mapping, or pairs, of text or bytes."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class SharedSecret:
    """A header that every webhook must have, with a value that only Talon.One knows.

    Args:
        header: Name of the header in Talon.One, in upper or lower case.
        secret: Its value, or several of which any is accepted while you replace one. Surrounding
            white space is ignored, as in any header.

    Raises:
        ConfigurationError: There is no secret, it is empty, or a header cannot contain it. The
            message does not quote the secret.
    """

    def __init__(self, header: str, secret: str | Sequence[str]) -> None:
        is_one = isinstance(secret, str) or not isinstance(secret, Iterable)
        secrets: list[object] = [secret] if is_one else list(secret)
        if not isinstance(header, str) or not _NAME.fullmatch(header):
            raise ConfigurationError(f"{quoted(header)} is not a valid name of a header")
        if not secrets:
            raise ConfigurationError(f"there is no secret for the header {header}")
        self.header = header
        self._secrets = [_usable(each, header) for each in secrets]

    def check(self, headers: Headers) -> None:
        """Refuse headers without the secret, in constant time.

        Raises:
            WrongSecretError: The header is missing, is there twice, or has another value.
        """
        given = header_values(headers, self.header)
        if len(given) != 1:
            found = "is there more than once" if given else "is missing"
            raise WrongSecretError(f"the header {self.header} {found}")
        sent = given[0].encode("utf-8", "surrogatepass")
        # Compare all of them, so that the time does not reveal which one matched.
        matches = [hmac.compare_digest(sent, each) for each in self._secrets]
        if not any(matches):
            raise WrongSecretError(f"the header {self.header} does not have the right secret")

    def __repr__(self) -> str:
        return f"SharedSecret({self.header!r}, '***')"


def header_values(headers: Headers, name: str) -> list[str]:
    """Return the values of a header without surrounding white space."""
    pairs: Iterable[tuple[object, object]]
    wanted = name.lower()
    with guarded("the headers"):
        # The headers of Werkzeug are not a mapping, but have its `items`.
        pairs = headers.items() if hasattr(headers, "items") else headers
        return [_text(value).strip() for key, value in pairs if _text(key).lower() == wanted]


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _usable(secret: object, header: str) -> bytes:
    stripped = secret.strip() if isinstance(secret, str) else ""
    if not stripped:
        raise ConfigurationError(f"a secret for the header {header} is empty or not a string")
    if not _VALUE.fullmatch(stripped):
        raise ConfigurationError(
            f"a secret for the header {header} must contain only printable ASCII characters"
        )
    return stripped.encode()
