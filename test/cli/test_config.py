"""`talon-one config` keeps hosts and keys, and never shows a key."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import talon_one
from cli.conftest import Command
from support.platforms import needs_posix_files
from talon_one import Configuration, ConfigurationError

KEY = "a-key-that-nobody-sees"
HOST = "https://shop.talon.one"


class Keyring:
    """The package `keyring`, with a backend that keeps keys in memory."""

    priority: float = 5

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], str] = {}
        self.failure: Exception | None = None

    def get_keyring(self) -> Any:
        return SimpleNamespace(priority=self.priority)

    def set_password(self, service: str, name: str, secret: str) -> None:
        self._fail()
        self.stored[service, name] = secret

    def get_password(self, service: str, name: str) -> str | None:
        self._fail()
        return self.stored.get((service, name))

    def delete_password(self, service: str, name: str) -> None:
        self._fail()
        del self.stored[service, name]

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package `keyring` is not installed."""
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.fixture
def keyring(no_keyring: None, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """A keyring."""
    made = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


@pytest.fixture
def file(shell: Command, tmp_path: Path) -> Path:
    """The file of the profiles, which does not exist yet."""
    return tmp_path / "config.toml"


def test_settings_are_set_read_and_listed(shell: Command, file: Path) -> None:
    assert shell("config", "set", "host", HOST).code == 0
    assert shell("config", "set", "management-key", "--stdin", input=f"{KEY}\n").code == 0
    assert shell("config", "set", "application_id", "7", "--profile", "other").code == 0
    assert shell("config", "get", "host").out == f"{HOST}\n"
    assert shell("config", "get", "management-key").out == "****\n"
    listed = shell("config", "list").out
    assert listed.splitlines() == [
        "* default",
        f"    host = {HOST}",
        "    management-key = **** (file)",
        "  other",
        "    application-id = 7",
    ]
    assert shell("config", "path").out == f"{file}\n"
    assert KEY in file.read_text()


def test_profiles_are_chosen_and_removed(shell: Command) -> None:
    shell("config", "set", "host", HOST)
    shell("config", "set", "host", "https://staging.talon.one", "--profile", "staging")
    assert shell("config", "use", "staging").code == 0
    assert shell("config", "get", "host").out == "https://staging.talon.one\n"
    assert shell("config", "get", "host", "--profile", "default").out == f"{HOST}\n"
    assert shell("config", "unset", "host").code == 0
    assert shell("config", "get", "host").code == 2
    assert shell("config", "remove", "staging").code == 0
    ended = shell("config", "use", "stagin")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no profile 'stagin'" in ended.err


@needs_posix_files
def test_the_file_is_for_its_owner_alone_from_the_start(
    shell: Command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    opened = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        descriptor = opened(path, flags, mode, **more)
        if str(path).endswith(".part"):
            modes.append(os.fstat(descriptor).st_mode & 0o777)
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        shell("config", "set", "api-key", "--stdin", input=KEY)
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@needs_posix_files
def test_a_file_that_others_can_read_is_reported(talk: Command, file: Path) -> None:
    talk("config", "set", "api-key", "--stdin", input=KEY)
    file.chmod(0o640)
    for words in (["config", "list"], ["management", "get-applications"]):
        ended = talk(*words)
        assert ended.code == 0
        assert f"chmod 600 {file}" in ended.err


@needs_posix_files
def test_a_link_to_the_file_stays_a_link(shell: Command, file: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "talon.toml"
    target.parent.mkdir()
    file.symlink_to(target)
    assert shell("config", "set", "host", HOST).code == 0
    assert file.is_symlink()
    assert HOST in target.read_text()


def test_keys_go_into_the_keyring_where_there_is_one(
    shell: Command, file: Path, keyring: Keyring
) -> None:
    shell("config", "set", "host", HOST)
    assert "system keyring" in shell("config", "set", "api-key", "--stdin", input=KEY).err
    assert keyring.stored == {("talon_one", "default/api_key"): KEY}
    assert KEY not in file.read_text()
    assert "api-key = **** (keyring)" in shell("config", "list").out
    assert Configuration.from_profile(environ={}).api_key == {"api_key_v1": KEY}
    # A key in the file takes the place of the one in the keyring.
    shell("config", "set", "api-key", "--stdin", "--in-file", input="another")
    assert keyring.stored == {}
    assert Configuration.from_profile(environ={}).api_key == {"api_key_v1": "another"}


@pytest.mark.parametrize("removal", [["unset", "api-key"], ["remove", "default"]])
def test_a_key_that_is_removed_is_removed_from_the_keyring(
    removal: list[str], shell: Command, keyring: Keyring
) -> None:
    shell("config", "set", "api-key", "--stdin", input=KEY)
    assert shell("config", *removal).code == 0
    assert keyring.stored == {}


def test_a_keyring_that_keeps_nothing_is_not_used(
    shell: Command, file: Path, keyring: Keyring
) -> None:
    keyring.priority = 0
    assert shell("config", "set", "api-key", "--stdin", input=KEY).code == 0
    assert KEY in file.read_text()


def test_a_keyring_that_fails_is_one_line_without_the_key(shell: Command, keyring: Keyring) -> None:
    keyring.failure = RuntimeError(f"cannot store {KEY}")
    failed = shell("config", "set", "api-key", "--stdin", input=KEY)
    assert failed.code == 2
    assert failed.err.startswith("talon-one: the system keyring cannot store api_key")
    assert KEY not in failed.out + failed.err
    keyring.failure = None
    shell("config", "set", "api-key", "--stdin", input=KEY)
    keyring.stored.clear()
    with pytest.raises(ConfigurationError, match="no longer has api_key"):
        Configuration.from_profile()
    sys.modules["keyring"] = None  # type: ignore[assignment]  # as if it were not installed
    with pytest.raises(ConfigurationError, match="pip install keyring"):
        Configuration.from_profile()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "api-key", KEY], "api-key is not given on the command line"),
        (["set", "api-key"], "there is no terminal to ask for api-key"),
        (["set", "api-key", "--stdin"], "api-key must not be empty"),
        (["set", "hots", HOST], "Did you mean 'host'?"),
        (["set", "host", "shop.talon.one"], "needs a scheme"),
        (["set", "host", "https://shop.talon.one/v1"], "has a path"),
        (["set", "host", f"https://user:{KEY}@shop.talon.one"], "neither credentials"),
        (["set", "host", HOST, "--stdin"], "either VALUE or --stdin"),
        (["set", "application-id", "shop"], "is a number, not 'shop'"),
        (["set", "host", HOST, "--profile", " "], "is no name of a profile"),
        (["get", "host"], "host is not set"),
        (["unset", "host"], "there is no profile 'default'"),
        (["remove", "shop"], "there is no profile 'shop'"),
        (["lst"], "Did you mean 'list'?"),
    ],
)
def test_a_mistake_is_one_line_that_does_not_quote_a_key(
    words: list[str], said: str, shell: Command, file: Path
) -> None:
    ended = shell("config", *words)
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert said in line
    assert KEY not in line
    assert not file.exists()


