"""Headers of files of arrays: what they declare, and what is refused before an array is read."""

import json
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from unrolled.arrays import read_arrays, read_tensors, write_arrays, write_tensors
from unrolled.declared import declared_arrays, declared_tensors
from unrolled.errors import DataError

ARRAYS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    hnp.arrays(
        dtype=st.sampled_from([np.bool_, np.uint8, np.int32, np.float32, np.float64]),
        shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
    max_size=4,
)
"""Arrays by names that both forms may have."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("declared")


def layout_of(arrays: dict[str, NDArray[Any]]) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}


def peak_while_refused(path: Path, match: str) -> int:
    """How many bytes are asked for at most until the file is refused with a message."""
    read = read_tensors if path.suffix == ".safetensors" else read_arrays
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=match):
            read(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Safetensors


def safetensors(header: object, data: bytes = b"") -> bytes:
    """The bytes of a safetensors file, put together by its specification."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data


def entry(dtype: object, shape: object, start: object, end: object) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


SOUND = entry("F32", [1], 0, 4)
SIZES = "must have a shape and a place of whole numbers"

UNSOUND_TENSORS = {
    "no object": ([1], "must have names and values"),
    "a name twice": (b'{"a": 1, "a": 1}', "a name stands twice"),
    "no JSON": (b"{a}", "property name"),
    "no UTF-8": (b'{"\xff": 1}', "utf-8"),
    "lists in lists": (b"[" * 100_000, "recursion"),
    "a number of 5000 digits": (b"1" * 5000, "4300"),
    "an entry that is none": ({"a": 1}, "'a' must have dtype, shape, data_offsets and nothing"),
    "an entry too many": ({"a": {**SOUND, "b": 1}}, "'a' must have dtype, shape, data_offsets and"),
    "a type that NumPy has not": ({"a": entry("BF16", [2], 0, 4)}, "it is 'BF16'"),
    "a type that is none": ({"a": entry([], [1], 0, 4)}, r"it is \[\]"),
    "a fraction": ({"a": entry("F32", [1.0], 0, 4)}, SIZES),
    "a negative size": ({"a": entry("F32", [-1], 0, 4)}, SIZES),
    "true for one": ({"a": entry("F32", [True], 0, 4)}, SIZES),
    "a size beyond any integer": ({"a": entry("F32", [0, 10**30], 0, 0)}, SIZES),
    "a shape that is none": ({"a": entry("F32", 1, 0, 4)}, SIZES),
    "no place": ({"a": {**SOUND, "data_offsets": [0]}}, SIZES),
    "more dimensions than NumPy has": ({"a": entry("F32", [1] * 65, 0, 4)}, SIZES),
    "a shape beyond its place": (
        {"a": entry("F32", [10**12], 0, 4)},
        r"'a', float32 of shape \(1000000000000,\), must have 4000000000000 bytes; it has 4\)",
    ),
    "a place beyond the file": ({"a": entry("F32", [2], 0, 8)}, "from 0 to 4"),
    "a place after a gap": ({"a": entry("U8", [3], 1, 4)}, "from 0 to 4"),
    "a place within another": (
        {"a": entry("U8", [4], 0, 4), "b": entry("U8", [2], 1, 3)},
        "from 0 to 4",
    ),
    "bytes left over": ({"a": entry("U8", [3], 0, 3)}, "from 0 to 4"),
    "nothing for the bytes": ({}, "from 0 to 4"),
}
"""Headers of files of four bytes of data, and what is said of them."""


@given(arrays=ARRAYS)
def test_safetensors_declare_what_was_written(
    folder: Path, arrays: dict[str, NDArray[Any]]
) -> None:
    write_tensors(folder / "a.safetensors", arrays)

    assert declared_tensors(folder / "a.safetensors") == layout_of(arrays)


def test_notes_of_a_file_are_no_array(tmp_path: Path) -> None:
    header = {"__metadata__": {"by": "somebody"}, "a": SOUND}
    (tmp_path / "a.safetensors").write_bytes(safetensors(header, bytes(4)))

    assert declared_tensors(tmp_path / "a.safetensors") == {"a": ((1,), "float32")}
    assert read_tensors(tmp_path / "a.safetensors")["a"].tolist() == [0.0]


