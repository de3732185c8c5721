"""International host names: what the resolver, the server and TLS get."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from support.calls import READ, make_client
from support.certificates import certificate_of, server_context
from support.server import RecordingServer
from talon_one import OpenApiException

NAMES = {
    "bücher.example": "xn--bcher-kva.example",
    "BÜCHER.example": "xn--bcher-kva.example",
    "例え.example": "xn--r8jz45g.example",
    "xn--bcher-kva.example": "xn--bcher-kva.example",
    "shop-1.example": "shop-1.example",
}


# None of them is called over the network.
pytestmark = pytest.mark.filterwarnings("ignore::talon_one.InsecureHostWarning")


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up; all of them are this machine."""
    names: list[str] = []
    look_up = socket.getaddrinfo

    def here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "127.0.0.1":
            names.append(host if isinstance(host, str) else host.decode())
        return look_up("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    return names


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", NAMES)
def test_a_host_goes_out_in_its_ascii_form(name: str, secure: bool, resolved: list[str]) -> None:
    encoded = NAMES[name]
    tls = server_context(encoded) if secure else None
    with RecordingServer(tls) as server:
        scheme = "https" if secure else "http"
        host = f"{scheme}://{name}:{server.port}"
        with make_client(host, ca_cert_data=certificate_of("ours")) as client:
            READ(client)
        assert server.last.headers["Host"] == f"{encoded}:{server.port}"
    assert set(resolved) == {encoded}


@pytest.mark.parametrize("name", ["straße.example", "ü" * 64 + ".example", "\u2488ü.example"])
def test_a_host_that_has_no_ascii_form_is_refused(name: str, resolved: list[str]) -> None:
    with make_client(f"https://{name}") as client, pytest.raises(OpenApiException):
        READ(client)
    assert not resolved