@pytest.mark.parametrize("given", [f"ApiKey-v1 {KEY}", f"{KEY}\x1b", f"{KEY}\u00e4"])
def test_a_key_that_cannot_be_one_is_refused(given: str, shell: Command, file: Path) -> None:
    ended = shell("config", "set", "api-key", "--stdin", input=given)
    assert ended.code == 2
    assert KEY not in ended.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[profiles", "is not TOML"),
        ("\udcff", "is not UTF-8 text"),
        ("profiles = 5", "a profile is a table"),
        ("[profiles.a]\nhots = 'x'", "Did you mean 'host'?"),
        ("[profiles.a]\nhost = true", "host of the profile a must be text"),
        ("[profiles.a]\nkeyring = ['host']", "keyring lists names of keys"),
        ("current = 5", "current is the name of a profile"),
        ("current = 'b'\n[profiles.a]", "there is no profile 'b'"),
    ],
)
def test_a_file_that_nobody_can_use_is_one_line(
    content: str, said: str, talk: Command, file: Path
) -> None:
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    ended = talk("management", "get-applications")
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert str(file) in line
    assert said in line


def test_a_file_that_cannot_be_written_is_one_line(
    shell: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "occupied").write_text("")
    monkeypatch.setenv("TALON_ONE_CONFIG", str(tmp_path / "occupied" / "config.toml"))
    ended = shell("config", "set", "host", HOST)
    assert (ended.code, ended.out) in ((1, ""), (2, ""))
    (line,) = ended.err.splitlines()
    assert "occupied" in line


