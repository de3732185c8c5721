"""Detect an installation that is mixed with a vendor's package; loaded when an import fails."""

from __future__ import annotations

from csv import reader
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec

OURS = "talon_one"
VENDORS = ("talon-one-sdk", "talon-one-python-sdk")
"""Further distributions of the vendor that are imported as `talon_one`."""

ADVICE = f"run `pip uninstall {OURS} {' '.join(VENDORS)}`, and install this package anew"

# Files of all these distributions: the last one installed has written them.
_SHARED = ("__init__", "api_client", "configuration", "exceptions", "rest", "models.__init__")


def mixed_with() -> str | None:
    """Return a sentence that names the mixed packages; ``None`` if there are none."""
    found = [f"{name} {each.version}" for name in VENDORS if (each := _installed(name)) is not None]
    if found:
        return f"{OURS} shares its folder with {' and '.join(found)}: {ADVICE}"
    if _is_overwritten():
        return f"another package has overwritten, or removed, files of {OURS}: {ADVICE}"
    return None


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _is_overwritten() -> bool:
    """Return whether shared files differ from those installed with this package."""
    ours = _installed(OURS)
    spec = find_spec(OURS)
    if ours is None or spec is None or spec.origin is None:
        return False
    paths = {f"{OURS}/{name.replace('.', '/')}.py" for name in _SHARED}
    # Read from RECORD, because `Distribution.files` leaves out missing files.
    for path, written, _ in reader((ours.read_text("RECORD") or "").splitlines()):
        if path not in paths:
            continue
        try:
            with open(str(ours.locate_file(path)), "rb") as file:
                content = file.read()
        except OSError:
            return True
        mode, _, digest = written.partition("=")
        if digest and digest != _digest(content, mode):
            return True
    return False


def _digest(content: bytes, mode: str) -> str:
    import hashlib
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(hashlib.new(mode, content).digest()).decode().rstrip("=")
