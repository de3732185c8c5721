"""TLS settings: authorities, client certificates, names, and shared contexts."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from support.calls import CREATE, KEYS, READ, make_client
from support.certificates import authority, certificate_of, server_context
from support.every import for_every
from support.network import closed_port
from support.server import RecordingServer
from talon_one import (
    ApiClient,
    Configuration,
    ConfigurationError,
    IntegrationApi,
    NotSentError,
    TlsError,
    TransportError,
)
from talon_one._http.connections import _has_decrypted_data
from talon_one._http.tls import _context, ssl_context

pytestmark = pytest.mark.usefixtures("shell")

NAME = "shop.talon.test"


def trusting(name: str = "ours", **settings: Any) -> Configuration:
    configuration = Configuration(ca_cert_data=certificate_of(name))
    for setting, value in settings.items():
        setattr(configuration, setting, value)
    return configuration


def subject_hash(certificate: bytes) -> str:
    """Return the name by which OpenSSL finds a certificate in a folder."""
    command = ["openssl", "x509", "-noout", "-subject_hash"]
    done = subprocess.run(command, input=certificate, capture_output=True, check=True)
    return done.stdout.decode().strip()


def client_certificate(folder: Path, by: str) -> dict[str, Any]:
    """Write the certificate of a client and its key; return the settings that name them."""
    issued = authority(by).issue_cert("client@talon.test")
    paths = {"cert_file": str(folder / "client.pem"), "key_file": str(folder / "client.key")}
    issued.cert_chain_pems[0].write_to_path(paths["cert_file"])
    issued.private_key_pem.write_to_path(paths["key_file"])
    return paths


# -- Trust -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["file", "text", "bytes"])
def test_a_custom_authority_is_trusted(form: str, tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    authority("ours").cert_pem.write_to_path(str(path))
    settings: Any = {
        "file": {"ssl_ca_cert": str(path)},
        "text": {"ca_cert_data": certificate_of("ours")},
        "bytes": {"ca_cert_data": ssl.PEM_cert_to_DER_cert(certificate_of("ours"))},
    }[form]
    with RecordingServer(server_context()) as server, make_client(server.url, **settings) as client:
        CREATE(client)
    with (
        RecordingServer(server_context(by="somebody")) as server,
        make_client(server.url, **settings) as client,
        pytest.raises(TlsError),
    ):
        CREATE(client)


@pytest.mark.one_shell("nothing is called here")
def test_public_authorities_are_trusted_by_default(tmp_path: Path) -> None:
    usual = ssl_context(Configuration())
    assert usual.verify_mode == ssl.CERT_REQUIRED
    assert usual.check_hostname
    assert usual.cert_store_stats()["x509_ca"] > 100
    # Nobody else, once there is an authority of one's own.
    assert ssl_context(trusting()).cert_store_stats()["x509_ca"] == 1
    path = tmp_path / "authority.pem"
    authority("somebody").cert_pem.write_to_path(str(path))
    assert ssl_context(Configuration(ssl_ca_cert=str(path))).cert_store_stats()["x509_ca"] == 1
    assert ssl_context(trusting(ssl_ca_cert=str(path))).cert_store_stats()["x509_ca"] == 2


class Pending:
    """Stands for TLS that has received so much."""

    def __init__(self, decrypted: int, encrypted: int = 0, below: Pending | None = None) -> None:
        self._decrypted = decrypted
        if below is not None:
            self.socket = below
            self.sslobj = SimpleNamespace(pending=lambda: decrypted)
            self.incoming = SimpleNamespace(pending=encrypted)

    def pending(self) -> int:
        return self._decrypted


@pytest.mark.one_shell("asyncio has TLS of its own")
@pytest.mark.parametrize(
    ("sock", "expected"),
    [
        (object(), False),
        (Pending(0), False),
        (Pending(1), True),
        # TLS to the server, inside TLS to its proxy.
        (Pending(0, 0, Pending(0)), False),
        (Pending(1, 0, Pending(0)), True),
        (Pending(0, 1, Pending(0)), True),
        (Pending(0, 0, Pending(1)), True),
    ],
)
def test_what_tls_has_received_already_is_seen_at_every_level(sock: Any, expected: bool) -> None:
    assert _has_decrypted_data(sock) is expected


@pytest.mark.parametrize("settings", [{"assert_hostname": "other"}, {"verify_ssl": False}])
def test_settings_of_tls_are_of_no_concern_without_tls(settings: dict[str, Any]) -> None:
    with RecordingServer() as server, make_client(server.url, **settings) as client:
        CREATE(client)
    assert len(server.requests) == 1


def test_trust_can_be_switched_off_which_is_warned_of() -> None:
    with (
        RecordingServer(server_context("other", by="somebody")) as server,
        make_client(server.url, verify_ssl=False) as client,
    ):
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            CREATE(client)
        # Others go on checking.
        with make_client(server.url) as careful, pytest.raises(TlsError):
            CREATE(careful)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the store is not that of OpenSSL")
def test_the_trust_store_of_the_system_is_used_on_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "system.pem"
    authority("system").cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with RecordingServer(server_context(by="system")) as server:
        with make_client(server.url, system_trust=True) as client:
            CREATE(client)
        # Nor does it read the environment if that is not to be trusted.
        for system_trust in (True, False):
            settings: Any = {"system_trust": system_trust, "trust_env": False}
            with make_client(server.url, **settings) as client, pytest.raises(TlsError):
                CREATE(client)


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the store is not that of OpenSSL")
@pytest.mark.parametrize(
    ("has_file", "has_folder"), [(True, True), (True, False), (False, True), (False, False)]
)
def test_the_store_of_the_system_may_be_a_file_a_folder_or_neither(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, has_file: bool, has_folder: bool
) -> None:
    file, folder = tmp_path / "system.pem", tmp_path / "certs"
    if has_file:
        authority("system").cert_pem.write_to_path(str(file))
    if has_folder:
        folder.mkdir()
    paths = ssl.get_default_verify_paths()._replace(
        openssl_cafile=str(file), openssl_capath=str(folder)
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    loaded: list[dict[str, Any]] = []
    load = ssl.SSLContext.load_verify_locations

    def noting(context: ssl.SSLContext, **locations: Any) -> None:
        loaded.append(locations)
        load(context, **locations)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noting)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "of nobody"))
    _context.cache_clear()
    configuration = Configuration()
    configuration.system_trust, configuration.trust_env = True, False
    context = ssl_context(configuration)
    _context.cache_clear()
    found = {
        "cafile": str(file) if has_file else None,
        "capath": str(folder) if has_folder else None,
    }
    assert loaded == ([found] if has_file or has_folder else [])
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_names_the_authorities_unless_it_is_not_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    certificate = authority("environment").cert_pem
    # Folders are looked up by a hash of the name.
    digest = subject_hash(certificate.bytes())
    path = tmp_path / f"{digest}.0"
    certificate.write_to_path(str(path))
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(path if variable == "SSL_CERT_FILE" else tmp_path))
    with RecordingServer(server_context(by="environment")) as server:
        with make_client(server.url) as client:
            CREATE(client)
        # Neither with authorities of one's own, nor if the environment is not trusted, or empty.
        for settings in ({"trust_env": False}, {"ca_cert_data": certificate_of("ours")}):
            with make_client(server.url, **settings) as client, pytest.raises(TlsError):
                CREATE(client)
        monkeypatch.setenv(variable, "")
        with make_client(server.url) as client, pytest.raises(TlsError):
            CREATE(client)


@pytest.mark.one_shell("nothing is called here")
def test_the_environment_replaces_public_authorities_and_is_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    usual = ssl_context(Configuration())
    path = tmp_path / "authority.pem"
    authority("ours").cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    found = ssl_context(Configuration())
    assert found is not usual
    assert found is ssl_context(Configuration())
    assert found.cert_store_stats()["x509_ca"] == 1
    os.utime(path, (1, 1))
    assert ssl_context(Configuration()) is not found
    # A missing file is skipped, as by OpenSSL; no other authority replaces it.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert ssl_context(Configuration()).cert_store_stats()["x509_ca"] == 0


@pytest.mark.one_shell("nothing is called here")
@pytest.mark.parametrize("form", ["ssl_ca_cert", "ca_cert_data"])
def test_custom_authorities_replace_the_public_ones_in_either_form(
    form: str, tmp_path: Path
) -> None:
    path = tmp_path / "authority.pem"
    authority("ours").cert_pem.write_to_path(str(path))
    value = str(path) if form == "ssl_ca_cert" else certificate_of("ours")
    configuration: Any = Configuration(**{form: value})  # type: ignore[arg-type]  # by name
    assert ssl_context(configuration).cert_store_stats()["x509_ca"] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the store is not that of OpenSSL")
def test_a_custom_authority_is_trusted_beside_those_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "system.pem"
    authority("system").cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    settings: Any = {"system_trust": True, "ca_cert_data": certificate_of("beside")}
    for by in ("system", "beside"):
        with (
            RecordingServer(server_context(by=by)) as server,
            make_client(server.url, **settings) as client,
        ):
            CREATE(client)


def test_the_system_store_without_truststore_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "truststore", None)
    _context.cache_clear()
    with (
        make_client("https://127.0.0.1:1", system_trust=True) as client,
        pytest.raises(ConfigurationError, match="pip install truststore"),
    ):
        CREATE(client)
    # Without verification no store is read.
    context = ssl_context(trusting(system_trust=True, verify_ssl=False))
    assert context.verify_mode is ssl.CERT_NONE


# -- Names -------------------------------------------------------------------------------------


def asked_names(context: ssl.SSLContext) -> list[str | None]:
    """Have a context note the names that clients ask for (SNI)."""
    names: list[str | None] = []

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        names.append(name)

    context.sni_callback = note
    return names


def test_a_server_can_be_asked_for_by_another_name() -> None:
    context = server_context(NAME)
    names = asked_names(context)
    with (
        RecordingServer(context) as server,
        make_client(
            server.url, ca_cert_data=certificate_of("ours"), tls_server_name=NAME
        ) as client,
    ):
        CREATE(client)
    assert names == [NAME]
    assert server.last.headers["Host"] == f"127.0.0.1:{server.port}"


@for_every(
    "names, asserted, accepted",
    [
        (["127.0.0.1"], None, True),
        (["127.0.0.1"], True, True),
        (["127.0.0.1"], False, True),
        (["127.0.0.1"], NAME, False),
        ([NAME], None, False),
        ([NAME], True, False),
        ([NAME], False, True),
        ([NAME], NAME, True),
        ([NAME], f"other.{NAME}", False),
    ],
)
def test_the_name_in_the_certificate_can_be_asserted_or_left_unchecked(
    names: list[str], asserted: Any, accepted: bool
) -> None:
    settings: Any = {"ca_cert_data": certificate_of("ours"), "assert_hostname": asserted}
    with (
        RecordingServer(server_context(*names)) as server,
        make_client(server.url, **settings) as client,
    ):
        if accepted:
            CREATE(client)
        else:
            with pytest.raises(TlsError):
                CREATE(client)
        assert len(server.requests) == accepted


def test_without_verification_no_name_is_compared() -> None:
    settings: Any = {"verify_ssl": False, "assert_hostname": f"other.{NAME}"}
    with (
        RecordingServer(server_context(NAME)) as server,
        make_client(server.url, **settings) as client,
    ):
        with pytest.warns(urllib3.exceptions.InsecureRequestWarning):
            CREATE(client)
        assert len(server.requests) == 1


def test_a_client_that_does_not_check_names_does_not_weaken_others() -> None:
    careless: Any = {"ca_cert_data": certificate_of("ours"), "assert_hostname": False}
    with RecordingServer(server_context(NAME)) as server:
        with make_client(server.url, **careless) as client:
            CREATE(client)
        context = ssl_context(trusting())
        assert context.check_hostname
        assert context is not ssl_context(trusting(assert_hostname=False))


# -- Certificates of clients -------------------------------------------------------------------


def test_a_client_shows_its_certificate(tmp_path: Path) -> None:
    settings = client_certificate(tmp_path, by="clients")
    settings["ca_cert_data"] = certificate_of("ours")
    with RecordingServer(server_context(clients_by="clients")) as server:
        with make_client(server.url, **settings) as client:
            CREATE(client)
        with (
            make_client(server.url, ca_cert_data=certificate_of("ours")) as client,
            pytest.raises(TransportError),
        ):
            CREATE(client)
        assert len(server.requests) == 1


def test_a_renewed_certificate_is_used_for_the_next_connection(tmp_path: Path) -> None:
    settings = client_certificate(tmp_path, by="expiring")
    settings["ca_cert_data"] = certificate_of("ours")
    with (
        RecordingServer(server_context(clients_by="clients")) as server,
        make_client(server.url, **settings) as client,
    ):
        with pytest.raises(TransportError):
            CREATE(client)
        client_certificate(tmp_path, by="clients")
        # As if the old ones had lain there for a day.
        os.utime(settings["cert_file"], (1, 1))
        CREATE(client)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"ssl_ca_cert": "missing.pem"}, r"No such file or directory: .*missing\.pem"),
        ({"cert_file": "missing.pem"}, r"No such file or directory: .*missing\.pem"),
        ({"ssl_ca_cert": "garbage.pem"}, "cannot be used"),
        ({"cert_file": "garbage.pem"}, "cannot be used"),
        ({"cert_file": "client.pem", "key_file": "garbage.pem"}, "cannot be used"),
        ({"cert_file": "client.pem", "key_file": "other.key"}, "cannot be used"),
        ({"cert_file": "client.pem", "key_file": "locked.key"}, "cannot be used"),
        ({"ca_cert_data": "secret garbage"}, "cannot be used"),
        ({"ca_cert_data": ""}, "cannot be used"),
    ],
)
def test_unusable_certificate_files_are_reported_before_anything_is_sent(
    settings: dict[str, str], problem: str, tmp_path: Path
) -> None:
    names = client_certificate(tmp_path, by="clients")
    key = load_pem_private_key(Path(names["key_file"]).read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    )
    (tmp_path / "other.key").write_bytes(
        authority("clients").issue_cert("other@talon.test").private_key_pem.bytes()
    )
    (tmp_path / "garbage.pem").write_text("secret garbage")
    placed: Any = {
        name: str(tmp_path / value) if name != "ca_cert_data" else value
        for name, value in settings.items()
    }
    with RecordingServer(server_context()) as server, make_client(server.url, **placed) as client:
        with pytest.raises(ConfigurationError, match=problem) as caught:
            CREATE(client)
        assert server.requests == []
    assert "secret garbage" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.one_shell("nothing is called here")
def test_the_password_of_a_key_is_not_prompted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def load(*_: object, password: object = None) -> None:
        given.append(password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    configuration = Configuration(**client_certificate(tmp_path, by="clients"))
    assert ssl_context(configuration) is not None
    # Given none at all, OpenSSL would ask at the terminal, and wait.
    assert given == [""]


# -- Sharing -----------------------------------------------------------------------------------


@pytest.mark.one_shell("nothing is called here")
def test_equal_settings_share_one_context() -> None:
    assert ssl_context(Configuration()) is ssl_context(Configuration())
    assert ssl_context(trusting()) is ssl_context(trusting())
    differing = [
        Configuration(),
        trusting(),
        trusting("somebody"),
        trusting(verify_ssl=False),
        trusting(assert_hostname="a"),
        trusting(system_trust=True),
    ]
    assert len({id(ssl_context(each)) for each in differing}) == len(differing)


@pytest.mark.one_shell("it looks into the pools of urllib3")
def test_two_clients_share_the_context_of_their_connections() -> None:
    with RecordingServer(server_context()) as server:
        used = []
        for _ in range(2):
            with make_client(server.url, ca_cert_data=certificate_of("ours")) as client:
                READ(client)
                (pool,) = client.rest_client._pools.values()
                connections: Any = pool.pool
                used += [each.ssl_context for each in connections._idle]
    assert len(used) == 2
    assert used[0] is used[1]


def test_no_context_is_made_before_a_connection_needs_it() -> None:
    _context.cache_clear()
    with RecordingServer() as server, make_client(server.url) as client:
        READ(client)
    assert _context.cache_info().misses == 0
    host = f"https://127.0.0.1:{closed_port()}"
    with ApiClient(Configuration(host=host, api_key=KEYS, retries=0)) as client:
        api = IntegrationApi(client)
        assert client.rest_client.pool_manager is not None
        assert _context.cache_info().misses == 0
        with pytest.raises(NotSentError):
            api.get_customer_session("a")
    assert _context.cache_info().misses == 1
