"""Login: a client signs in when it has to, once for all callers, and sends the call again."""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import talon_one
from support.server import Received, RecordingServer, Response
from support.shells import Shell
from talon_one import (
    ApiTypeError,
    Clock,
    Configuration,
    ConfigurationError,
    ConnectTimeoutError,
    InvalidResponseError,
    NoResponseError,
    ServiceException,
    UnauthorizedException,
)

EMAIL, PASSWORD = "anna@example.com", "password-1"


class Deployment:
    """A server with sessions of one user, which a test may end."""

    def __init__(self) -> None:
        self.server = RecordingServer(default=self.respond)
        self.password = PASSWORD
        self.valid: set[str] = set()
        self.sign_ins = 0
        self.gate = threading.Event()
        self.gate.set()
        self.session: Any = None

    def respond(self, request: Received) -> Response:
        if (request.method, request.path) == ("POST", "/v1/sessions"):
            return self.sign_in(request)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            return Response(401, {"message": "token is unknown"})
        if (request.method, request.path) == ("DELETE", "/v1/sessions"):
            self.valid.discard(token)
            return Response(204)
        return Response(body={"data": [], "totalResultSize": 0})

    def sign_in(self, request: Received) -> Response:
        self.gate.wait(10)
        if self.session is not None:
            return Response(201, self.session)
        if request.json() != {"email": EMAIL, "password": self.password}:
            return Response(401, {"message": "wrong password"})
        self.sign_ins += 1
        token = f"token-{self.sign_ins}"
        self.valid.add(token)
        created = "2026-01-01T00:00:00Z"
        return Response(201, {"userId": 1, "token": token, "created": created})

    def calls(self) -> list[str]:
        """Return what was requested, with the tokens."""
        return [
            f"{each.method} {each.path.removeprefix('/v1/')}"
            f" {each.headers.get('Authorization', '-').removeprefix('Bearer ')}"
            for each in self.server.requests
        ]


@pytest.fixture
def deployment(shell: Shell) -> Iterator[Deployment]:
    made = Deployment()
    with made.server:
        yield made
        made.gate.set()


class User:
    """A client with a login, of the shell whose turn it is, made to block."""

    def __init__(self, host: str, shell: Shell, password: str = PASSWORD, **settings: Any) -> None:
        self.client = shell.new_client(Configuration(host, retries=settings.pop("retries", None)))
        self.client.clock = Clock(sleep=lambda _: None)
        self.api: Any = shell.api("ManagementApi", self.client)
        if shell.awaits:
            self.login: Any = talon_one.aio.credentials.Login(
                self.client.client, EMAIL, password, **settings
            )
        else:
            self.login = talon_one.credentials.Login(self.client, EMAIL, password, **settings)

    def do(self, name: str) -> Any:
        made = getattr(self.login, name)()
        return self.client.run(made) if hasattr(self.client, "run") else made


@pytest.fixture
def user(deployment: Deployment, shell: Shell) -> User:
    return User(deployment.server.url, shell)


def test_the_first_call_signs_in(deployment: Deployment, user: User) -> None:
    assert not user.login.signed_in
    user.api.get_applications()
    user.api.get_applications()
    assert user.login.signed_in
    assert deployment.calls() == [
        "POST sessions -",
        "GET applications token-1",
        "GET applications token-1",
    ]


def test_a_call_that_is_rejected_is_sent_again_with_a_new_token(
    deployment: Deployment, user: User
) -> None:
    user.do("sign_in")
    user.do("sign_in")
    deployment.valid.clear()
    user.api.create_store(1, {"name": "a", "description": "b", "integrationId": "c"})
    assert deployment.calls() == [
        "POST sessions -",
        "POST applications/1/stores token-1",
        "POST sessions -",
        "POST applications/1/stores token-2",
    ]
    first, _, again = deployment.server.requests[1:]
    assert first.body == again.body


def test_it_is_sent_again_without_retries_as_well_but_only_once(
    deployment: Deployment, shell: Shell
) -> None:
    user = User(deployment.server.url, shell, retries=0)
    user.do("sign_in")
    deployment.valid.clear()
    user.api.get_applications()
    deployment.server.default = lambda request: (
        deployment.sign_in(request) if request.method == "POST" else Response(401)
    )
    deployment.server.clear()
    with pytest.raises(UnauthorizedException) as caught:
        user.api.get_applications()
    assert deployment.calls() == [
        "GET applications token-2",
        "POST sessions -",
        "GET applications token-3",
    ]
    assert (caught.value.attempts, len(caught.value.earlier)) == (2, 1)


