"""What ``python -m codegen`` writes into texts that are written by hand: counts, and a table.

A number that a text mentions has a comment behind it, which names what it counts::

    They describe 254<!-- operations --> operations.

A table stands between two comments::

    <!-- table of extension keys -->
    <!-- end of table -->
"""

from __future__ import annotations

import re
from pathlib import Path

from codegen import ir
from codegen.checks import refuse_unknown
from codegen.keys import KEYS
from codegen.loader import SpecError
from codegen.places import Place
from codegen.render import Files

_COUNT = re.compile(r"(?P<number>[\d,]+)<!-- (?P<name>[a-z ]+) -->")
_TABLE = re.compile(
    r"(?P<begin><!-- table of (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end of table -->)", re.S
)
_FOLDERS = {".": "*.md", "spec": "*.md", "docs": "**/*.md"}
"""The folders with texts, each with the pattern of their names."""


def filled_texts(root: Path, sdk: ir.Sdk, generated: Files) -> Files:
    """Return the texts that mention counts or hold tables, with those of this SDK.

    Args:
        root: Folder of the project.
        sdk: What is counted.
        generated: Files that no hand writes.

    Raises:
        SpecError: A text names a count or table that there is not.
    """
    counts, tables = _counts(sdk), {"extension keys": _extension_keys()}
    found: Files = {}
    for folder, pattern in _FOLDERS.items():
        for path in sorted((root / folder).glob(pattern)):
            name = path.relative_to(root).as_posix()
            if name not in generated:
                text = path.read_text(encoding="utf-8")
                if _COUNT.search(text) or _TABLE.search(text):
                    found[name] = _filled(name, text, counts, tables)
    return found


def _filled(file: str, text: str, counts: dict[str, int], tables: dict[str, str]) -> str:
    def known(found: re.Match[str], names: dict[str, int] | dict[str, str]) -> str:
        try:
            refuse_unknown([found["name"]], names)
        except SpecError as cause:
            line = found.string.count("\n", 0, found.start()) + 1
            raise SpecError(cause.message, Place(file, line)) from cause
        return found["name"]

    text = _COUNT.sub(lambda each: f"{counts[known(each, counts)]:,}<!-- {each['name']} -->", text)
    return _TABLE.sub(
        lambda each: f"{each['begin']}{tables[known(each, tables)]}{each['end']}", text
    )


def _counts(sdk: ir.Sdk) -> dict[str, int]:
    operations = [each for api in sdk.apis for each in api.operations]
    return {
        "operations": len(operations),
        **{
            f"{api.module.removesuffix('_api')} operations": len(api.operations) for api in sdk.apis
        },
        "legacy operations": sum(each.legacy for each in operations),
        "schemas": len(sdk.schemas),
        "properties": sum(len(each.properties) for each in sdk.models),
    }


def _extension_keys() -> str:
    rows = (f"| `{each.name}` | {', '.join(each.of)} | {each.meaning} |" for each in KEYS.values())
    return "".join(f"{row}\n" for row in ("| Key | Of | Meaning |", "| --- | --- | --- |", *rows))
