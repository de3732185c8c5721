"""Conversion methods of the vendor's ``ApiClient``: objects to JSON and back, headers, files."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any, TypeVar, overload

from talon_one._core.request import JSON_TYPE
from talon_one._core.response import RawResponse, decode, text
from talon_one._schema import json_codec
from talon_one._schema.access import data_of, wrap
from talon_one._schema.conversion import convert, model_class
from talon_one._schema.model import Model
from talon_one._utils.guard import guarded
from talon_one.exceptions import ApiTypeError, ApiValueError

if TYPE_CHECKING:
    from talon_one.configuration import Configuration

M = TypeVar("M", bound=Model)


class Conversion:
    """What a client converts for code that was written for the vendor's packages."""

    configuration: Configuration

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """Return *obj* as plain data, ready to be written as JSON."""
        with guarded("the value"):
            return json_codec.plain(obj)

    def deserialize(
        self, response_text: Any, response_type: Any, content_type: str | None = None
    ) -> Any:
        """Return JSON text as the type that a type string names.

        Args:
            response_text: JSON text, or an object whose ``data`` holds it.
            response_type: Type string such as ``list[Coupon]``, or the type itself.
            content_type: Content type of the text; ``text/...`` and CSV stay text.

        Raises:
            ApiValueError: The text is not JSON.
        """
        with guarded("the text, or the type,"):
            return self._deserialized(response_text, response_type, content_type)

    def _deserialized(self, response_text: Any, response_type: Any, content_type: Any) -> Any:
        source = getattr(response_text, "data", response_text)
        headers = getattr(response_text, "headers", None) or {}
        raw = source if isinstance(source, bytes) else str(source).encode("utf-8", "surrogatepass")
        received = RawResponse(200, None, headers, raw)
        if response_type == "file":
            return self._saved(received)
        kind = (content_type or "").partition(";")[0].strip().lower()
        if kind.startswith("text/") or kind.endswith("/csv"):
            return text(received)
        try:
            data = decode(received)
        except ValueError as cause:
            if response_type in ("str", "object", str, object) and content_type is None:
                return text(received)
            raise ApiValueError(f"not JSON: {cause}") from cause
        return convert(data, response_type)

    @overload
    def deserialize_model(self, data: Any, klass: type[M]) -> M: ...

    @overload
    def deserialize_model(self, data: Any, klass: str) -> Any: ...

    def deserialize_model(self, data: Any, klass: type[M] | str) -> Any:
        """Return *data* as an object of a model class, such as the `props` of an effect.

        Args:
            data: A dict of wire names, or an object that is typed already.
            klass: The class, or its name.
        """
        with guarded("the data, or the class,"):
            return self._as_model(data, klass)

    def _as_model(self, data: Any, klass: Any) -> Any:
        cls: Any = model_class(klass) if isinstance(klass, str) else klass
        if not (isinstance(cls, type) and issubclass(cls, Model)):
            raise ApiTypeError(
                f"{klass if isinstance(klass, str) else type(klass).__name__!r} is no model class"
            )
        if isinstance(data, cls) or data is None:
            return data
        if isinstance(data, Model):
            return wrap(cls, data_of(data))
        return wrap(cls, data) if isinstance(data, dict) else cls.from_dict(data)

    def select_header_accept(self, accepts: list[str] | None) -> str | None:
        """Return the value of ``Accept`` for these content types: JSON alone if it is one."""
        accepts = _types(accepts)
        if not accepts:
            return None
        json_types = [each for each in accepts if "json" in each.lower()]
        return json_types[0] if json_types else ", ".join(accepts)

    def select_header_content_type(self, content_types: list[str] | None, *_: Any) -> str | None:
        """Return the content type to send: JSON if it is one of these, else the first."""
        content_types = _types(content_types)
        if not content_types:
            return JSON_TYPE
        json_types = [each for each in content_types if "json" in each.lower()]
        return json_types[0] if json_types else content_types[0]

    def _saved(self, received: RawResponse) -> str:
        """Write a response to a file of its own in the temporary folder and return its path."""
        disposition = received.headers.get("Content-Disposition", "")
        name = os.path.basename(
            disposition.partition("filename=")[2].partition(";")[0].strip("\"' ")
        )
        folder = tempfile.mkdtemp(dir=self.configuration.temp_folder_path)
        path = os.path.join(folder, name or "response")
        with open(path, "wb") as file:
            file.write(received.data)
        return path


def _types(given: Any) -> list[str]:
    """Return content types as a list of texts."""
    with guarded("the list of content types"):
        found = list(given or ())
        if isinstance(given, str) or not all(type(each) is str for each in found):
            raise ApiTypeError("content types are a list of texts, such as ['application/json']")
        return found
