"""``python -m codegen`` writes the generated files; with ``--check`` it reports what differs.

``python -m codegen drift OLD NEW`` compares two releases of the platform with ``spec/``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import talon_one
from codegen import tree
from codegen.builder import read
from codegen.docs import render_docs
from codegen.drift import command as drift
from codegen.loader import SpecError, load
from codegen.python_names import with_python_names
from codegen.render import render
from codegen.shell import render_shell
from codegen.texts import filled_texts

ROOT = Path(__file__).parent.parent


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "drift":
        return drift.run(options)
    try:
        document = load(ROOT / "spec")
        described = read(document, "talon_one")
        sdk = with_python_names(described)
        drift.check_spec(ROOT / "spec", document)
        files = tree.with_record(
            {
                **render(sdk, talon_one.HOME, talon_one.SUBMODULES),
                **render_shell(described),
                **render_docs(sdk),
            }
        )
        files.update(filled_texts(ROOT, sdk, files))
    except SpecError as cause:
        for mistake in cause.mistakes:
            print(mistake, file=sys.stderr)
        return 2
    if not options.check:
        print(tree.write(ROOT, files))
        return 0
    found = tree.differences(ROOT, files)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("run `python -m codegen` and commit what it writes", file=sys.stderr)
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name what differs")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    help = "compare two releases of the platform with spec/"
    drift.add_arguments(commands.add_parser("drift", help=help, description=help), ROOT / "spec")
    return parser


if __name__ == "__main__":
    sys.exit(main())
