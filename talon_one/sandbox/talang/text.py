"""Functions of texts: search, regular expressions, names and concatenation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from talon_one.sandbox.talang.declarations import Declaration, Function, Overload
from talon_one.sandbox.talang.errors import TalangError
from talon_one.sandbox.talang.regex import compile_pattern
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.values import ATOM, BOOLEAN, STRING, text_of

# Catching refused patterns in a loop costs time too.
_PRICE_OF_REFUSAL: Final = 1000


def _concatenate(run: Run, *texts: str) -> str:
    run.make_text(sum(map(len, texts)))
    return "".join(texts)


CONCATENATION: Final = Overload((STRING, STRING), _concatenate, STRING, rest=STRING)


def _for_all(holds: Callable[[str, str], bool]) -> Function:
    """Return a function of a text and needles that must all satisfy a condition."""

    def call(run: Run, text: str, *needles: str) -> bool:
        for needle in needles:
            run.read_text(text, needle)
            if not holds(text, needle):
                return False
        return True

    return Function(Overload((STRING, STRING), call, BOOLEAN, rest=STRING))


def _matches(run: Run, pattern: str, *texts: str) -> bool:
    try:
        compiled = compile_pattern(pattern)
    except TalangError:
        run.spend(_PRICE_OF_REFUSAL)
        raise
    run.spend(compiled.size)
    return all(compiled.search(text, run.spend) for text in texts)


def _check_pattern(parts: Sequence[Expression]) -> int:
    if not parts[0].literal:
        return 0
    try:
        return compile_pattern(parts[0].source).size >> 4
    except TalangError as error:
        error.path = parts[0].path
        raise


def _first_name(run: Run, name: str) -> str:
    run.read_text(name)
    words = name.split(None, 1)
    return words[0] if words else ""


def _last_name(run: Run, name: str) -> str:
    run.read_text(name)
    words = name.rsplit(None, 1)
    return words[-1] if words else ""


def _to_string(run: Run, value: Any) -> str:
    return text_of(value)


FUNCTIONS: Final[dict[str, Declaration]] = {
    "concat": Function(CONCATENATION),
    "contains": _for_all(lambda text, needle: needle in text),
    "notcontains": _for_all(lambda text, needle: needle not in text),
    "startswith": _for_all(lambda text, affix: text.startswith(affix)),
    "endswith": _for_all(lambda text, affix: text.endswith(affix)),
    "~": Function(Overload((STRING, STRING), _matches, BOOLEAN, rest=STRING, check=_check_pattern)),
    "firstname": Function(Overload((STRING,), _first_name, STRING)),
    "lastname": Function(Overload((STRING,), _last_name, STRING)),
    "tostring": Function(Overload((ATOM,), _to_string, STRING)),
}