def test_the_retry_with_a_new_token_is_none_of_the_others(
    deployment: Deployment, shell: Shell
) -> None:
    user = User(deployment.server.url, shell, retries=2)
    user.do("sign_in")
    deployment.valid.clear()
    deployment.server.clear()
    deployment.server.script(Response(503), deployment.respond, deployment.respond, Response(503))
    user.api.get_applications()
    assert [each.split()[0] for each in deployment.calls()] == ["GET", "GET", "POST", "GET", "GET"]


def test_of_many_callers_one_signs_in(deployment: Deployment, user: User) -> None:
    user.do("sign_in")
    deployment.valid.clear()
    deployment.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(user.api.get_applications) for _ in range(8)]
        while len(deployment.server.requests) < 1 + 8 + 1:
            threading.Event().wait(0.001)
        deployment.gate.set()
        for each in calls:
            each.result(10)
    assert deployment.sign_ins == 2


def test_a_call_that_is_rejected_late_uses_the_token_that_others_have_got(
    deployment: Deployment, user: User
) -> None:
    user.do("sign_in")
    deployment.valid.clear()
    reached, go_on = threading.Event(), threading.Event()

    def late(_: Received) -> Response:
        reached.set()
        go_on.wait(10)
        return Response(401)

    deployment.server.script(late)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(user.api.get_applications)
        assert reached.wait(10)
        user.api.get_applications()
        go_on.set()
        slow.result(10)
    assert deployment.sign_ins == 2


def test_a_call_that_waits_for_the_login_keeps_its_deadline(
    deployment: Deployment, user: User
) -> None:
    deployment.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(user.api.get_applications)
        while not deployment.server.requests:
            threading.Event().wait(0.001)
        with pytest.raises(ConnectTimeoutError, match="another call signed in"):
            user.api.get_applications(_deadline=0.05)
        deployment.gate.set()
        first.result(10)
    deployment.valid.clear()
    deployment.gate.clear()
    with pytest.raises(TimeoutError):
        user.api.get_applications(_deadline=0.05)


def test_a_wrong_password_is_what_the_call_raises(deployment: Deployment, shell: Shell) -> None:
    user = User(deployment.server.url, shell, "password-2")
    with pytest.raises(
        UnauthorizedException, match=r"createSession 401 .*wrong password"
    ) as caught:
        user.api.get_applications()
    assert deployment.calls() == ["POST sessions -"]
    text = f"{caught.value!r} {caught.value} {user.login!r}"
    assert "password-2" not in text


def test_a_failed_login_does_not_hide_that_the_call_may_have_been_executed(
    deployment: Deployment, user: User
) -> None:
    user.do("sign_in")
    deployment.valid.clear()
    deployment.password = "changed"
    deployment.server.stop()
    deployment.server.start()
    deployment.server.script(Response(503))
    with pytest.raises(UnauthorizedException) as caught:
        user.api.get_applications()
    assert [each.status for each in caught.value.earlier] == [503, 401]
    user.client.clock = Clock(sleep=lambda _: None)

    def stop_signing_in(request: Received) -> Response:
        if request.method == "POST":
            return Response(raw=b"")
        return Response(401)

    deployment.server.default = stop_signing_in
    deployment.server.script(Response(503))
    with pytest.raises(NoResponseError):
        user.api.get_applications()


def test_a_session_without_a_token_is_an_invalid_response(
    deployment: Deployment, user: User
) -> None:
    for session in ({}, {"token": None}, {"token": 5}, {"token": ""}):
        deployment.session = session
        with pytest.raises(InvalidResponseError, match="returned no token"):
            user.api.get_applications()


def test_a_body_that_cannot_be_sent_again_is_not(deployment: Deployment, user: User) -> None:
    user.do("sign_in")
    deployment.valid.clear()
    deployment.server.clear()
    pieces = iter([b"value\n", b"a\n"])
    with pytest.raises(UnauthorizedException, match="token is unknown"):
        user.api.import_coupons(1, 2, up_file=pieces)
    assert [each.split()[0] for each in deployment.calls()] == ["POST"]
    user.api.import_coupons(1, 2, up_file=io.BytesIO(b"value\na\n"))
    sent = [each for each in deployment.server.requests if "coupon" in each.path]
    assert len(sent) == 3
    assert b"value\na\n" in sent[1].body
    assert b"value\na\n" in sent[2].body


def test_credentials_of_the_call_itself_are_not_replaced(
    deployment: Deployment, user: User
) -> None:
    user.do("sign_in")
    own = {"key": "Authorization", "value": "Bearer other"}
    with pytest.raises(UnauthorizedException):
        user.api.get_applications(_request_auth=own)
    with pytest.raises(UnauthorizedException):
        user.api.get_applications(_headers={"Authorization": "Bearer other"})
    assert deployment.sign_ins == 1


