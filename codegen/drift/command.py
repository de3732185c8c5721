"""``python -m codegen drift OLD NEW``: what a release changes, and what to do about it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from codegen.drift.compatibility import load_acknowledgments
from codegen.drift.corrections import Correction, check_corrections, load_corrections
from codegen.drift.documents import Document, read
from codegen.drift.drafts import draft
from codegen.drift.normal_form import normal_form
from codegen.drift.plans import write
from codegen.drift.report import as_changelog, as_json, as_plan, as_text
from codegen.drift.shapes import NormalForm
from codegen.drift.standing import Drift, assess
from codegen.loader import SpecError, load

EPILOG = (
    "Exit status: 0 nothing to do, 1 something is lacking, in conflict, or not acknowledged,"
    " 2 a file cannot be used."
)


def add_arguments(parser: argparse.ArgumentParser, spec: Path) -> None:
    """Add what the command takes."""
    parser.epilog = EPILOG
    parser.add_argument("old", type=Path, metavar="OLD", help="OpenAPI file of the last release")
    parser.add_argument("new", type=Path, metavar="NEW", help="OpenAPI file of the new release")
    parser.add_argument("--spec", type=Path, default=spec, help="our description (default: spec/)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--changelog", action="store_true", help="print lines for CHANGELOG.md")
    parser.add_argument(
        "--acknowledge",
        type=Path,
        metavar="FILE",
        help="YAML list of places and reasons: what breaks users, and is accepted",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="draft what spec/ lacks, with empty descriptions",
    )
    parser.add_argument(
        "--domain",
        metavar="NAME",
        help="where --write puts what nothing in spec/ mentions (default: common)",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    try:
        drift, corrections = _drift(options)
        plan = None
        if options.write:
            plan = draft(drift, options.spec, corrections, options.domain)
            write(plan)
    except SpecError as cause:
        for mistake in cause.mistakes:
            print(f"drift: {mistake}", file=sys.stderr)
        return 2
    except OSError as cause:
        print(f"drift: nothing is written: {cause}", file=sys.stderr)
        return 2
    if options.json:
        print(as_json(drift), end="")
    elif options.changelog:
        print(as_changelog(drift), end="")
    elif plan is not None:
        print(as_plan(plan), end="")
    else:
        print(as_text(drift), end="")
    return 0 if drift.is_done else 1


def _drift(options: argparse.Namespace) -> tuple[Drift, list[Correction]]:
    acknowledgments = load_acknowledgments(options.acknowledge) if options.acknowledge else []
    old, new = (normal_form(read(path)) for path in (options.old, options.new))
    spec, corrections = check_spec(options.spec, load(options.spec))
    return assess(old, new, spec, corrections, acknowledgments), corrections


def check_spec(folder: Path, document: dict[str, Any]) -> tuple[NormalForm, list[Correction]]:
    """Return the normal form of our description, which the loader has merged, and its corrections.

    Raises:
        SpecError: A correction is not what the description says.
    """
    corrections = load_corrections(folder)
    spec = normal_form(Document("spec", document))
    check_corrections(corrections, spec)
    return spec, corrections
