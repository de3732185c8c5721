"""Configuration: hosts, credentials, and the other settings."""

from __future__ import annotations

import copy
import logging
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import urllib3

from talon_one import (
    ApiAttributeError,
    ApiClient,
    ApiTypeError,
    Configuration,
    ConfigurationError,
    IntegrationApi,
    RetryPolicy,
)
from talon_one._core.address import base_url

IGNORED: dict[str, Any] = {
    "server_index": 1,
    "server_variables": {"a": "b"},
    "server_operation_index": {1: 2},
    "server_operation_variables": {1: {"a": "b"}},
    "ignore_operation_servers": True,
    "discard_unknown_keys": True,
}
"""Settings that have no effect."""


@pytest.fixture(autouse=True)
def _defaults_restored() -> Iterator[None]:
    yield
    Configuration.set_default(None)
    ApiClient.set_default(None)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("https://mycompany.europe-west1.talon.one", "https://mycompany.europe-west1.talon.one"),
        ("https://mycompany.talon.one/", "https://mycompany.talon.one"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080//", "http://[::1]:8080"),
    ],
)
def test_an_address_of_a_deployment_is_accepted_with_or_without_a_slash_behind(
    host: str, address: str
) -> None:
    assert base_url(host) == address


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("", "no host is set"),
        ("   ", "no host is set"),
        ("https://yourbaseurl.talon.one", "still the placeholder"),
        ("https://yourbaseurl.talon.one/", "still the placeholder"),
        ("mycompany.talon.one", "needs a scheme"),
        ("ftp://mycompany.talon.one", "needs a scheme"),
        ("https://", "needs a scheme"),
        ("https://mycompany.talon.one/v2", "has a path"),
        ("https://mycompany.talon.one?x=1", "has a path"),
        ("https://mycompany.talon.one:port", "is no address"),
        ("https://mycompany .talon.one", "neither credentials nor blanks"),
    ],
)
def test_a_host_that_cannot_be_meant_is_refused_with_advice(host: str, advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        base_url(host)


def test_a_password_in_the_host_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigurationError, match="credentials") as caught:
        base_url("https://user:hunter2@mycompany.talon.one/path")
    assert "hunter2" not in str(caught.value)


def test_the_environment_is_read_when_asked_and_empty_values_do_not_count() -> None:
    found = Configuration.from_env(
        {
            "TALON_ONE_HOST": "https://a.talon.one",
            "TALON_ONE_API_KEY": "i",
            "TALON_ONE_MANAGEMENT_KEY": "m",
            "TALON_ONE_APPLICATION_ID": "7",
            "TALON_ONE_APPLICATION_SECRET": "fefecafedeadbeef",
        }
    )
    assert found.host == "https://a.talon.one"
    assert found.api_key == {"api_key_v1": "i", "management_key": "m"}
    assert (found.application_id, found.application_secret) == ("7", "fefecafedeadbeef")
    empty = Configuration.from_env({"TALON_ONE_API_KEY": ""})
    assert empty.api_key == {}
    assert empty == Configuration()


def test_the_process_environment_is_the_one_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALON_ONE_HOST", "https://first.talon.one")
    assert Configuration.from_env().host == "https://first.talon.one"
    monkeypatch.setenv("TALON_ONE_HOST", "https://second.talon.one")
    assert Configuration.from_env().host == "https://second.talon.one"


def test_a_key_in_the_place_of_the_map_of_keys_is_refused_with_advice() -> None:
    vendors: Any = Configuration
    with pytest.raises(ApiTypeError, match="api_key of a Configuration is a dict") as caught:
        vendors(api_key="sesame")
    assert "sesame" not in str(caught.value)


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest_that_does() -> None:
    configuration = Configuration()
    with pytest.raises(ApiAttributeError, match=r"no setting 'retires'\. Did you mean 'retries'"):
        configuration.retires = 3  # type: ignore[attr-defined]  # what type checkers refuse, too


