"""Entry point by which PyInstaller finds the hook of this package."""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the folder with the hook; the entry point ``hook-dirs`` names this function."""
    return [str(Path(__file__).parent)]
