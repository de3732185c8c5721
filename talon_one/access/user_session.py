"""The session of a user: a token for the Management API that renews itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as _TimedOut
from typing import TYPE_CHECKING, Any

from talon_one._core.constructors import checks_arguments
from talon_one._core.secret import Secret, clear_locals
from talon_one._utils.quoting import quoted
from talon_one.api import management_operations as operations
from talon_one.exceptions import ApiException, ApiTypeError, NotSentError

if TYPE_CHECKING:
    from typing import TypeAlias

    import talon_one

    Login: TypeAlias = Future[str | None]

_LATE = "the login of another thread or task was not done before the deadline"


class LoginError(NotSentError):
    """Logging in failed, so that the call was not sent; the cause is chained."""


class UserSession:
    """Logs in with email and password when a call needs a token, and again after a 401.

    ::

        session = access.UserSession("ada@example.com", read_password)
        management = talon_one.ManagementApi(
            talon_one.ApiClient(talon_one.Configuration(host=..., token_source=session))
        )

    A token is valid for three months, and an account may log in 3 to 6 times a second. However
    many threads, tasks and clients share a session, it logs in once for all of them (operation
    createSession). A call whose token is refused with a 401 was not executed; it is sent once more
    with a new token, unless its body can be read only once.

    Args:
        email: Email address of the user.
        password: Password, or a function that returns it when it is needed, for instance from a
            secret store. It must not block in an asyncio program.
        token: Token of an earlier session, to do without a login.
        on_token: Called with each new token, for instance to keep it for the next start of the
            program. It must not block in an asyncio program.

    Raises:
        ApiTypeError: An argument has the wrong type.
    """

    @checks_arguments("('ada@example.com', read_password)", ("password", "token"))
    def __init__(
        self,
        email: str,
        password: str | Callable[[], str],
        token: str | None = None,
        on_token: Callable[[str], object] | None = None,
    ) -> None:
        if not isinstance(email, str):
            raise ApiTypeError(f"email is text, not {quoted(email)}")
        if not isinstance(password, str) and not callable(password):
            raise ApiTypeError(
                f"password is text or a function that returns it, not {type(password).__name__}"
            )
        if token is not None and not isinstance(token, str):
            raise ApiTypeError(f"token is text, not {type(token).__name__}")
        if on_token is not None and not callable(on_token):
            raise ApiTypeError(f"on_token is a function, not {quoted(on_token)}")
        self.email: str = email
        self._password = Secret(password) if isinstance(password, str) else password
        self._token = Secret(token) if token else None
        self._on_token = on_token
        # The login in flight, by process: one of the parent never ends in a forked child.
        self._logins: dict[int, Login] = {}

    def __repr__(self) -> str:
        return f"<UserSession {self.email} {'with' if self._token else 'without'} a token>"

    def __reduce__(self) -> Any:
        raise ApiTypeError("a UserSession holds a password, and is not pickled: make a new one")

    @property
    def token(self) -> str | None:
        """The token of the newest session; None before the first login."""
        return self._token

    # -- For clients ---------------------------------------------------------------------------

    def renew(self, client: talon_one.ApiClient, stale: str | None, deadline: float | None) -> str:
        """Log in, unless another call has done so since; this sends a request (createSession).

        Clients call it.

        Args:
            client: A blocking client.
            stale: The token that was refused, if there was one.
            deadline: Seconds that are left.

        Raises:
            LoginError: The login failed.
        """
        while True:
            if self._token is not None and self._token != stale:
                return self._token
            login, is_ours = self._join()
            if is_ours:
                with _Leading(self, login) as leading:
                    session = client.call(
                        operations.create_session, (self._body(),), _until(deadline)
                    )
                    return leading.succeeded(session)
            try:
                login.result(deadline)
            except _TimedOut:
                raise LoginError(None, _LATE) from None

    async def renew_async(self, client: Any, stale: str | None, deadline: float | None) -> str:
        """Log in with a `talon_one.aio.ApiClient`; see `renew`."""
        while True:
            if self._token is not None and self._token != stale:
                return self._token
            login, is_ours = self._join()
            if is_ours:
                with _Leading(self, login) as leading:
                    session = await client.call(
                        operations.create_session, (self._body(),), _until(deadline)
                    )
                    return leading.succeeded(session)
            try:
                # The shield keeps a task that is cancelled from cancelling the others.
                waiting = asyncio.shield(asyncio.wrap_future(login))
                await asyncio.wait_for(waiting, deadline)
            except asyncio.TimeoutError:
                raise LoginError(None, _LATE) from None

    # -- By hand -------------------------------------------------------------------------------

    def log_out(self, api: talon_one.ManagementApi) -> None:
        """End the session, so that its token stops working; this sends a request (destroySession).

        The next call that needs a token logs in again.
        """
        if self._token is not None:
            api.destroy_session(_headers={"Authorization": f"Bearer {self._token}"})
            self._token = None

    async def log_out_async(self, api: Any) -> None:
        """End the session with a `talon_one.aio.ManagementApi`; see `log_out`."""
        if self._token is not None:
            await api.destroy_session(_headers={"Authorization": f"Bearer {self._token}"})
            self._token = None

    def _join(self) -> tuple[Login, bool]:
        """Return the login in flight, and whether the caller has to make it."""
        new: Login = Future()
        login = self._logins.setdefault(os.getpid(), new)
        return login, login is new

    def _body(self) -> dict[str, str]:
        password = self._password if isinstance(self._password, str) else self._password()
        return {"email": self.email, "password": Secret(password)}


class _Leading:
    """A login in flight: its end is that of all calls that wait for it."""

    def __init__(self, session: UserSession, login: Login) -> None:
        self._session = session
        self._login = login

    def __enter__(self) -> _Leading:
        return self

    def succeeded(self, opened: Any) -> str:
        token = opened.token
        if not isinstance(token, str) or not token:
            raise LoginError(None, "the response to the login has no token")
        self._session._token = Secret(token)
        if self._session._on_token is not None:
            self._session._on_token(token)
        return self._session._token

    def __exit__(self, kind: object, cause: BaseException | None, traceback: object) -> None:
        self._session._logins.pop(os.getpid(), None)
        if not isinstance(cause, ApiException):
            # Where a login was broken off, by Ctrl-C or as a cancelled task, another call makes it.
            self._login.set_result(None)
            return
        clear_locals(cause)
        failure = cause if isinstance(cause, LoginError) else _login_failed(cause)
        self._login.set_exception(failure)
        if failure is not cause:
            raise failure from cause


def _login_failed(cause: ApiException) -> LoginError:
    said = " ".join(str(part) for part in (cause.status, cause.message or cause.reason) if part)
    return LoginError(
        None,
        f"the login failed: {said}",
        operation_id=cause.operation_id,
        method=cause.method,
        url=cause.url,
    )


def _until(deadline: float | None) -> dict[str, Any]:
    return {} if deadline is None else {"_deadline": max(deadline, 0.001)}
