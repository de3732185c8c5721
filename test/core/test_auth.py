"""Credentials to headers."""

from __future__ import annotations

import pytest

from support.every import for_every
from talon_one import Configuration, ConfigurationError
from talon_one._core.auth import auth_header, signature

INTEGRATION = ("api_key_v1",)
INTEGRATION_V1 = ("api_key_v1", "integration_auth")
MANAGEMENT = ("management_key", "manager_auth")


def header(configuration: Configuration, accepted: tuple[str, ...], body: bytes = b"") -> str:
    found = auth_header(configuration, accepted, body)
    assert found is not None
    return f"{found[0]}: {found[1]}"


@for_every(
    "keys, prefixes, accepted, expected",
    [
        ({"api_key_v1": "k"}, {}, INTEGRATION, "Authorization: ApiKey-v1 k"),
        ({"Authorization": "k"}, {}, INTEGRATION, "Authorization: ApiKey-v1 k"),
        (
            {"Authorization": "k"},
            {"Authorization": "ApiKey-v1"},
            INTEGRATION,
            "Authorization: ApiKey-v1 k",
        ),
        ({"Authorization": "ApiKey-v1 k"}, {}, INTEGRATION, "Authorization: ApiKey-v1 k"),
        ({"api_key_v1": "ApiKey-v1 k"}, {}, INTEGRATION, "Authorization: ApiKey-v1 k"),
        ({"management_key": "m"}, {}, MANAGEMENT, "Authorization: ManagementKey-v1 m"),
        ({"manager_auth": "t"}, {}, MANAGEMENT, "Authorization: Bearer t"),
        ({"Authorization": "m"}, {}, MANAGEMENT, "Authorization: ManagementKey-v1 m"),
        (
            {"Authorization": "t"},
            {"Authorization": "Bearer"},
            MANAGEMENT,
            "Authorization: Bearer t",
        ),
        (
            {"Authorization": "m"},
            {"Authorization": "ManagementKey-v1"},
            MANAGEMENT,
            "Authorization: ManagementKey-v1 m",
        ),
        (
            {"Authorization": "x"},
            {"Authorization": "Gateway"},
            MANAGEMENT,
            "Authorization: Gateway x",
        ),
        (
            {"Content-Signature": "signer=1; signature=ab"},
            {},
            INTEGRATION_V1,
            "Content-Signature: signer=1; signature=ab",
        ),
        (
            {"integration_auth": "signer=1;signature=ab"},
            {},
            INTEGRATION_V1,
            "Content-Signature: signer=1;signature=ab",
        ),
    ],
)
def test_a_credential_is_found_by_scheme_or_by_header(
    keys: dict[str, str], prefixes: dict[str, str], accepted: tuple[str, ...], expected: str
) -> None:
    configuration = Configuration(api_key=keys, api_key_prefix=prefixes)
    assert header(configuration, accepted) == expected


def test_each_operation_takes_its_own_of_two_credentials() -> None:
    both = Configuration(api_key={"api_key_v1": "i", "management_key": "m"})
    assert header(both, INTEGRATION) == "Authorization: ApiKey-v1 i"
    assert header(both, MANAGEMENT) == "Authorization: ManagementKey-v1 m"


def test_an_access_token_is_a_bearer_token_of_the_management_api_only() -> None:
    configuration = Configuration(access_token="t")
    assert header(configuration, MANAGEMENT) == "Authorization: Bearer t"
    with pytest.raises(ConfigurationError):
        auth_header(configuration, INTEGRATION, b"")


@pytest.mark.parametrize(
    ("prefix", "accepted"),
    [("ApiKey-v1", MANAGEMENT), ("ManagementKey-v1", INTEGRATION), ("Bearer", INTEGRATION)],
)
def test_a_key_whose_prefix_names_another_scheme_is_not_sent(
    prefix: str, accepted: tuple[str, ...]
) -> None:
    configuration = Configuration(
        api_key={"Authorization": "k"}, api_key_prefix={"Authorization": prefix}
    )
    with pytest.raises(ConfigurationError, match="no credential for this call"):
        auth_header(configuration, accepted, b"")


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ("ApiKey-v1 k", MANAGEMENT),
        ("ManagementKey-v1 k", INTEGRATION),
        ("managementkey-v1 k", INTEGRATION),
        ("Bearer k", INTEGRATION),
    ],
)
def test_a_key_that_says_itself_that_it_is_of_another_scheme_is_not_sent(
    key: str, accepted: tuple[str, ...]
) -> None:
    configuration = Configuration(api_key={"Authorization": key})
    with pytest.raises(ConfigurationError, match="no credential for this call"):
        auth_header(configuration, accepted, b"")


def test_a_missing_credential_says_how_to_supply_it_and_shows_no_other() -> None:
    configuration = Configuration(api_key={"management_key": "very-secret"})
    with pytest.raises(ConfigurationError, match="TALON_ONE_API_KEY") as caught:
        auth_header(configuration, INTEGRATION, b"")
    assert "very-secret" not in str(caught.value)


def test_a_key_under_a_name_that_is_no_scheme_is_pointed_out() -> None:
    configuration = Configuration(api_key={"apiKey": "very-secret"})
    with pytest.raises(ConfigurationError, match="given is 'apiKey', which names no scheme"):
        auth_header(configuration, INTEGRATION, b"")


def test_an_operation_without_security_gets_no_header() -> None:
    assert auth_header(Configuration(api_key={"management_key": "m"}), (), b"") is None


def test_the_signature_is_the_one_of_the_platforms_check_vector() -> None:
    assert signature(3, "fefecafedeadbeef", b'{"state": "open"}') == (
        "signer=3; signature=5551ad9ccd5e092c0355309fa429ee2b"
    )


def test_requests_are_signed_with_the_application_secret_where_the_operation_accepts_it() -> None:
    configuration = Configuration(application_id=3, application_secret="fefecafedeadbeef")
    assert header(configuration, INTEGRATION_V1, b'{"state": "open"}') == (
        "Content-Signature: signer=3; signature=5551ad9ccd5e092c0355309fa429ee2b"
    )
    with pytest.raises(ConfigurationError):
        auth_header(configuration, INTEGRATION, b"")


@pytest.mark.parametrize("secret", ["xyz", "abc"])
def test_a_secret_that_is_not_hexadecimal_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="hexadecimal") as caught:
        signature(3, secret, b"")
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "half", [{"application_id": 3}, {"application_secret": "fefecafedeadbeef"}]
)
def test_signing_with_half_of_what_it_needs_is_a_clear_error(half: dict[str, object]) -> None:
    configuration = Configuration(**half)  # type: ignore[arg-type]  # one key or the other
    with pytest.raises(ConfigurationError, match="needs both"):
        auth_header(configuration, INTEGRATION_V1, b"")


def test_the_hook_may_renew_a_key_before_each_call() -> None:
    tokens = iter(["one", "two"])
    configuration = Configuration()
    configuration.refresh_api_key_hook = lambda own: own.api_key.update(manager_auth=next(tokens))
    assert header(configuration, MANAGEMENT) == "Authorization: Bearer one"
    assert header(configuration, MANAGEMENT) == "Authorization: Bearer two"