@pytest.mark.parametrize(("header", "message"), UNSOUND_TENSORS.values(), ids=UNSOUND_TENSORS)
def test_a_header_that_is_not_of_the_bytes_is_refused(
    header: object, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.safetensors").write_bytes(safetensors(header, bytes(4)))

    with pytest.raises(DataError, match=rf"/a\.safetensors is not a safetensors.*{message}"):
        declared_tensors(tmp_path / "a.safetensors")


def test_a_header_that_would_fill_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:  # of 100 MB, which take no room on disk
        file.write((10**8).to_bytes(8, "little"))
        file.truncate(10**8 + 8)

    assert peak_while_refused(path, r"at most 1048576 bytes; it would have 100000000\)") < 100_000


def test_a_name_of_any_length_makes_no_long_message(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(safetensors({"n" * 10_000: 1}))

    with pytest.raises(DataError, match="'nnnn") as raised:
        declared_tensors(tmp_path / "a.safetensors")

    assert len(str(raised.value)) < 500


def test_some_of_the_arrays_can_be_read_alone(tmp_path: Path) -> None:
    write_tensors(tmp_path / "a.safetensors", {"a": np.arange(3), "b": np.arange(4)})

    assert {
        name: array.tolist()
        for name, array in read_tensors(tmp_path / "a.safetensors", "b").items()
    } == {"b": [0, 1, 2, 3]}
    with pytest.raises(DataError, match=r"/a\.safetensors is not a safetensors .*\bc\b"):
        read_tensors(tmp_path / "a.safetensors", "c")


# .npz


def npy(array: NDArray[Any]) -> bytes:
    """The bytes of a .npy file."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_of(header: str, data: bytes = bytes(8)) -> bytes:
    """A .npy file of any header."""
    encoded = header.ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(encoded).to_bytes(2, "little") + encoded + data


def npy_that_claims(shape: str, dtype: str = "'<f8'") -> bytes:
    """A .npy file of eight bytes of data, whose header tells of a shape and a type."""
    return npy_of(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}")


def npz(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A .npz of these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


UNSOUND_ARRAYS = {
    "a shape beyond the file": (npy_that_claims(f"({10**12},)"), "must have 8000000000000 bytes"),
    "a shape beyond any integer": (npy_that_claims(f"({2**40}, {2**40})"), "must have"),
    "a negative shape": (npy_that_claims("(-1,)"), "must have -8 bytes; it has 8"),
    "two negative sizes": (npy_that_claims("(-1, -1)"), "must have 8 bytes; it has 8"),
    "fewer numbers than bytes": (npy_that_claims("()", "'<f4'"), "must have 4 bytes; it has 8"),
    "an object": (npy(np.array([{}], dtype=object)), "no objects and no records"),
    "a record": (npy_that_claims("(1,)", "[('a', '<f8')]"), "no objects and no records"),
    "another version": (b"\x93NUMPY\x03\x00" + bytes(99), r"1\.0 or 2\.0; it is \(3, 0\)"),
    "no array": (b"text", "magic string"),
    "nothing": (b"", "magic string"),
    "a header cut short": (npy(np.zeros(1))[:40], "EOF"),
    "a header of parentheses": (npy_that_claims("(" * 200), "EOF in multi-line statement"),
    "a header of odd lines": (npy_of("if:\n    a\n  b"), "unindent"),
}
"""Members, and what is said of them."""


@given(arrays=ARRAYS)
def test_npz_declare_what_was_written(folder: Path, arrays: dict[str, NDArray[Any]]) -> None:
    write_arrays(folder / "a.npz", arrays)

    assert declared_arrays(folder / "a.npz") == layout_of(arrays)


@pytest.mark.parametrize(("content", "message"), UNSOUND_ARRAYS.values(), ids=UNSOUND_ARRAYS)
def test_a_member_that_is_not_what_its_header_declares_is_refused(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = npz(tmp_path / "a.npz", ("sound.npy", npy(np.zeros(2))), ("a.npy", content))

    assert peak_while_refused(path, rf"/a\.npz is not a readable \.npz file .*{message}") < 500_000


def test_no_pickle_is_read_even_where_no_header_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = npz(tmp_path / "a.npz", ("a.npy", npy(np.array([{}], dtype=object))))
    monkeypatch.setattr("unrolled.arrays.declared_arrays", lambda path: {})

    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        read_arrays(path)


def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(3_000_000))  # 24 MB in some 23 KB

    assert peak_while_refused(tmp_path / "a.npz", "to at most 10 times as many") < 500_000


def test_weights_that_are_compressed_are_read(tmp_path: Path) -> None:
    weights = np.random.default_rng(1).normal(size=(300, 500)).astype(np.float32)
    np.savez_compressed(tmp_path / "a.npz", a=weights.astype(np.float64))  # 1.2 MB, half of it 0

    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npz")["a"], weights)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_of_a_method_without_a_bound_is_refused(method: int, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", ("a.npy", npy(np.zeros(9))), method=method)

    with pytest.raises(DataError, match=rf"'a\.npy' must be stored or deflated; .* {method}\)$"):
        declared_arrays(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["a.npy", "a"])  # which NumPy finds by "a", both of them
def test_a_name_that_stands_twice_is_refused(name: str, tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", ("a.npy", npy(np.zeros(1))), (name, npy(np.ones(1))))

    with pytest.raises(DataError, match="a name stands twice in it"):
        declared_arrays(path)


@pytest.mark.parametrize("content", [b"", b"text", npy(np.zeros(2)), b"\x80\x04cos\nsystem\n"])
def test_a_file_that_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)

    with pytest.raises(DataError, match=r"/a\.npz is not a readable \.npz file \("):
        read_arrays(tmp_path / "a.npz")


def test_a_flipped_bit_or_a_cut_is_refused_or_hides_an_array_but_changes_none(
    tmp_path: Path,
) -> None:
    arrays = {"a": np.arange(4.0), "b": np.array([[True]])}
    write_arrays(tmp_path / "a.npz", arrays)
    content = (tmp_path / "a.npz").read_bytes()
    changed = [
        *(content[:size] for size in range(0, len(content), 5)),
        *(
            content[:place] + bytes([byte ^ 1 << place % 8]) + content[place + 1 :]
            for place, byte in enumerate(content)
        ),
    ]

    refused = 0
    for other in changed:
        (tmp_path / "a.npz").write_bytes(other)
        try:
            found = read_arrays(tmp_path / "a.npz")
        except DataError:
            refused += 1
            continue
        for name, array in found.items():
            np.testing.assert_array_equal(array, arrays[name], strict=True)

    assert refused > 300


def test_what_python_2_wrote_is_read_without_a_word(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", ("a.npy", npy_that_claims("(1L, 1L)")))

    assert declared_arrays(path) == {"a": ((1, 1), "float64")}
    assert read_arrays(path)["a"].tolist() == [[0.0]]
