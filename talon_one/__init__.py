"""Python SDK for the Talon.One promotion engine.

Importing this package loads nothing else: each public name is loaded when it is first used.
"""

from importlib import import_module as _import_module

__version__ = "26.17.0"

HOME = {
    "Api": "endpoint",
    "ApiAttributeError": "exceptions",
    "ApiClient": "api_client",
    "ApiException": "exceptions",
    "ApiKeyError": "exceptions",
    "ApiResponse": "api_response",
    "ApiTimeoutError": "exceptions",
    "ApiTypeError": "exceptions",
    "ApiValueError": "exceptions",
    "BadRequestException": "exceptions",
    "CallEvent": "_core.hooks",
    "Clock": "_core.clock",
    "ClientClosedError": "exceptions",
    "Configuration": "configuration",
    "ConfigurationError": "exceptions",
    "ConflictException": "exceptions",
    "ConnectTimeoutError": "exceptions",
    "Download": "_http.download",
    "ForbiddenException": "exceptions",
    "Hooks": "_core.hooks",
    "InsecureHostWarning": "_core.address",
    "IntegrationApi": "api.integration_api",
    "InvalidResponseError": "exceptions",
    "ManagementApi": "api.management_api",
    "Model": "_schema.model",
    "ModelValidationError": "exceptions",
    "NoResponseError": "exceptions",
    "NotFoundException": "exceptions",
    "NotSentError": "exceptions",
    "NULL": "_schema.json_codec",
    "OpenApiException": "exceptions",
    "ReadTimeoutError": "exceptions",
    "RawResponse": "_core.response",
    "Request": "_core.request",
    "RetryPolicy": "_core.retry",
    "ServiceException": "exceptions",
    "TelemetryHooks": "_core.telemetry",
    "Timeout": "_core.timeout",
    "TlsError": "exceptions",
    "TooManyRequestsException": "exceptions",
    "Transport": "_core.transport",
    "TransportError": "exceptions",
    "UnauthorizedException": "exceptions",
    "unchecked": "_schema.scalars",
    "UnknownPropertyWarning": "_schema.misspelled",
    "UnprocessableEntityException": "exceptions",
    "Violation": "exceptions",
}
"""Public names written by hand, with the modules that hold them; the models come on top."""

SUBMODULES = frozenset(
    {
        "aio",
        "api",
        "api_client",
        "api_response",
        "bulk",
        "checkout",
        "configuration",
        "credentials",
        "effects",
        "exceptions",
        "failures",
        "limiter",
        "models",
        "pagination",
        "resilience",
        "rest",
        "tables",
        "webhooks",
    }
)
"""Modules that are found as attributes without having been imported."""


def __getattr__(name: str) -> object:
    try:
        return _found(name)
    except (ImportError, AttributeError) as cause:
        # A missing name of this package, or a module of another package in its place.
        if isinstance(cause, AttributeError) and name not in HOME:
            raise
        from talon_one._vendor.installation import mixed_with

        mixed = mixed_with()
        if mixed is not None:
            raise ImportError(mixed) from cause
        raise


def _found(name: str) -> object:
    # Importing must not shadow modules: setattr comes last.
    if name in HOME:
        found = getattr(_import_module(f"{__name__}.{HOME[name]}"), name)
    elif name in SUBMODULES:
        return _import_module(f"{__name__}.{name}")
    elif name == "__all__":
        found = [*HOME, *_import_module(f"{__name__}.models").__all__]
    elif name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        try:
            found = getattr(_import_module(f"{__name__}.models"), name)
        except AttributeError:
            raise AttributeError(_unknown(name)) from None
        except ModuleNotFoundError as cause:
            # Before the first run of the generator there are no models. Python looks up modules in
            # this way, whose names are lower-case.
            if cause.name == f"{__name__}.models" and name.islower():
                raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
            raise
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *SUBMODULES, *__getattr__("__all__")})  # type: ignore[misc]


# Names that people look for here, with their modules. Nothing is imported for the hint, because
# Python looks up modules that are being imported in the same way.
_FURTHER_ON = {
    "AsyncReceiver": "webhooks",
    "AttemptSuperseded": "bulk",
    "Bookmark": "pagination",
    "BulkStopped": "bulk",
    "CartMapper": "checkout",
    "CellError": "tables",
    "Currency": "checkout",
    "CircuitBreaker": "resilience",
    "CircuitOpenError": "resilience",
    "EffectHandler": "effects",
    "EffectHandlingError": "effects",
    "MalformedBodyError": "webhooks",
    "PagesError": "pagination",
    "Position": "pagination",
    "Problem": "tables",
    "Receiver": "webhooks",
    "TableError": "tables",
    "UnexpectedStateError": "checkout",
    "WrongSecretError": "webhooks",
}


def _unknown(name: str) -> str:
    from talon_one._utils.suggest import did_you_mean

    home = _FURTHER_ON.get(name)
    hint = f" It is in {__name__}.{home}." if home else did_you_mean(name, __dir__())
    return f"module {__name__!r} has no attribute {name!r}.{hint}"
