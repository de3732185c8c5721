"""What this package costs, as ratios to named yardsticks: ``python -m benchmarks``."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Folder in which the programs of this package are started."""