@needs_posix_files
def test_a_pipe_in_place_of_the_file_is_neither_read_nor_replaced(
    shell: Command, file: Path
) -> None:
    # A device such as /dev/null, which stands for no profiles, is of the same kind.
    os.mkfifo(file)
    assert shell("config", "list").out == ""
    ended = shell("config", "set", "host", HOST)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert stat.S_ISFIFO(file.stat().st_mode)


# -- What stands first wins ------------------------------------------------------------------------


@pytest.fixture
def profiles(shell: Command) -> Callable[..., Configuration]:
    """Two profiles, of which `shop` is the current one."""
    for profile in ("shop", "staging"):
        shell("config", "set", "host", f"https://{profile}.talon.one", "--profile", profile)
        for name in ("api-key", "management-key"):
            shell("config", "set", name, "--stdin", "--profile", profile, input=f"{profile}-{name}")
    return Configuration.from_profile


def test_a_program_gets_the_current_profile(profiles: Callable[..., Configuration]) -> None:
    found = profiles(environ={})
    assert found.host == "https://shop.talon.one"
    assert found.api_key == {"api_key_v1": "shop-api-key", "management_key": "shop-management-key"}
    assert "shop-api-key" not in repr(vars(found))


def test_the_environment_stands_before_the_current_profile(
    profiles: Callable[..., Configuration],
) -> None:
    found = profiles(environ={"TALON_ONE_API_KEY": "mine"})
    assert found.host == "https://shop.talon.one"
    assert found.api_key == {"api_key_v1": "mine", "management_key": "shop-management-key"}
    assert profiles(environ={"TALON_ONE_PROFILE": "staging"}).host == "https://staging.talon.one"


def test_a_profile_that_is_named_stands_before_the_environment(
    profiles: Callable[..., Configuration],
) -> None:
    found = profiles("staging", environ={"TALON_ONE_HOST": HOST, "TALON_ONE_API_KEY": "mine"})
    assert found.host == "https://staging.talon.one"
    assert found.api_key["api_key_v1"] == "staging-api-key"


def test_the_keys_of_a_profile_go_to_its_own_host_only(
    profiles: Callable[..., Configuration],
) -> None:
    found = profiles(environ={"TALON_ONE_HOST": "http://127.0.0.1:1", "TALON_ONE_API_KEY": "mine"})
    assert found.host == "http://127.0.0.1:1"
    assert found.api_key == {"api_key_v1": "mine"}
    same = profiles(environ={"TALON_ONE_HOST": "https://SHOP.talon.one/"})
    assert same.api_key["api_key_v1"] == "shop-api-key"


def test_without_a_profile_a_program_gets_the_environment(shell: Command) -> None:
    assert Configuration.from_profile(environ={"TALON_ONE_HOST": HOST}).host == HOST
    with pytest.raises(ConfigurationError, match="there is no profile 'shop'"):
        Configuration.from_profile("shop")


@pytest.mark.parametrize(
    ("name", "environ"), [(5, {}), (None, []), (None, {"TALON_ONE_PROFILE": 5})]
)
def test_arguments_of_the_wrong_type_are_ours_to_refuse(
    name: Any, environ: Any, shell: Command
) -> None:
    with pytest.raises(talon_one.ApiTypeError):
        Configuration.from_profile(name, environ)


def test_without_the_packages_that_profiles_need_it_says_what_to_install(
    unset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TALON_ONE_CONFIG")
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install \"talon_one\[cli\]\""):
        Configuration.from_profile()


def test_a_command_says_which_key_it_needs_and_how_to_set_it(
    profiles: Callable[..., Configuration], shell: Command
) -> None:
    shell("config", "unset", "management-key")
    ended = shell("management", "get-applications")
    assert (ended.code, ended.out) == (2, "")
    assert "needs a Management API key: talon-one config set management-key" in ended.err
    assert "an Integration API key is set, which does not open this API" in ended.err
    elsewhere = shell("integration", "get-customer-session", "1", "--host", "http://127.0.0.1:1")
    assert "that of the profile 'shop' is for another host" in elsewhere.err
    other = shell("management", "get-applications", "--profile", "shpo")
    assert "Did you mean 'shop'?" in other.err