def test_signing_out_ends_the_session_and_the_next_call_begins_another(
    deployment: Deployment, user: User
) -> None:
    user.do("sign_out")
    assert deployment.calls() == []
    user.do("sign_in")
    user.do("sign_out")
    assert (deployment.valid, user.login.signed_in) == (set(), False)
    user.api.get_applications()
    deployment.valid.clear()
    user.do("sign_out")
    assert deployment.calls()[2:] == [
        "POST sessions -",
        "GET applications token-2",
        "DELETE sessions token-2",
    ]
    user.do("sign_in")
    deployment.server.default = Response(500)
    with pytest.raises(ServiceException):
        user.do("sign_out")
    assert user.login.signed_in


def test_as_a_context_manager_it_signs_out_and_hides_no_exception(
    deployment: Deployment, shell: Shell
) -> None:
    user = User(deployment.server.url, shell)

    async def awaited(fails: bool) -> None:
        async with user.login:
            await talon_one.aio.ManagementApi(user.client.client).get_applications()
            if fails:
                deployment.server.default = Response(500)
                raise ZeroDivisionError

    def run(fails: bool) -> None:
        if shell.awaits:
            user.client.run(awaited(fails))
            return
        with user.login:
            user.api.get_applications()
            if fails:
                deployment.server.default = Response(500)
                raise ZeroDivisionError

    run(False)
    assert deployment.valid == set()
    with pytest.raises(ZeroDivisionError):
        run(True)


def test_a_token_may_be_shared_with_other_processes(
    deployment: Deployment, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    shared: list[str] = []

    def share(token: str) -> None:
        shared.append(token)
        raise ZeroDivisionError

    deployment.valid.add("token-0")
    user = User(deployment.server.url, shell, token="token-0", on_token=share)
    user.api.get_applications()
    assert deployment.sign_ins == 0
    deployment.valid.clear()
    user.api.get_applications()
    assert shared == ["token-1"]
    assert "on_token failed" in caplog.text
    assert "token-1" not in caplog.text


def test_neither_password_nor_token_is_shown(
    deployment: Deployment, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "talon_one")
    user = User(deployment.server.url, shell)
    user.client.configuration.log_bodies = True
    user.api.get_applications()
    shown = f"{caplog.text} {user.login!r} {vars(user.login)} {user.client.configuration!r}"
    assert "token-1" not in shown
    assert PASSWORD not in shown
    assert "createSession" not in shown  # Only its path is logged.
    assert "/v1/sessions" in shown


@pytest.mark.one_shell("no call is made")
def test_arguments_that_cannot_work_are_refused() -> None:
    make: Any = talon_one.credentials.Login
    host = "https://example.test"
    client = talon_one.ApiClient(Configuration(host))
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], type[Exception]]] = [
        ((client, EMAIL), {}, ApiTypeError),
        ((client, EMAIL, ""), {}, ApiTypeError),
        ((client, None, PASSWORD), {}, ApiTypeError),
        ((client, EMAIL, PASSWORD), {"token": 5}, ApiTypeError),
        ((client, EMAIL, PASSWORD), {"on_token": 5}, ApiTypeError),
        ((None, EMAIL, PASSWORD), {}, ApiTypeError),
        ((talon_one.aio.ApiClient(Configuration(host)), EMAIL, PASSWORD), {}, ApiTypeError),
    ]
    for scheme in ("management_key", "manager_auth"):
        with_key = talon_one.ApiClient(Configuration(host, {scheme: "a"}))
        wrong.append(((with_key, EMAIL, PASSWORD), {}, ConfigurationError))
    for args, settings, kind in wrong:
        with pytest.raises(kind) as caught:
            make(*args, **settings)
        assert PASSWORD not in str(caught.value)
    assert client.token_source is None


@pytest.mark.one_shell("it cancels a task")
def test_a_canceled_call_leaves_the_login_to_the_next_one(deployment: Deployment) -> None:
    deployment.gate.clear()

    async def run() -> None:
        async with talon_one.aio.ApiClient(Configuration(deployment.server.url)) as client:
            talon_one.aio.credentials.Login(client, EMAIL, PASSWORD)
            api = talon_one.aio.ManagementApi(client)
            first = asyncio.ensure_future(api.get_applications())
            while not deployment.server.requests:
                await asyncio.sleep(0.001)
            second = asyncio.ensure_future(api.get_applications())
            await asyncio.sleep(0)
            first.cancel()
            deployment.gate.set()
            await second
            assert first.cancelled()

    asyncio.run(run())
