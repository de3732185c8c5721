"""UnreadableRow: what a reader of files passes on for a line that is no row."""

from __future__ import annotations


class UnreadableRow:
    """A line that could not be read as a row. It fails, and the rows around it are sent.

    ::

        def rows():
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError as cause:
                    yield bulk.UnreadableRow(line, f"line {number}: {cause}")

    Args:
        text: The line, which failures have as `Failure.row_repr`; of bytes, those that are not
            UTF-8 are escaped.
        reason: What is wrong with it: the reason of the failure.
    """

    __slots__ = ("reason", "text")

    text: str
    reason: str

    def __init__(self, text: str | bytes, reason: str) -> None:
        self.text = text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
        self.reason = reason

    def __repr__(self) -> str:
        return self.text
