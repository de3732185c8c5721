"""Login: sign in a user of the Management API, and renew the session of a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from talon_one._core.auth import AUTHORIZATION, BEARER, NO_TOKEN, NO_TOKEN_YET, credential
from talon_one._core.constructors import checks_arguments
from talon_one._core.hooks import logger
from talon_one._core.secret import Secret, hidden
from talon_one._core.single_flight import SingleFlight, WaitedTooLongError
from talon_one._utils.guard import safe_repr
from talon_one._utils.quoting import quoted
from talon_one._utils.special_forms import Self
from talon_one.api.management_operations import create_session, destroy_session
from talon_one.exceptions import (
    ApiException,
    ApiTypeError,
    ConfigurationError,
    ConnectTimeoutError,
    InvalidResponseError,
    UnauthorizedException,
)

KEY = "token"
"""What the one sign-in in progress is known by."""

_SHORTEST = 1e-9
_SECRETS = ("password", "token")


class BaseLogin:
    """What the blocking and the asyncio login share: who signs in, and the token.

    Args:
        client: Client of a `talon_one.ManagementApi`.
        email: Email address of the user.
        password: Password of the user.
        token: Token of an earlier session to begin with, such as one that another process shares.
        on_token: Called with each new token, to share it.
    """

    _asynchronous = False

    @checks_arguments("(client, email='...', password='...')", _SECRETS)
    def __init__(
        self,
        client: Any,
        email: str,
        password: str,
        *,
        token: str | None = None,
        on_token: Callable[[str], object] | None = None,
    ) -> None:
        if getattr(client, "asynchronous", None) is not self._asynchronous:
            kind = "talon_one.aio.ApiClient" if self._asynchronous else "talon_one.ApiClient"
            raise ApiTypeError(f"client is a {kind}, not {quoted(client)}")
        for name, text in (("email", email), ("password", password), ("token", token or "-")):
            if not isinstance(text, str) or not text:
                raise ApiTypeError(f"{name} is text, not {type(text).__name__}")
        if on_token is not None and not callable(on_token):
            raise ApiTypeError(f"on_token is a function, not {quoted(on_token)}")
        configuration = client.configuration
        if credential(configuration, "management_key") or configuration.api_key.get("manager_auth"):
            raise ConfigurationError(
                "the client has a credential for the Management API that goes before a login:"
                " leave out management_key and manager_auth"
            )
        self._client = client
        self._email = email
        self._password = hidden(password)
        self._on_token = on_token
        self._flights: SingleFlight[str] = SingleFlight()
        configuration.access_token = token or configuration.access_token or NO_TOKEN
        client.token_source = self

    @property
    def signed_in(self) -> bool:
        """Whether there is a token. It may have expired."""
        return self._authorization() != NO_TOKEN_YET

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._client!r} signed_in={self.signed_in}>"

    def _authorization(self) -> str:
        """Return the value of ``Authorization`` for the next call."""
        token = self._client.configuration.access_token or NO_TOKEN
        return Secret(BEARER + token)

    def _replaced(self, rejected: str) -> str | None:
        """Return a value that another call has got in place of a rejected one."""
        current = self._authorization()
        return None if current in (rejected, NO_TOKEN_YET) else current

    def _sign_in_arguments(self, remaining: float | None) -> tuple[Any, ...]:
        settings: dict[str, Any] = {}
        if remaining is not None:
            settings["_deadline"] = max(_SHORTEST, remaining)
        return create_session, ({"email": self._email, "password": self._password},), settings

    def _accept(self, session: Any) -> str:
        """Use the token of a new session; return the value of ``Authorization``."""
        token = hidden(session.get("token")) if isinstance(session, Mapping) else None
        if not isinstance(token, str) or not token:
            raise InvalidResponseError(
                None, "createSession returned no token", operation_id=create_session.id
            )
        self._client.configuration.access_token = token
        if self._on_token is not None:
            try:
                self._on_token(str(token))
            except Exception:  # Whatever it is: it must not cost the call, which has a token now.
                logger.exception("on_token failed: %s", safe_repr(self._on_token))
        return self._authorization()

    def _sign_out_arguments(self) -> tuple[Any, ...]:
        # A credential of the call itself is not renewed.
        credential_of_call = {"key": AUTHORIZATION, "value": self._authorization()}
        return destroy_session, (), {"_request_auth": credential_of_call}

    def _forget(self) -> None:
        self._client.configuration.access_token = NO_TOKEN

    @staticmethod
    def _timed_out() -> ConnectTimeoutError:
        return ConnectTimeoutError(
            None,
            "the deadline has passed while another call signed in",
            operation_id=create_session.id,
        )


class Login(BaseLogin):
    """Signs in with email and password when the first call needs it, and again when it has to.

    ::

        client = talon_one.ApiClient(talon_one.Configuration(host=...))
        with Login(client, email=..., password=...):
            talon_one.ManagementApi(client).get_applications()

    A session is valid for three months. When the server rejects its token with 401, the login
    creates a new session and the client sends the request once more: a request that is rejected
    with 401 was not executed. Of several threads, one signs in, and the others wait for it. A body
    that cannot be sent again, such as a pipe, is not: its call raises the 401, and the next call
    signs in.

    If the password is wrong, calls raise the failure of ``createSession``. Password and token
    appear in no log, message or representation.

    Args:
        client: Client of a `talon_one.ManagementApi`. Its settings must hold no other credential
            for that API.
        email: Email address of the user.
        password: Password of the user.
        token: Token of an earlier session to begin with, such as one that another process shares.
        on_token: Called with each new token, to share it. What it raises is logged.

    Raises:
        ApiTypeError: *client* is no blocking client, or an argument is not of its type.
        ConfigurationError: The client has another credential that would be used instead.
    """

    def renewed(self, rejected: str, remaining: float | None) -> str:
        """Return a value of ``Authorization`` in place of a rejected one; clients call it.

        Makes one call (operation ``createSession``), or waits for that of another thread.

        Raises:
            ApiException: The user cannot sign in.
        """
        try:
            return self._flights.run(
                KEY, lambda: self._sign_in(rejected, remaining), lambda: remaining
            )
        except WaitedTooLongError:
            raise self._timed_out() from None

    def sign_in(self) -> None:
        """Create a session now, unless there is one. Calls do so when they need it.

        Makes one call (operation ``createSession``) if there is none.

        Raises:
            ApiException: The user cannot sign in.
        """
        if not self.signed_in:
            self.renewed(NO_TOKEN_YET, None)

    def sign_out(self) -> None:
        """End the session, if there is one. Makes one call then (operation ``destroySession``).

        Raises:
            ApiException: The session could not be ended, and stays valid. One that had ended is no
                failure.
        """
        if not self.signed_in:
            return
        with suppress(UnauthorizedException):
            self._client.call(*self._sign_out_arguments())
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc_info: object) -> None:
        try:
            self.sign_out()
        except ApiException:
            if kind is None:  # Otherwise it would hide what went wrong in the block.
                raise

    def _sign_in(self, rejected: str, remaining: float | None) -> str:
        return self._replaced(rejected) or self._accept(
            self._client.call(*self._sign_in_arguments(remaining))
        )
