"""Encodings of tables: what a response declares, unless the first bytes of the file know better."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

# Longer marks first: that of UTF-32 begins with one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Encodings that leave the order of their bytes to a mark.
_WITHOUT_ORDER = ("utf-16", "utf-32")
# Encodings of Python that cannot hold every text, or decode to halves of characters.
_NOT_FOR_FILES = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"})


def declared_encoding(headers: Mapping[str, str]) -> str:
    """Return the encoding that a response declares, if it can be read; UTF-8 otherwise."""
    _, _, parameters = headers.get("Content-Type", "").lower().partition("charset=")
    name = parameters.partition(";")[0].strip(" \"'")
    try:
        # Unlike `codecs.lookup`, this refuses codecs that do not encode text.
        "".encode(name)
        return "utf-8" if codecs.lookup(name).name in _NOT_FOR_FILES else name
    except (LookupError, ValueError):
        return "utf-8"


class TableDecoder:
    """Decodes a table from chunks. A byte order mark decides its encoding, and is skipped.

    Args:
        encoding: Encoding of a table without a mark.
        errors: How to decode bytes that are invalid in it, as in `codecs`.
    """

    def __init__(self, encoding: str, errors: str) -> None:
        self._encoding = codecs.lookup(encoding).name
        self._errors = errors
        self._start = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def decode(self, data: bytes, final: bool = False) -> str:
        """Return the text of the next bytes."""
        if self._decoder is None:
            self._start += data
            if len(self._start) < max(map(len, _MARKS)) and not final:
                return ""
            data = self._begin()
        assert self._decoder is not None  # noqa: S101  for type checkers
        return self._decoder.decode(data, final)

    def _begin(self) -> bytes:
        """Choose the decoder by the first bytes; return them without the mark."""
        start, self._start = self._start, b""
        mark = next(filter(start.startswith, _MARKS), b"")
        name = _MARKS.get(mark, self._encoding)
        if name in _WITHOUT_ORDER:
            # The names of columns begin with a letter of ASCII.
            name += "-be" if start.startswith(b"\0") else "-le"
        self._decoder = codecs.getincrementaldecoder(name)(self._errors)
        return start[len(mark) :]
