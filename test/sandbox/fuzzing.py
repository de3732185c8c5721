"""Random requests for a sandbox, over real sockets.

`python -m sandbox.fuzzing 100000 7` in the folder `test` sends as many from a seed, and prints
what the sandbox does wrong.
"""

from __future__ import annotations

import json
import logging
import random
import re
import socket
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import talon_one.models
from support.samples import sample_object
from talon_one._core.operation import Operation
from talon_one.api import integration_operations, management_operations
from talon_one.sandbox import Sandbox

OPERATIONS: Final = [
    value
    for module in (integration_operations, management_operations)
    for value in vars(module).values()
    if isinstance(value, Operation)
]
BY_ID: Final = {operation.id: operation for operation in OPERATIONS}
_CART: Final = [{"sku": "mug", "quantity": 2, "price": 12.5, "attributes": {}}]
# Valid bodies of what a shop sends most, so that requests get past the checks of their bodies.
FREQUENT: Final[tuple[tuple[str, Any], ...]] = (
    ("updateCustomerSessionV2", {"customerSession": {"profileId": "a", "cartItems": _CART}}),
    (
        "updateCustomerSessionV2",
        {"customerSession": {"state": "closed", "couponCodes": ["TEN-OFF"]}},
    ),
    ("updateCustomerSessionV2", {"customerSession": {}, "responseContent": ["customerProfile"]}),
    ("updateCustomerSessionV2", {"customerSession": {"state": "cancelled"}}),
    ("updateCustomerSession", {"profileId": "b", "total": 20, "coupon": "TEN-OFF"}),
    ("getCustomerSession", None),
    ("returnCartItems", {"return": {"returnedCartItems": [{"position": 0, "quantity": 1}]}}),
    ("reopenCustomerSession", None),
    ("updateCustomerProfileV2", {"attributes": {"Name": "Anna"}}),
    ("updateCustomerProfile", {"attributes": {"Name": "Ben"}}),
    ("updateCustomerProfilesV2", {"customerProfiles": [{"integrationId": "a", "attributes": {}}]}),
    (
        "updateCustomerProfileAudiences",
        {"data": [{"action": "add", "profileIntegrationId": "a", "audienceId": 1}]},
    ),
    ("getCustomerInventory", None),
    ("deleteCustomerData", None),
    ("trackEvent", {"type": "visit", "attributes": {"a": 1}, "sessionId": "a", "profileId": "a"}),
    ("trackEventV2", {"type": "visit", "attributes": {}, "profileId": "a"}),
    ("createReferral", {"campaignId": 12, "advocateProfileIntegrationId": "a"}),
    ("createCouponReservation", {"integrationIDs": ["a", "b"]}),
    ("deleteCouponReservation", {"integrationIDs": ["a", "b"]}),
    ("getReservedCustomers", None),
    ("createCoupons", {"usageLimit": 1, "numberOfCoupons": 2}),
    ("importCoupons", None),
    ("exportCoupons", None),
    ("getCouponsWithoutTotalCount", None),
)
MODELS: Final = frozenset(talon_one.models.__all__)
# Few ids, so that requests meet in the same entities.
IDS: Final = ("a", "b", "3", "12", "TEN-OFF", "é/.. ", "\x00", "0", "-1", str(2**63), "x" * 1200)
ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 0.1, 1e308, -1e-308, -0.0),
    *(
        "",
        "a",
        "closed",
        "cancelled",
        "open",
        "partially_returned",
        "TEN-OFF",
        "\x00",
        "\U0001f6d2",
    ),
    *("x" * 3000, "2024-02-30T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00Z"),
    *("NaN", "1e999", "${Profile.Name}", "-1", "true", [], [[]], [None], {}, {"": {}}, {"a": None}),
    list(range(120)),
)
QUERY: Final = (
    *("dry=true", "dry=false", "dry=2", "silent=no", "silent=yes", "profile=true", "pageSize=1"),
    *("pageSize=99999999999999999999", "skip=-1", "now=2030-01-01T00:00:00Z", "now=%FF", "a=%zz"),
    *(
        "runRuleEngine=false",
        "value=TEN-OFF",
        "sort=-id",
        "&&",
        "=",
        "a=1;b=2",
        "customerProfile=true",
    ),
    *("createdAfter=x", "exactMatch=true", "usable=true", "%00=%00", "a=" + "b" * 5000),
)
HEADERS: Final = (
    *("Idempotency-Key: k-1", "Idempotency-Key: k-2", "Idempotency-Key: " + "k" * 300),
    *("Idempotency-Key:", "Idempotency-Key: \xff", "Cookie: a=b", "Range: bytes=0-1"),
    *("Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: deflate"),
    *("Content-Type: text/plain", "Content-Type: multipart/form-data", "X:\ty\t"),
    *(
        "Content-Type: multipart/form-data; boundary=b",
        "Accept: text/html",
        "Accept-Encoding: gzip",
    ),
    *("Content-Signature: signer=3; signature=00", "Content-Signature: ;;="),
)
# After these the server may wait for more, or see the end of the request elsewhere.
FRAMING: Final = (
    *("Expect: 100-continue", "Expect: tea", "Connection: close", "X: " + "y" * 40_000),
    *("Connection: Upgrade\r\nUpgrade: websocket", "HTTP2-Settings: a\r\nUpgrade: h2c"),
    *("Content-Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", "Host: a b"),
    *("\x00: a", " X: y", "X"),
)
METHODS: Final = (
    "GET",
    "PUT",
    "POST",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "LOCK",
)
KEYS: Final = {
    "api_key_v1": "ApiKey-v1 sandbox-integration-key",
    "management_key": "ManagementKey-v1 sandbox-management-key",
}
_DEEP: Final = "[" * 700 + "]" * 700
# Seconds to wait for a response to a request that the server may take for an unfinished one.
PATIENCE: Final = 0.01


