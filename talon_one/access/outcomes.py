"""What came of the same call to several Applications: a result or a failure for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from talon_one.exceptions import ApiException, OpenApiException

K = TypeVar("K")
R = TypeVar("R")


class SomeFailedError(OpenApiException):
    """Calls to some Applications failed. The first failure is chained as the cause.

    Attributes:
        failures: The exceptions, by the key of their Application.
    """

    def __init__(self, failures: Mapping[Any, ApiException]) -> None:
        self.failures: dict[Any, ApiException] = dict(failures)
        listed = "; ".join(f"{key}: {failure}" for key, failure in self.failures.items())
        super().__init__(f"calls to {len(self.failures)} Applications failed: {listed}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,)


class Outcome(NamedTuple, Generic[R]):
    """What came of one call."""

    result: R | None
    """What it returned; None if it failed."""
    failure: ApiException | None
    """What it raised; None if it succeeded."""


class Outcomes(Mapping[K, Outcome[R]]):
    """What came of a call to each Application, by its key, in the order of the Applications."""

    def __init__(self, outcomes: Mapping[K, Outcome[R]]) -> None:
        self._outcomes = dict(outcomes)

    def __getitem__(self, key: K) -> Outcome[R]:
        return self._outcomes[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    def __repr__(self) -> str:
        return f"<Outcomes {len(self.results)} results, {len(self.failures)} failures>"

    @property
    def results(self) -> dict[K, Any]:
        """What the calls that succeeded returned, by key."""
        return {key: each.result for key, each in self.items() if each.failure is None}

    @property
    def failures(self) -> dict[K, ApiException]:
        """What the calls that failed raised, by key."""
        return {key: each.failure for key, each in self.items() if each.failure is not None}

    def raise_for_failures(self) -> None:
        """Raise the failures, if there are any.

        Raises:
            SomeFailedError: At least one call failed.
        """
        failures = self.failures
        if failures:
            raise SomeFailedError(failures) from next(iter(failures.values()))
