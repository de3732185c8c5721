"""Talang, the rule language of the platform.

```python
from talon_one.sandbox.talang import compile_program

condition = compile_program([">=", [".", "Session", "Total"], 50])
condition.evaluate({"Session": {"Total": 60}})  # True
```

Programs are pure: they read their bindings and nothing else, and each evaluation has a
budget. Functions from outside are declared as `Function` (eager), `Lazy` or `Macro`; they
receive lists and maps as they are bound, and `admit` converts an element of one.
"""

from __future__ import annotations

from talon_one.sandbox.talang.blocks import Block, split_block
from talon_one.sandbox.talang.compiler import Call, Read
from talon_one.sandbox.talang.declarations import (
    Compiler,
    Declaration,
    Function,
    Lazy,
    Macro,
    Overload,
    expect,
)
from talon_one.sandbox.talang.errors import TalangError, TalangLimitError
from talon_one.sandbox.talang.program import Program, compile_program, evaluate
from talon_one.sandbox.talang.run import Expression, Run
from talon_one.sandbox.talang.values import (
    ANY,
    ATOM,
    BOOLEAN,
    DECIMAL,
    LIST,
    MAP,
    NULL,
    OTHER,
    STRING,
    TIME,
    Kind,
    admit,
    kind_of,
    to_json,
)

__all__ = [
    "ANY",
    "ATOM",
    "BOOLEAN",
    "DECIMAL",
    "LIST",
    "MAP",
    "NULL",
    "OTHER",
    "STRING",
    "TIME",
    "Block",
    "Call",
    "Compiler",
    "Declaration",
    "Expression",
    "Function",
    "Kind",
    "Lazy",
    "Macro",
    "Overload",
    "Program",
    "Read",
    "Run",
    "TalangError",
    "TalangLimitError",
    "admit",
    "compile_program",
    "evaluate",
    "expect",
    "kind_of",
    "split_block",
    "to_json",
]
