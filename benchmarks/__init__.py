"""Benchmarks: what the package costs, as ratios to named yardsticks (``python -m benchmarks``)."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Working directory of the programs of this package."""
