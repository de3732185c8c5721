"""The extension keys of ``spec/``: where each may stand, what it may say, and what it means."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.values import (
    BOOLEAN,
    FALSE,
    POSITIVE,
    TEXT,
    TEXT_TO_TEXT,
    TEXTS,
    TRUE,
    Nodes,
    Value,
    one_of,
)


@dataclass(frozen=True)
class Key:
    """An extension key.

    Attributes:
        name: The key.
        of: Kinds of nodes that may have it, see `codegen.grammar`.
        value: What it may say.
        meaning: What it means, in Markdown.
    """

    name: str
    of: tuple[str, ...]
    value: Value | Nodes
    meaning: str


_ALL = (
    Key(
        "x-domains",
        ("root",),
        TEXTS,
        "The files of `domains/`, in the order in which they are merged.",
    ),
    Key(
        "x-python-name",
        ("property", "parameter"),
        TEXT,
        "Python name, where the underscored wire name is ugly or reserved.",
    ),
    Key(
        "x-python-aliases",
        ("property", "parameter", "operation", "schema"),
        TEXTS,
        "Further Python names that keep working.",
    ),
    Key(
        "x-any",
        ("schema", "property"),
        TRUE,
        "Any JSON. Stands in place of `type`, so that a forgotten `type` is noticed.",
    ),
    Key(
        "x-legacy",
        ("operation", "property"),
        BOOLEAN,
        "The current document of the platform does not have it. It is still offered; a method"
        " raises a `DeprecationWarning`.",
    ),
    Key(
        "x-replaced-by",
        ("operation",),
        TEXT,
        "`operationId` of the replacement of a deprecated operation, which the warning names.",
    ),
    Key(
        "x-retired",
        ("schema",),
        TEXT_TO_TEXT,
        "[Properties of earlier releases](#retired-properties).",
    ),
    Key(
        "x-also-accepts",
        ("request body",),
        TEXTS,
        "Schemas of earlier releases that the method accepts as well.",
    ),
    Key(
        "x-idempotent",
        ("operation",),
        BOOLEAN,
        "Whether executing it twice has the same effect as executing it once, where the HTTP method"
        " says otherwise. It decides whether a failed call is retried.",
    ),
    Key(
        "x-serialised",
        ("operation",),
        TEXT_TO_TEXT,
        "The platform accepts few concurrent requests for one session or profile and rejects the"
        " others with a transient 409. The value says where a request names them:"
        " `path.integrationId`, `body.customerSession.profileId`.",
    ),
    Key(
        "x-read-timeout",
        ("operation",),
        POSITIVE,
        "Seconds to wait for the response, where the operation takes longer than others.",
    ),
    Key(
        "x-limit",
        ("operation",),
        POSITIVE,
        "How many things one request may create, where the schema of the body cannot say so because"
        " it depends on other properties.",
    ),
    Key(
        "x-pages",
        ("operation",),
        Nodes("x-pages", otherwise=FALSE),
        "[How its responses make up a list](#lists).",
    ),
    Key(
        "x-variants",
        ("schema", "property"),
        Nodes("x-variants"),
        "[The schemas that an object without properties may have](#variants).",
    ),
    Key(
        "x-notification",
        ("schema",),
        Nodes("x-notification", otherwise=BOOLEAN),
        "[Whether it is the body of a webhook](#webhooks).",
    ),
    Key(
        "x-kept",
        ("schema",),
        one_of("compatibility", "announced"),
        "[Why it is there although no operation reaches it](#schemas-that-no-operation-reaches).",
    ),
    Key(
        "x-csv",
        ("operation",),
        Nodes("x-csv"),
        "[The CSV file](#csv-files) that it returns or accepts.",
    ),
)
KEYS = {each.name: each for each in _ALL}
"""Every extension key by its name."""
