"""A file that is no usable OpenAPI document is refused in one line, with the place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codegen.drift import documents
from codegen.drift.documents import read
from codegen.loader import SpecError
from support.releases import RELEASE, release

HEAD = "openapi: 3.0.3\ninfo: {title: A, version: '1'}\npaths: {}\n"


def _laughs(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines)


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "an empty file": ("", "no OpenAPI document, which is a mapping"),
    "a list": ("- openapi\n- paths\n", "no OpenAPI document, which is a mapping"),
    "a text": ("Dear reader", "no OpenAPI document, which is a mapping"),
    "a web page": ("<html><body>404</body></html>", "no OpenAPI document, which is a map"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: not UTF-8, so it is no YAML or JSON"),
    "zeros": (b"openapi: 3\n\x00\x00", "line 2: control characters are not allowed"),
    "something else": ("a: 1\n", "line 1: no OpenAPI document, which has the key 'openapi'"),
    "Swagger": ("\nswagger: '2.0'\npaths: {}\n", "line 2: Swagger 2.0, not OpenAPI 3.0 or 3.1"),
    "a later OpenAPI": ("openapi: 4.0.0\npaths: {}\n", "line 1: OpenAPI 4.0.0, not 3.0 or 3.1"),
    "no paths": ("openapi: 3.0.3\n", "line 1: has neither paths nor components"),
    "a tab": ("openapi: 3.0.3\n\tpaths: {}\n", "line 2: found "),
    "an open bracket": (HEAD + "tags: [a, b\n", "line 5: did not find expected ',' or ']'"),
    "bad JSON": ('{"openapi": "3.0.3",\n"paths": {}', "line 3: did not find expected ',' or '}'"),
    "two documents": (HEAD + "---\na: 1\n", "line 4: a second YAML document begins here"),
    "duplicate keys": (HEAD + "tags: []\ninfo: {}\n", "line 5: info is defined twice"),
    "duplicate keys inside": (HEAD + "x: {a: 1,\n b: 2, a: 3}\n", "line 5: a is defined twice"),
    "duplicate keys in JSON": (
        '{"openapi": "3.0.3", "paths": {},\n "paths": {}}',
        "line 2: paths is defined twice",
    ),
    "a key that is a list": (HEAD + "? [a]\n: b\n", "line 4: a key that is no text"),
    "billion laughs": (HEAD + _laughs(9), "line 9: aliases stand for more than 1,000,000 nodes"),
    "an alias to itself": (HEAD + "a: &a [*a]\n", "line 4: the alias *a leads nowhere, or to"),
    "an unknown alias": (HEAD + "a: *b\n", "line 4: the alias *b leads nowhere, or to itself"),
    "deep nesting": (
        HEAD + f"a: {'[' * 200}{']' * 200}\n",
        "line 4: nested more than 100 levels deep",
    ),
    "a dangling reference": (
        HEAD + "components:\n  schemas:\n    A:\n      $ref: '#/components/schemas/B'\n",
        "line 7: #/components/schemas/B leads nowhere",
    ),
    "an external reference": (
        HEAD + "components:\n  schemas:\n    A: {$ref: 'other.yaml#/A'}\n",
        "line 6: other.yaml#/A leads out of the document; bundle it first",
    ),
    "references in a circle": (
        HEAD
        + "components:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n"
        + "    B:\n      $ref: '#/components/schemas/A'\n",
        "leads only to itself",
    ),
    "a merge of no mapping": (HEAD + "a: &a 1\nb: {<<: *a}\n", "line 5: << takes mappings"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_file_is_refused_in_one_line_with_the_place(case: str, tmp_path: Path) -> None:
    content, message = REFUSED[case]
    path = tmp_path / "new.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SpecError) as caught:
        read(path)
    message_line = str(caught.value)
    assert message_line.startswith("new.yaml")
    assert message in message_line
    assert "\n" not in message_line


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"missing\.yaml: No such file or directory"):
        read(tmp_path / "missing.yaml")
    with pytest.raises(SpecError, match=r"Is a directory|Permission denied"):
        read(tmp_path)


def test_a_file_above_the_limit_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LIMIT_BYTES", 2**20)
    path = tmp_path / "new.yaml"
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(SpecError, match=r"^new\.yaml: larger than 1 MB$"):
        read(path)


def test_a_legal_recursive_schema_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(
        HEAD
        + "components:\n  schemas:\n    Tree:\n      type: object\n      properties:\n"
        + "        children: {type: array, items: {$ref: '#/components/schemas/Tree'}}\n"
    )
    assert read(path).root["info"]["version"] == "1"


def test_a_reference_in_an_example_is_no_reference(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(HEAD + "components: {schemas: {A: {example: {$ref: nowhere}}}}\n")
    assert read(path).root["paths"] == {}


def test_a_reference_may_be_escaped(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(
        HEAD + "components:\n  schemas:\n    A/b c~: {type: string}\n"
        "    B: {$ref: '#/components/schemas/A~1b%20c~0'}\n"
    )
    document = read(path)
    node = document.root["components"]["schemas"]["B"]
    assert document.target(node)[1] == {"type": "string"}


def test_json_and_yaml_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RELEASE)
    for name, indent, ascii in (("a.json", None, True), ("b.json", 4, False)):
        content = {**release(), "x-text": 'ж 😀 "\\ud83d" \\'}
        (tmp_path / name).write_text(
            json.dumps(content, indent=indent, ensure_ascii=ascii), encoding="utf-8"
        )
        found = dict(read(tmp_path / name).root)
        assert found.pop("x-text") == content["x-text"]
        assert found == read(tmp_path / "a.yaml").root == release()


def test_scalars_are_those_of_yaml_12(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        HEAD + "x: [yes, no, on, 2020-01-01, 1_000, 012, 1.5, 1e3, -1, true, ~, '1', 0x1, 1:30]\n"
    )
    expected: list[Any] = ["yes", "no", "on", "2020-01-01", "1_000", 12, 1.5, 1000.0, -1]
    assert read(path).root["x"] == [*expected, True, None, "1", "0x1", "1:30"]


def test_keys_that_look_like_numbers_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + "x: {200: a, true: b}\n")
    assert read(path).root["x"] == {"200": "a", "true": "b"}


def test_aliases_and_merged_mappings_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(HEAD + "x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x}\nz: *x\n")
    root = read(path).root
    assert (root["y"], root["z"]) == ({"b": 3, "a": 1}, {"a": 1, "b": 2})


MEASURE = r"""
import re, sys
from pathlib import Path
from codegen.drift.compare import compare
from codegen.drift.documents import read
from codegen.drift.normal_form import normal_form
form = normal_form(read(Path(sys.argv[1])))
assert compare(form, form) == []
# Unlike getrusage, this does not count what the parent had before the program was loaded.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]
print(len(form.schemas), int(peak) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says the peak of a program")
def test_five_megabytes_take_bounded_memory(tmp_path: Path) -> None:
    lines = [HEAD, "components:\n  schemas:\n"]
    schema = (
        "    Schema{0}:\n      type: object\n      properties:\n"
        + "".join(
            f"        property{number}:\n          description: Text {number} of Schema{{0}}.\n"
            "          type: string\n          maxLength: 100\n"
            for number in range(20)
        )
        + "        next: {{$ref: '#/components/schemas/Schema{0}'}}\n"
    )
    size, count = 0, 0
    while size < 5 * 2**20:
        lines.append(schema.format(count))
        size += len(lines[-1])
        count += 1
    path = tmp_path / "large.yaml"
    path.write_text("".join(lines))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    schemas, megabytes = map(int, done.stdout.split())
    assert schemas == count
    # Measured: 80 MB; 20 MB of the same take 303 MB, and 11 seconds.
    assert megabytes < 200