class Fuzzer:
    """A source of requests, the same for the same seed.

    Args:
        seed: Number that decides everything.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def maybe(self, chance: float) -> bool:
        """Return True in some of the cases."""
        return self.random.random() < chance

    def connection(self) -> tuple[bytes, int]:
        """Return what one connection sends, and how many complete requests that is, 0 if unsure."""
        pick = self.random.random()
        if pick < 0.8:
            return self.request()
        if pick < 0.9:
            several = [self.request() for _ in range(self.random.randint(2, 5))]
            return b"".join(data for data, _ in several), 0
        data, _ = self.request()
        return self.damaged(data), 0

    def damaged(self, data: bytes) -> bytes:
        """Cut a request off, or change some of its bytes."""
        if self.maybe(0.4):
            return data[: self.random.randrange(len(data))]
        if self.maybe(0.1):
            return self.random.randbytes(self.random.randint(1, 300))
        changed = bytearray(data)
        for _ in range(self.random.randint(1, 6)):
            at = self.random.randrange(len(changed))
            new = self.random.choice([b"", b"\r\n", b"\x00", b" ", b":", self.random.randbytes(3)])
            changed[at : at + self.random.randint(0, 3)] = new
        return bytes(changed) or b"\r\n"

    def request(self) -> tuple[bytes, int]:
        """Return the bytes of a request, and 1 if it is surely complete."""
        operation, valid = self.random.choice(OPERATIONS), None
        if self.maybe(0.75):
            name, valid = self.random.choice(FREQUENT)
            operation = BY_ID[name]
        method, headers = operation.method, []
        if self.maybe(0.1):
            method = self.random.choice(METHODS)
        scheme = next((KEYS[name] for name in operation.security if name in KEYS), "Bearer x")
        if self.maybe(0.97):
            headers.append(f"Authorization: {scheme}")
        body = self.body(operation, valid)
        odd = self.maybe(0.1)
        if odd:
            headers += self.random.sample(FRAMING, self.random.randint(1, 3))
        if self.maybe(0.3):
            headers += self.random.sample(HEADERS, self.random.randint(1, 3))
        text = "\r\n".join((f"{method} {self.target(operation)} HTTP/1.1", "Host: x", *headers))
        framing, body = self.framed(body)
        head = text.encode("latin-1") + framing + b"\r\n\r\n"
        return head + body, int(not odd and method in ("GET", "PUT", "POST", "DELETE"))

    def target(self, operation: Operation) -> str:
        """Return a path, most with ids filled in, and a query."""
        parts = []
        for part in operation.path.split("/"):
            name = part.strip("{}")
            if part == name:
                parts.append(part)
            elif name in ("applicationId", "campaignId") and self.maybe(0.9):
                parts.append("3" if name == "applicationId" else "12")
            else:
                parts.append(quote(self.random.choice(IDS), safe=""))
        if self.maybe(0.03):
            parts[self.random.randrange(len(parts))] = self.random.choice(
                ["%FF", "", "..", "%", "v9"]
            )
        path = "/".join(parts) or "/"
        if self.maybe(0.4):
            path += "?" + "&".join(self.random.choices(QUERY, k=self.random.randint(1, 3)))
        return path

    def body(self, operation: Operation, valid: Any) -> bytes:
        """Return a body: the given one or one of the operation, many with changes."""
        if operation.upload is not None:
            return self.upload(operation.upload.wire)
        if operation.body is None:
            return b"" if self.maybe(0.95) else b"{}"
        kind = operation.body.type
        everything = self.maybe(0.5)
        value: Any = valid
        if value is None:
            value = sample_object(kind, everything) if kind in MODELS else {}
        for _ in range(self.random.choice([0, 1, 1, 2, 5])):
            value = self.changed(value)
        text = json.dumps(value, ensure_ascii=self.maybe(0.5))
        if self.maybe(0.05):
            text = text.replace('"', self.random.choice(['"', "", "\\ud800"]), 1)
            text = self.random.choice(
                [text, text[:-1], text.replace("1", _DEEP), "1e999", '{"a":NaN}']
            )
        data = text.encode("utf-8", "surrogatepass")
        return zlib.compress(data) if self.maybe(0.03) else data

    def changed(self, value: Any) -> Any:
        """Return a JSON value with another one somewhere in it."""
        if isinstance(value, dict) and value and self.maybe(0.85):
            name = self.random.choice(list(value))
            if self.maybe(0.1):
                return {key: one for key, one in value.items() if key != name}
            return {**value, name: self.changed(value[name])}
        if isinstance(value, list) and value and self.maybe(0.8):
            at = self.random.randrange(len(value))
            return [*value[:at], self.changed(value[at]), *value[at + self.random.randint(0, 1) :]]
        return self.random.choice(ODD)

    def upload(self, field: str) -> bytes:
        """Return a multipart body with the boundary `b`, or something like it."""
        names = ["value", "limitval", "expirydate", "attributes", "startdate", "x"]
        rows = [",".join(self.random.sample(names, self.random.randint(1, 4)))]
        rows += [
            ",".join(self.random.choices([*IDS, '"', "{}", "2030-01-01"], k=3)) for _ in range(3)
        ]
        line = self.random.choice(["\r\n", "\n", "\r"])
        content = line.join(rows)
        part = f'--b\r\nContent-Disposition: form-data; name="{field}"; filename="f"\r\n\r\n'
        end = self.random.choice(["\r\n--b--\r\n", "", "\r\n--b\r\n"])
        return (part + content + end).encode()

    def framed(self, body: bytes) -> tuple[bytes, bytes]:
        """Return the headers that announce a body, and the body as sent."""
        if self.maybe(0.8):
            return b"\r\nContent-Length: %d" % len(body), body
        chunks = []
        while body:
            size = self.random.randint(1, max(1, len(body)))
            extension = b";a=b" if self.maybe(0.1) else b""
            chunks.append(b"%x%s\r\n%s\r\n" % (size, extension, body[:size]))
            body = body[size:]
        return b"\r\nTransfer-Encoding: chunked", b"".join(chunks) + b"0\r\n\r\n"


class Caller:
    """Sends requests to one sandbox, and keeps what it does wrong.

    Args:
        port: Port of the sandbox.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self.statuses: Counter[int] = Counter()
        self.wrong: list[tuple[str, bytes]] = []

    def send(self, data: bytes, complete: int) -> None:
        """Send what one connection sends, and judge the responses."""
        fresh = self._socket is None
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
        self._socket.settimeout(10 if complete else PATIENCE)
        try:
            self._socket.sendall(data)
            received, open_end = self._receive(complete)
        except ConnectionError:
            received, open_end = b"", False
        if complete and not received and not fresh:
            # The connection from before was about to end.
            self.close()
            self.send(data, complete)
            return
        found = list(responses(received))
        self.statuses.update(status for status, _ in found)
        if complete and not found:
            self.wrong.append(("no response", data))
        for status, body in found:
            # 501 is what an operation that the sandbox lacks says.
            if (status >= 500 and status != 501) or not body_fits(status, body):
                self.wrong.append((f"{status} {(body or b'')[:200]!r}", data))
        if not complete or not open_end:
            self.close()

    def _receive(self, complete: int) -> tuple[bytes, bool]:
        assert self._socket is not None
        received = b""
        while not complete or sum(b is not None for _, b in responses(received)) < complete:
            try:
                part = self._socket.recv(1 << 20)
            except TimeoutError:
                return received, False
            if not part:
                return received, False
            received += part
        return received, b"connection: close" not in received.lower()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def responses(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield status and body of the final responses in what was received.

    The body is None if it is missing, as that of the response to a HEAD request is.
    """
    at = 0
    while match := _HEAD.match(data, at):
        status, at = int(match[1]), match.end()
        length = _LENGTH.search(match[2])
        size = int(length[1]) if length else 0
        body = data[at : at + size]
        whole = len(body) == size and not body.startswith(b"HTTP/1.")
        at += size if whole else 0
        if status >= 200:
            yield status, body if whole else None


def body_fits(status: int, body: bytes | None) -> bool:
    """Return whether a refusal is JSON with a message; other bodies are not looked into."""
    if status < 400 or not body:
        return True
    try:
        return isinstance(json.loads(body)["message"], str)
    except (ValueError, KeyError, TypeError):
        return False


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(self.format(record))


@contextmanager
def logged_errors() -> Iterator[list[str]]:
    """Collect what is logged as a warning or worse, tracebacks included."""
    handler = _Errors()
    logging.getLogger().addHandler(handler)
    try:
        yield handler.messages
    finally:
        logging.getLogger().removeHandler(handler)


def fuzz(port: int, count: int, seed: int) -> Caller:
    """Send random requests, and return what came back."""
    fuzzer, caller = Fuzzer(seed), Caller(port)
    for _ in range(count):
        caller.send(*fuzzer.connection())
    caller.close()
    return caller


def main() -> int:
    """Run the program."""
    count, seed = (int(text) for text in (*sys.argv[1:], "100000", "1")[:2])
    with logged_errors() as messages, Sandbox() as sandbox:
        caller = fuzz(sandbox.port, count, seed)
    print(sorted(caller.statuses.items()))
    for what, data in caller.wrong[:20]:
        print(f"{what}\n    {data[:2000]!r}")
    for message in messages[:20]:
        print(message)
    print(f"{len(caller.wrong)} wrong responses, {len(messages)} messages in the log")
    return 1 if caller.wrong or messages else 0


if __name__ == "__main__":
    sys.exit(main())
