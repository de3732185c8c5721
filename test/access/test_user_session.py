"""A user session logs in when a token is needed, renews it after a 401, and does so once."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import talon_one
from support.calls import make_client
from support.server import Received, RecordingServer, Response
from talon_one import ApiTypeError, Configuration, ManagementApi, NotSentError, aio
from talon_one.access import LoginError, UserSession
from talon_one.sandbox import Sandbox

PASSWORD = "correct horse"
REFUSED = Response(401, body={"message": "the session has expired"})


class Deployment:
    """Issues tokens, and refuses those that it has revoked and those that it has not issued."""

    def __init__(self) -> None:
        self.logins = 0
        self.valid: set[str] = set()
        self.hold = threading.Event()
        self.hold.set()
        self.password = PASSWORD

    def __call__(self, request: Received) -> Response:
        if request.target == "/v1/sessions" and request.method == "POST":
            self.hold.wait(10)
            if request.json()["password"] != self.password:
                return Response(401, body={"message": "wrong email or password"})
            self.logins += 1
            token = f"token-{self.logins}"
            self.valid.add(token)
            created = "2026-11-01T09:00:00Z"
            return Response(201, body={"userId": 7, "token": token, "created": created})
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.valid:
            return REFUSED
        if request.method == "DELETE":
            self.valid.discard(token)
            return Response(204)
        return Response(body={"data": [], "totalResultSize": 0})


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


@pytest.fixture
def server(deployment: Deployment) -> Iterator[RecordingServer]:
    with RecordingServer(default=deployment) as running:
        yield running


def management(server: RecordingServer, session: UserSession, **settings: Any) -> ManagementApi:
    client = make_client(server.url, token_source=session, api_key={}, **settings)
    return ManagementApi(client)


@pytest.mark.usefixtures("shell")
def test_the_first_call_logs_in_and_the_next_ones_do_not(
    server: RecordingServer, deployment: Deployment
) -> None:
    session = UserSession("ada@example.com", PASSWORD)
    with management(server, session) as api:
        api.get_applications()
        api.get_applications()
    assert deployment.logins == 1
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]
    assert server.requests[0].headers.get("Authorization") is None
    assert session.token == "token-1"


@pytest.mark.usefixtures("shell")
def test_a_refused_token_is_renewed_and_the_call_sent_once_more(
    server: RecordingServer, deployment: Deployment
) -> None:
    kept: list[str] = []
    session = UserSession("ada@example.com", lambda: PASSWORD, token="old", on_token=kept.append)
    with management(server, session) as api:
        # Not idempotent: a 401 says that it was not executed.
        response = api.create_coupons_with_http_info(
            1, 2, {"usageLimit": 1, "numberOfCoupons": 1}, silent="yes"
        )
    assert response.status_code == 200
    assert [request.method for request in server.requests] == ["POST", "POST", "POST"]
    assert kept == ["token-1"]
    assert server.last.headers["Authorization"] == "Bearer token-1"


@pytest.mark.usefixtures("shell")
def test_a_token_that_is_refused_twice_ends_the_call(server: RecordingServer) -> None:
    server.script(REFUSED, {"token": "new", "userId": 7}, REFUSED)
    session = UserSession("ada@example.com", PASSWORD, token="old")
    with (
        management(server, session) as api,
        pytest.raises(talon_one.UnauthorizedException) as caught,
    ):
        api.get_applications()
    assert len(server.requests) == 3
    assert caught.value.attempts == 2
    assert [each.status for each in caught.value.earlier] == [401]


@pytest.mark.usefixtures("shell")
def test_a_wrong_password_is_tried_once_and_is_no_secret_of_the_message(
    server: RecordingServer, deployment: Deployment
) -> None:
    deployment.password = "another"
    session = UserSession("ada@example.com", PASSWORD)
    with management(server, session) as api, pytest.raises(LoginError) as caught:
        api.get_applications()
    assert len(server.requests) == 1
    assert str(caught.value).endswith("the login failed: 401 wrong email or password")
    assert isinstance(caught.value, NotSentError)
    assert isinstance(caught.value.__cause__, talon_one.UnauthorizedException)
    assert PASSWORD not in repr(caught.value) + repr(session)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (LoginError, str(caught.value))


@pytest.mark.usefixtures("shell")
def test_an_upload_that_can_be_read_once_is_not_sent_again(server: RecordingServer) -> None:
    session = UserSession("ada@example.com", PASSWORD, token="old")
    pieces = iter([b"value\n", b"A\n"])
    with management(server, session) as api, pytest.raises(talon_one.UnauthorizedException):
        api.import_coupons(1, 2, pieces)
    assert len(server.requests) == 1


@pytest.mark.usefixtures("shell")
def test_a_key_goes_before_the_session(server: RecordingServer) -> None:
    session = UserSession("ada@example.com", PASSWORD)
    client = make_client(server.url, token_source=session, api_key={"management_key": "key"})
    with ManagementApi(client) as api, pytest.raises(talon_one.UnauthorizedException):
        api.get_applications()
    assert [request.headers["Authorization"] for request in server.requests] == [
        "ManagementKey-v1 key"
    ]


def test_threads_that_need_a_token_at_the_same_time_log_in_once(
    server: RecordingServer, deployment: Deployment
) -> None:
    session = UserSession("ada@example.com", PASSWORD, token="old")
    deployment.hold.clear()
    with management(server, session) as api, ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(api.get_applications) for _ in range(8)]
        while len(server.requests) < 9:
            threading.Event().wait(0.002)
        deployment.hold.set()
        for call in calls:
            call.result()
    assert deployment.logins == 1


def test_tasks_that_need_a_token_at_the_same_time_log_in_once_even_if_the_first_is_cancelled(
    server: RecordingServer, deployment: Deployment
) -> None:
    session = UserSession("ada@example.com", PASSWORD)
    deployment.hold.clear()

    async def run() -> None:
        configuration = Configuration(host=server.url, token_source=session)
        async with aio.ManagementApi(aio.ApiClient(configuration)) as api:
            tasks = [asyncio.ensure_future(api.get_applications()) for _ in range(5)]
            while not server.connections:
                await asyncio.sleep(0.002)
            tasks[0].cancel()
            await asyncio.sleep(0.01)
            deployment.hold.set()
            await asyncio.gather(*tasks[1:])
            with pytest.raises(asyncio.CancelledError):
                await tasks[0]

    asyncio.run(run())
    # The server has carried out the login of the task that was cancelled, too.
    assert deployment.logins <= 2
    assert session.token in deployment.valid


def test_a_login_that_fails_fails_all_who_wait_for_it(
    server: RecordingServer, deployment: Deployment
) -> None:
    deployment.password = "another"
    deployment.hold.clear()
    session = UserSession("ada@example.com", PASSWORD, token="old")

    def ask(api: ManagementApi) -> str:
        try:
            api.get_applications()
        except LoginError as failure:
            return failure.reason or ""
        return "no failure"

    with management(server, session) as api, ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(ask, api) for _ in range(4)]
        while len(server.requests) < 5:
            threading.Event().wait(0.002)
        deployment.hold.set()
        assert {call.result() for call in calls} == {
            "the login failed: 401 wrong email or password"
        }
    assert sum(request.method == "POST" for request in server.requests) == 1


@pytest.mark.usefixtures("shell")
def test_a_login_gets_what_is_left_of_the_deadline(
    server: RecordingServer, deployment: Deployment
) -> None:
    deployment.hold.clear()
    session = UserSession("ada@example.com", PASSWORD)
    with management(server, session) as api:
        with pytest.raises(LoginError, match="the login failed"):
            api.get_applications(_deadline=0.1)
        deployment.hold.set()
    assert session.token is None


@pytest.mark.usefixtures("shell")
def test_hooks_see_the_attempt_that_was_refused_and_a_login_that_failed(
    server: RecordingServer, deployment: Deployment
) -> None:
    seen: list[tuple[str, int, int | None]] = []

    class Notes(talon_one.Hooks):
        def on_response(self, event: talon_one.CallEvent) -> None:
            seen.append((event.operation_id, event.attempt, event.status))

        def on_error(self, event: talon_one.CallEvent) -> None:
            seen.append((event.operation_id, event.attempt, event.status))

    session = UserSession("ada@example.com", PASSWORD, token="old")
    with management(server, session, hooks=[Notes()]) as api:
        api.get_applications()
        deployment.valid.clear()
        deployment.password = "another"
        with pytest.raises(LoginError):
            api.get_applications()
    assert [each for each in seen if each[0] == "getApplications"] == [
        *(("getApplications", 1, 401), ("getApplications", 2, 200), ("getApplications", 0, 200)),
        *(("getApplications", 1, 401), ("getApplications", 0, None)),
    ]


def test_logging_out_ends_the_session_and_the_next_call_begins_another(
    server: RecordingServer, deployment: Deployment
) -> None:
    session = UserSession("ada@example.com", PASSWORD)
    with management(server, session) as api:
        api.get_applications()
        session.log_out(api)
        assert (session.token, deployment.valid) == (None, set())
        session.log_out(api)
        api.get_applications()
    assert deployment.logins == 2


def test_the_sandbox_opens_a_session_and_forgets_it_with_its_database() -> None:
    with Sandbox() as sandbox:
        # In a sandbox, the password of any user is its Management key.
        session = UserSession("ada@example.com", sandbox.management_key)
        configuration = Configuration(host=sandbox.url, token_source=session)
        with ManagementApi(talon_one.ApiClient(configuration)) as api:
            assert [each.id for each in api.get_applications().data] == [sandbox.application_id]
            first = session.token
            api.destroy_session()
            assert api.get_applications().data
    assert first is not None
    assert session.token not in (None, first)


def test_a_configuration_shares_its_session_with_copies_and_leaves_it_out_of_pickles() -> None:
    session = UserSession("ada@example.com", PASSWORD, token="secret-token")
    configuration = Configuration(host="https://shop.talon.one", token_source=session)
    assert copy.deepcopy(configuration).token_source is session
    assert pickle.loads(pickle.dumps(configuration)).token_source is None
    assert "secret-token" not in repr(configuration) + repr(session)
    assert "token_source" in repr(configuration)
    with pytest.raises(ApiTypeError, match="not pickled"):
        pickle.dumps(session)


def test_wrong_arguments_are_refused_without_showing_a_secret() -> None:
    wrong: dict[str, dict[str, Any]] = {
        "email is text": {"email": 7, "password": PASSWORD},
        "password is text or a function": {"email": "a", "password": 4711},
        "token is text": {"email": "a", "password": PASSWORD, "token": 4711},
        "on_token is a function": {"email": "a", "password": PASSWORD, "on_token": "print"},
        "needs the argument 'password'": {"email": "a"},
    }
    for message, arguments in wrong.items():
        with pytest.raises(ApiTypeError, match=message) as caught:
            UserSession(**arguments)
        assert "4711" not in str(caught.value)
    with pytest.raises(ApiTypeError, match="token_source is a token source such as UserSession"):
        Configuration(token_source="token")  # type: ignore[arg-type]
