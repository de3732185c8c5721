"""Hook for PyInstaller: what is loaded by name, which no import statement shows."""

from __future__ import annotations

from importlib.util import find_spec

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

# Imported by name where an application has it, as only an import of its own would show.
_TRACING = ("opentelemetry.trace", "opentelemetry.propagate")

# Their users import them, and from there on import statements lead to all of their modules.
_LEFT_OUT = {
    f"talon_one.{name}"
    for name in ("__main__", "_pyinstaller", "cli", "sandbox", "spark", "testing")
}
if find_spec("aiohttp") is None:
    _LEFT_OUT.add("talon_one.aio")


def _wanted(name: str) -> bool:
    return ".".join(name.split(".")[:2]) not in _LEFT_OUT


hiddenimports = collect_submodules("talon_one", filter=_wanted)
if find_spec("opentelemetry") is not None:
    hiddenimports += _TRACING

# The seeds and the page of the sandbox, for programs that import it.
datas = collect_data_files("talon_one", includes=["sandbox/seeds/*.yaml", "sandbox/page/static/*"])
