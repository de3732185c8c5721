"""What is in the sandbox of a test: the mark of the test, then the settings of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from talon_one._utils.suggest import did_you_mean

RANDOM_SEED: Final = 1
"""Each test makes the same codes, so that its failures can be repeated."""

_KNOWN: Final = ("seed", "clock", "random_seed", "latency")


def settings_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the arguments of the sandbox for a test.

    Those of the nearest mark come first. A seed in a file is looked up beside the module of the
    test, and then in the folder of the settings of the run.
    """
    settings: dict[str, Any] = {}
    for mark in request.node.iter_markers("talon_sandbox"):
        if mark.args:
            example = "talon_sandbox(seed='shop.yaml')"
            raise failure(f"the mark talon_sandbox takes keywords, such as {example}")
        for name in mark.kwargs:
            if name not in _KNOWN:
                hint = did_you_mean(name, _KNOWN) or f" It takes {', '.join(_KNOWN)}."
                raise failure(f"the mark talon_sandbox has no setting {name!r}.{hint}")
        settings = {**mark.kwargs, **settings}
    if "seed" in settings:
        settings["seed"] = _found(settings["seed"], request.path.parent, _root(request.config))
    return {"random_seed": RANDOM_SEED, **_of_run(request.config), **settings}


def check(config: pytest.Config) -> None:
    """Raise an error that ends the run if its settings are wrong.

    Raises:
        pytest.UsageError: With the place of each mistake of the seed.
    """
    try:
        from talon_one.sandbox.seeds.ready import first_seed
        from talon_one.sandbox.world import Clock

        settings = _of_run(config)
        first_seed(settings["seed"])
    except ModuleNotFoundError:
        # The tests that need what is missing say so.
        return
    except ValueError as cause:
        raise pytest.UsageError(f"talon_sandbox_seed: {cause}") from cause
    try:
        Clock(settings.get("clock"))
    except ValueError as cause:
        raise pytest.UsageError(f"talon_sandbox_clock: {cause}") from cause


def failure(message: str) -> BaseException:
    """Return what fails a test with a message alone: a traceback would lead into this package."""
    return pytest.fail.Exception(message, pytrace=False)


def _of_run(config: pytest.Config) -> dict[str, Any]:
    clock: str = config.getini("talon_sandbox_clock")
    seed = _found(config.getini("talon_sandbox_seed"), _root(config))
    return {"seed": seed, **({"clock": clock} if clock else {})}


def _root(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath else config.rootpath


def _found(seed: Any, *folders: Path) -> Any:
    """Return the path of a seed that is a file in one of the folders; any other as it is."""
    from talon_one.sandbox.seeds.ready import READY

    if not isinstance(seed, (str, Path)) or seed in READY:
        return seed
    places = [folder / seed for folder in folders]
    return str(next((place for place in places if place.is_file()), places[-1]))