def test_retries_have_the_forms_that_type_checkers_know() -> None:
    for retries in (None, 0, 3, True, False, RetryPolicy(1), urllib3.Retry(2)):
        assert Configuration(retries=retries).retries == retries
    with pytest.raises(ApiTypeError, match="retries is a number"):
        Configuration(retries="3")  # type: ignore[arg-type]  # what type checkers refuse, too

    class Own(Configuration):
        """A subclass may have settings of its own."""

    own: Any = Own()
    own.shop = "berlin"
    assert own.shop == "berlin"


def test_representations_name_the_host_and_the_kinds_of_credentials() -> None:
    configuration = Configuration("https://a.talon.one", application_id=1, application_secret="ab")
    assert repr(configuration) == (
        "<Configuration host='https://a.talon.one' credentials=application_secret>"
    )
    client = ApiClient(configuration)
    assert repr(client) == "<ApiClient https://a.talon.one>"
    assert repr(IntegrationApi(client)) == "<IntegrationApi https://a.talon.one>"


def test_a_copy_is_independent_and_shares_the_hook() -> None:
    original = Configuration(api_key={"api_key_v1": "k"})
    original.refresh_api_key_hook = print
    duplicate = copy.deepcopy(original)
    assert duplicate == original
    assert original == ANY
    assert original != vars(original)
    duplicate.api_key["api_key_v1"] = "other"
    assert original.api_key == {"api_key_v1": "k"}
    assert duplicate.refresh_api_key_hook is print


def test_no_representation_shows_a_secret() -> None:
    configuration = Configuration(
        api_key={"api_key_v1": "sesame1"},
        access_token="sesame2",
        password="sesame3",
        application_id=1,
        application_secret="sesame4",
    )
    for shown in (repr(configuration), str(configuration), configuration.to_debug_report()):
        assert "sesame" not in shown


def test_the_default_is_copied_for_each_client() -> None:
    Configuration.set_default(Configuration(host="https://a.talon.one"))
    first, second = ApiClient(), ApiClient()
    assert first.configuration.host == second.configuration.host == "https://a.talon.one"
    first.configuration.host = "https://b.talon.one"
    assert second.configuration.host == "https://a.talon.one"
    assert Configuration.get_default().host == "https://a.talon.one"
    assert Configuration.get_default_copy() is not Configuration.get_default()


def test_credentials_are_found_the_way_the_vendors_packages_ask_for_them() -> None:
    legacy = Configuration(
        api_key={"Authorization": "k"}, api_key_prefix={"Authorization": "ApiKey-v1"}
    )
    assert legacy.get_api_key_with_prefix("Authorization") == "ApiKey-v1 k"
    following = Configuration(api_key={"management_key": "m"})
    assert following.get_api_key_with_prefix("management_key") == "ManagementKey-v1 m"
    assert following.get_api_key_with_prefix("Authorization") is None
    assert following.auth_settings() == {
        "management_key": {
            "type": "api_key",
            "in": "header",
            "key": "Authorization",
            "value": "ManagementKey-v1 m",
        }
    }


def test_host_settings_list_the_server_of_the_description() -> None:
    configuration = Configuration(host="https://a.talon.one")
    (server,) = configuration.get_host_settings()
    assert configuration.get_host_from_settings(0) == server["url"]
    assert configuration.get_host_from_settings(None) == "https://a.talon.one"
    for index in (-1, 1, 7):
        with pytest.raises(ConfigurationError, match=f"none has the index {index}"):
            configuration.get_host_from_settings(index)
    template = [{"url": "https://{name}.talon.one"}]
    assert configuration.get_host_from_settings(0, {"name": "x"}, template) == "https://x.talon.one"


