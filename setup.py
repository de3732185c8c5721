"""Fill in the description for package indexes; everything else is said in pyproject.toml."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from setuptools import setup

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_ROOT = Path(__file__).parent
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def for_an_index(readme: str, source: str | None) -> str:
    """Return a README whose links work away from the repository.

    Args:
        readme: Markdown with links relative to the root of the repository.
        source: Address of the repository at the released version, which the links then lead into.
            Without one, a link becomes the text that it shows.
    """

    def absolute(link: re.Match[str]) -> str:
        mark, text, target = link.groups()
        return f"{mark}[{text}]({source}/{target})" if source else text

    return _LINK.sub(absolute, readme)


def _source() -> str | None:
    """Return the address of the files of this version, if pyproject.toml names a repository."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project.get("urls", {}).get("Source")
    init = (_ROOT / "talon_one" / "__init__.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'^__version__ = "(.+)"$', init, re.MULTILINE)
    return f"{repository}/blob/v{version}" if repository else None


if __name__ == "__main__":
    setup(
        long_description=for_an_index((_ROOT / "README.md").read_text(encoding="utf-8"), _source()),
        long_description_content_type="text/markdown",
    )
