"""Templates: `setTemplate` defines one, `!` calls it, `#` reads its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from talon_one.sandbox.talang.declarations import Compiler, Declaration, Macro, expect
from talon_one.sandbox.talang.errors import TalangError, TalangLimitError
from talon_one.sandbox.talang.run import MAXIMUM_DEPTH, Expression, Run
from talon_one.sandbox.talang.values import ANY, KIND_NAMES, NULL, Kind, kind_of

_SIGNATURE: Final = re.compile(r"\s*([^\s()]+)\s*\(([^()]*)\)\s*(\w*)\s*")


class Template(NamedTuple):
    """A template.

    Attributes:
        parameters: The kinds of its arguments.
        returns: The kinds of its result.
        body: What it computes.
    """

    parameters: tuple[Kind, ...]
    returns: Kind
    body: Expression


Templates = Mapping[str, tuple[Template, ...]]


def compile_definition(
    compiler: Compiler, signature: Any, body: Any, path: str, body_path: str
) -> tuple[str, Template]:
    """Compile a template such as `plus(Decimal, Decimal)Decimal`, and return it with its name.

    Raises:
        TalangError: If the signature or the body is malformed.
    """
    match = _SIGNATURE.fullmatch(signature) if isinstance(signature, str) else None
    if match is None:
        raise TalangError("a template has a signature such as plus(Decimal, Decimal)Decimal", path)
    name, parameters, returns = match.groups()
    kinds: list[Kind] = []
    if parameters.strip():
        kinds = [_kind(parameter.strip(), path) for parameter in parameters.split(",")]
    wanted = _kind(returns, path) if returns else ANY
    compiled = compiler.compile_template(name, len(kinds), body, body_path)
    if not compiled.kind & wanted:
        raise TalangError(f"the template never returns {returns}", body_path)
    return name.lower(), Template(tuple(kinds), wanted, compiled)


def with_template(templates: Templates, name: str, template: Template) -> Templates:
    """Return the templates with one more, which replaces one of the same signature."""
    others = [other for other in templates.get(name, ()) if other.parameters != template.parameters]
    return {**templates, name: (*others, template)}


def _kind(name: str, path: str) -> Kind:
    kind = KIND_NAMES.get(name.lower())
    if kind is None:
        raise TalangError(f"{name!r} is not a type", path)
    return kind


def _build_definition(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    name, template = compile_definition(compiler, call[1], call[2], f"{path}/1", f"{path}/2")

    def evaluate(run: Run) -> None:
        run.spend(1 + (len(run.templates) >> 4))
        run.templates = with_template(run.templates, name, template)

    return Expression(evaluate, NULL, path, call)


def _build_call(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    name = call[1]
    if not isinstance(name, str):
        raise TalangError("a template is called by its name", f"{path}/1")
    compiler.note_template_call(name, path)
    parts = tuple(compiler.compile(call[index], f"{path}/{index}") for index in range(2, len(call)))
    nesting = compiler.nesting()
    key = name.lower()

    def evaluate(run: Run) -> Any:
        values = tuple([part.evaluate(run) for part in parts])
        template = _choose(run.templates.get(key, ()), values)
        if template is None:
            raise TalangError(f"no template {name!r} takes these arguments", path)
        body = template.body
        run.spend(body.size)
        outside = run.arguments, run.depth
        run.arguments, run.depth = values, run.depth + nesting
        if run.depth + body.depth > MAXIMUM_DEPTH:
            raise TalangLimitError(f"calls are nested more than {MAXIMUM_DEPTH} deep", path)
        result = expect(body.evaluate(run), template.returns, path)
        run.arguments, run.depth = outside
        return result

    return Expression(evaluate, ANY, path, call, parts=parts)


def _choose(templates: Sequence[Template], values: Sequence[Any]) -> Template | None:
    kinds = [kind_of(value) for value in values]
    for template in templates:
        wanted = template.parameters
        if len(wanted) == len(kinds) and all(map(int.__and__, wanted, kinds)):
            return template
    return None


def _build_argument(compiler: Compiler, call: Sequence[Any], path: str) -> Expression:
    count = compiler.parameter_count()
    if count is None:
        raise TalangError("# stands outside a template", path)
    index = call[1]
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
        raise TalangError(f"the template has {count} arguments", f"{path}/1")
    return Expression(lambda run: run.arguments[index], ANY, path, call)


FUNCTIONS: Final[dict[str, Declaration]] = {
    "settemplate": Macro(_build_definition, minimum=2, maximum=2),
    "!": Macro(_build_call, minimum=1),
    "#": Macro(_build_argument, minimum=1, maximum=1),
}