def test_a_log_file_receives_what_is_logged_and_is_closed_when_replaced(tmp_path: Path) -> None:
    configuration = Configuration()
    configuration.logger_file = str(tmp_path / "log.txt")
    configuration.debug = True
    logging.getLogger("talon_one").debug("hello")
    configuration.logger_file = None
    configuration.debug = False
    assert "DEBUG hello" in (tmp_path / "log.txt").read_text()
    assert logging.getLogger("talon_one").handlers == []
    assert logging.getLogger("talon_one").level == logging.NOTSET


class Undecided:
    def __bool__(self) -> bool:
        raise RuntimeError


@pytest.mark.parametrize("value", [7, 0, b"", Undecided()])
def test_a_log_file_is_the_path_of_a_file(value: Any) -> None:
    configuration = Configuration()
    with pytest.raises(ApiTypeError, match="logger_file is the path of a file"):
        configuration.logger_file = value
    assert configuration.logger_file is None


def test_a_value_of_the_wrong_kind_is_refused_by_every_setting_and_changes_nothing() -> None:
    configuration = Configuration()
    wrong = []
    for name in vars(configuration):
        before = getattr(configuration, name)
        if name.startswith("_") or name in IGNORED:
            continue
        try:
            setattr(configuration, name, object())
            message = "nothing"
        except (ApiTypeError, ConfigurationError) as refusal:
            message = str(refusal)
        # The settings of a timeout share a message.
        if name not in message.replace("a timeout", "timeout").split():
            wrong.append(f"{name}: {message}")
        assert getattr(configuration, name) is before
    assert wrong == []


def test_what_the_vendors_packages_ignore_can_be_read_back() -> None:
    configuration = Configuration(**IGNORED)
    assert {name: getattr(configuration, name) for name in IGNORED} == IGNORED
    empty = Configuration()
    assert [getattr(empty, name) for name in IGNORED] == [0, {}, {}, {}, False, False]


def test_every_setting_of_the_vendors_packages_can_be_read_and_set() -> None:
    configuration = Configuration()
    names = (
        "host api_key api_key_prefix username password access_token refresh_api_key_hook"
        " discard_unknown_keys verify_ssl ssl_ca_cert ca_cert_data cert_file key_file"
        " assert_hostname tls_server_name proxy proxy_headers connection_pool_maxsize retries"
        " socket_options safe_chars_for_path_param client_side_validation temp_folder_path debug"
        " logger_file logger_format datetime_format date_format"
    )
    for name in names.split():
        setattr(configuration, name, getattr(configuration, name))


def test_a_pickle_keeps_the_settings_and_leaves_the_secrets_behind() -> None:
    configuration = Configuration(
        host="https://a.talon.one",
        api_key={"api_key_v1": "sesame"},
        access_token="sesame",
        application_secret="sesame",
        password="sesame",
        retries=7,
    )
    configuration.proxy = "http://user:sesame@proxy"
    pickled = pickle.dumps(configuration)
    assert b"sesame" not in pickled
    found = pickle.loads(pickled)
    assert (found.host, found.retries, found.timeout) == (
        "https://a.talon.one",
        7,
        configuration.timeout,
    )


def test_a_limit_of_calls_per_id_is_checked_when_it_is_set() -> None:
    configuration: Any = Configuration()
    for limit in (1, 10**6, None):
        configuration.calls_per_id = limit
    for wrong in (0, -1, 1.5, "3", True):
        with pytest.raises(ConfigurationError, match="calls_per_id is a number of calls"):
            configuration.calls_per_id = wrong
    assert configuration.calls_per_id is None


@pytest.mark.parametrize("value", [[(1, 2)], [(1, 2, 3, 4)], [[1, 2, 3]], [()], ["abc"], "abc", 5])
def test_socket_options_are_triples(value: object) -> None:
    configuration: Any = Configuration()
    configuration.socket_options = [(6, 1, 1)]
    configuration.socket_options = ((6, 1, 1), (1, 9, 1))
    with pytest.raises(ApiTypeError, match="socket_options is a list of triples"):
        configuration.socket_options = value
