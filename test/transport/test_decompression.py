"""Limits and edges of decompression: sizes, codings, members, and what is taken as it is."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest

from talon_one._http.decompression import PackedError, Unpacker, unpack, unpacked_pieces

MEBIBYTE = 2**20
TEXT = b'{"message": "no such thing"}'


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    " GZIP ": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "identity, gzip,": gzip.compress,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
}


def test_each_coding_is_removed_however_the_body_is_cut() -> None:
    wrong = []
    for codings, pack in PACKS.items():
        body = pack(TEXT)
        for size in (1, 2, 3, len(body)):
            pieces = [body[at : at + size] for at in range(0, len(body), size)]
            if b"".join(unpacked_pieces(pieces, codings)) != TEXT:
                wrong.append((codings, size))
    assert not wrong


@pytest.mark.parametrize("codings", ["", "identity", "gzip", "deflate", "br", "what, ever"])
def test_an_empty_body_needs_no_decompression(codings: str) -> None:
    assert unpack(b"", codings) == (b"", None)


@pytest.mark.parametrize("codings", ["gzip", "deflate", "deflate, gzip", "unheard-of"])
def test_text_is_taken_as_it_is_whatever_the_header_claims(codings: str) -> None:
    assert unpack(TEXT, codings) == (TEXT, None)
    # The last character may be incomplete.
    assert unpack("naïve é".encode()[:-1], codings) == ("naïve é".encode()[:-1], None)
    assert b"".join(unpacked_pieces([TEXT[:1], TEXT[1:5], TEXT[5:]], codings)) == TEXT


@pytest.mark.parametrize("data", [b"a\0b", b"\xff\xfe\xfd"])
def test_what_is_neither_packed_nor_text_is_an_error_with_all_bytes(data: bytes) -> None:
    with pytest.raises(PackedError) as caught:
        list(unpacked_pieces([data[:1], data[1:]], "gzip"))
    assert caught.value.data == data


def test_an_error_in_the_middle_keeps_the_last_chunk_only() -> None:
    first = gzip.compress(b"a" * 1000)
    with pytest.raises(PackedError) as caught:
        list(unpacked_pieces([first, first[:10], b"\xff\xff"], "gzip"))
    assert caught.value.data == b"\xff\xff"


def test_a_second_member_that_is_cut_off_is_an_error() -> None:
    packed = gzip.compress(b"a" * 1000)
    with pytest.raises(PackedError):
        list(unpacked_pieces([packed, gzip.compress(TEXT)[:-1]], "gzip"))


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0" * 600, b"\x1f", b"any text at all"])
def test_bytes_after_the_end_of_gzip_are_ignored(padding: bytes) -> None:
    assert unpack(gzip.compress(TEXT) + padding, "gzip") == (TEXT, None)


def test_gzip_may_have_several_members_and_deflate_has_one() -> None:
    assert unpack(gzip.compress(b"a") + gzip.compress(b"b"), "gzip") == (b"ab", None)
    assert unpack(zlib.compress(b"a") + gzip.compress(b"b"), "deflate") == (b"a", None)


def test_a_body_that_ends_too_early_is_an_error() -> None:
    for codings, pack in PACKS.items():
        problem = unpack(pack(b"\0" * 1000)[:-1], codings)[1]
        assert problem is not None, codings
        assert "ends in the middle" in problem, codings


def test_four_codings_are_removed_and_five_are_refused() -> None:
    body = TEXT
    for _ in range(4):
        body = gzip.compress(body)
    assert unpack(body, "gzip, gzip, gzip, gzip") == (TEXT, None)
    body = gzip.compress(body)
    assert unpack(body, "gzip, gzip, gzip, gzip, gzip") == (body, "it is packed 5 times")


def test_a_body_of_32_mebibytes_is_harmless_however_small_it_was() -> None:
    packed = gzip.compress(b"\0" * 32 * MEBIBYTE)
    assert len(unpack(packed, "gzip")[0]) == 32 * MEBIBYTE
    packed += gzip.compress(b"\0")
    assert unpack(packed, "gzip") == (packed, "gzip unpacks to a multiple of its size")


def test_a_larger_body_may_expand_a_hundred_times() -> None:
    packed = gzip.compress(b"\0" * 40 * MEBIBYTE)
    # What follows the end counts as received.
    packed = packed.ljust(40 * MEBIBYTE // 100, b"\0")
    assert unpack(packed, "gzip")[1] == "gzip unpacks to a multiple of its size"
    assert len(unpack(packed + b"\0", "gzip")[0]) == 40 * MEBIBYTE


def test_only_what_takes_long_is_worth_a_thread() -> None:
    assert Unpacker("").is_quick(b"\0" * MEBIBYTE)
    assert Unpacker("gzip").is_quick(b"\0" * 4096)
    assert not Unpacker("gzip").is_quick(b"\0" * 4097)
    assert not Unpacker("deflate").is_quick(b"")
    assert not Unpacker("gzip, gzip").is_quick(b"")


def test_a_coding_that_nothing_can_remove_is_named() -> None:
    assert unpack(b"\0\xff", "unheard-of") == (b"\0\xff", "unheard-of is unknown")


def test_only_both_marks_of_a_zlib_header_make_one() -> None:
    # A stored block whose padding looks like the method of zlib, without its checksum.
    stored = b"\x08\x01\x00\xfe\xffa\x01\x00\x00\xff\xff"
    assert int.from_bytes(stored[:2], "big") % 31 != 0
    assert unpack(stored, "deflate") == (b"a", None)
    # Data without a header, of which two bytes are a checksum by chance.
    packed = next(
        (data, found)
        for data in (b"%d,%d" % (number, number * 7) * 9 for number in range(5000))
        if int.from_bytes((found := raw_deflate(data))[:2], "big") % 31 == 0
        and found[0] & 0x0F != zlib.DEFLATED
    )
    assert unpack(packed[1], "deflate") == (packed[0], None)
