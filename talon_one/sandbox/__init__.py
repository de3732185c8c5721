"""A local Talon.One for tests and quickstarts: real HTTP, real rules, real state, no account.

```python
from talon_one.sandbox import Sandbox

with Sandbox() as sandbox:
    print(sandbox.url, sandbox.api_key)
```

It needs aiohttp and PyYAML, which `pip install "talon_one[sandbox]"` installs. The names are
resolved on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from talon_one.sandbox.runner import Sandbox as Sandbox
    from talon_one.sandbox.seeds.errors import SeedError as SeedError
    from talon_one.sandbox.state.opening import DatabaseError as DatabaseError

__all__ = ["DatabaseError", "Sandbox", "SeedError"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "DatabaseError":
        from talon_one.sandbox.state.opening import DatabaseError

        return DatabaseError
    if name == "SeedError":
        from talon_one.sandbox.seeds.errors import SeedError

        return SeedError
    try:
        from talon_one.sandbox.runner import Sandbox
    except ModuleNotFoundError as cause:
        # The caller can only install aiohttp; any other missing module is our fault.
        if cause.name is None or cause.name.partition(".")[0] != "aiohttp":
            raise
        raise ModuleNotFoundError(
            'The sandbox needs aiohttp: pip install "talon_one[sandbox]"', name=cause.name
        ) from None
    return Sandbox


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
