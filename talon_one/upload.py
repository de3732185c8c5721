"""One file to upload, given as path, bytes or open file."""

from __future__ import annotations

import os
from typing import IO, Any, Union

from talon_one.exceptions import ApiTypeError, ApiValueError

FileInput = Union[str, "os.PathLike[str]", bytes, IO[bytes], IO[str], tuple[str, Any]]
"""A path, the content itself, an open file, or a pair of file name and content."""

_DEFAULT_NAME = "upload.csv"


def multipart(wire: str, file: FileInput) -> tuple[bytes, str]:
    """Return the body of a ``multipart/form-data`` request with one file, and its content type.

    Raises:
        ApiValueError: The file cannot be read.
        ApiTypeError: *file* is nothing that can be uploaded.
    """
    from urllib3.filepost import encode_multipart_formdata

    name, content = _read(file)
    return encode_multipart_formdata({wire: (name, content, "text/csv")})


def _read(file: FileInput) -> tuple[str, bytes]:
    if isinstance(file, tuple) and len(file) == 2:
        name, content = file
        return str(name), _read(content)[1]
    if isinstance(file, (bytes, bytearray, memoryview)):
        return _DEFAULT_NAME, bytes(file)
    if isinstance(file, (str, os.PathLike)):
        try:
            with open(file, "rb") as opened:
                return os.path.basename(file), opened.read()
        except (OSError, ValueError) as cause:
            raise ApiValueError(f"cannot read the file to upload: {cause}") from cause
    if hasattr(file, "read"):
        try:
            content = file.read()
        except (OSError, ValueError) as cause:
            raise ApiValueError(f"cannot read the file to upload: {cause}") from cause
        path = getattr(file, "name", None)
        name = os.path.basename(path) if isinstance(path, str) else _DEFAULT_NAME
        return name, content.encode() if isinstance(content, str) else content
    raise ApiTypeError(
        f"a file to upload is a path, bytes or an open file, not {type(file).__name__}"
    )
