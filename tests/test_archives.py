"""Archives: what goes in comes out, whole or not at all, and nothing comes out elsewhere."""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.corpus.sources import archives
from unrolled.corpus.sources.archives import is_archive, member_names, unpack
from unrolled.errors import DataError

Contents = dict[str, bytes]

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def zipped(contents: Contents, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip, every member dated 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of members as they are given; the size is that of the content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, encoding="utf-8") as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tar_of(contents: Contents, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of ordinary files."""
    files = [(tarfile.TarInfo(name), content) for name, content in contents.items()]
    return tarred(*files, form=form)


BUILDERS: dict[str, Callable[[Contents], bytes]] = {
    "deflated zip": zipped,
    "stored zip": lambda contents: zipped(contents, zipfile.ZIP_STORED),
    "pax tar": tar_of,
    "gnu tar": lambda contents: tar_of(contents, tarfile.GNU_FORMAT),
    "ustar tar": lambda contents: tar_of(contents, tarfile.USTAR_FORMAT),
    "tar.gz": lambda contents: COMPRESSORS["gz"](tar_of(contents)),
    "tar.bz2": lambda contents: COMPRESSORS["bz2"](tar_of(contents)),
    "tar.xz": lambda contents: COMPRESSORS["xz"](tar_of(contents)),
}
"""Every kind of archive with members."""

TWO = {"a.txt": b"The rain fell.\n" * 20, "letters/größe.txt": "Ein größeres Wort.\n".encode() * 9}

GOOD = {kind: build(TWO) for kind, build in BUILDERS.items()} | {
    kind: compress(TWO["a.txt"]) for kind, compress in COMPRESSORS.items()
}
"""A sound archive of each kind, those of a single file included."""

PLAIN_TARS = [kind for kind in GOOD if kind.endswith(" tar")]

PARTS = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\:\0"), min_size=1, max_size=5
).filter(lambda part: not part.startswith("."))
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


def are_files(names: set[str]) -> bool:
    """Whether no name is a folder of another."""
    return not any(later.startswith(f"{name}/") for name in names for later in names)


CONTENTS = st.dictionaries(NAMES, st.binary(max_size=1200), min_size=1, max_size=4).filter(
    lambda contents: are_files(set(contents))
)


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Thousands of small files are written here, none of which must outlive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", int)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("archives")


def everything(name: str) -> bool:
    """Wants every name."""
    return bool(name)


def saved(folder: Path, content: bytes, name: str = "archive") -> Path:
    """A file of the content, its name telling nothing."""
    path = folder / name
    path.write_bytes(content)
    return path


def files_in(folder: Path) -> Contents:
    """All files below a folder, hidden ones too, under their relative names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def unpacked(folder: Path, content: bytes) -> Contents:
    """What an archive unpacks to in a new folder, which is just what it names."""
    path = saved(folder, content)
    target = folder / f"new {len(os.listdir(folder))}"
    paths = unpack(path, target, everything)
    found = files_in(target)
    assert paths == [target / name for name in member_names(path)]
    assert set(paths) == {target / name for name in found}
    return found


def link(name: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """A tar's member that is no file."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = "a.txt"
    return info


def zipped_link(name: str, kind: int = stat.S_IFLNK) -> bytes:
    """A zip of a.txt and of a member that a Unix system has marked as no file."""
    buffer = io.BytesIO(zipped({"a.txt": b"A"}))
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "a.txt")
    return buffer.getvalue()


def with_checksum(block: bytes) -> bytes:
    """A tar's header with the checksum that fits the rest: eight spaces count in its place."""
    total = sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
    return block[:148] + b"%07o " % total + block[156:]


class TestIsArchive:
    @pytest.mark.parametrize("kind", GOOD)
    def test_each_kind_is_one_whatever_its_name(self, tmp_path: Path, kind: str) -> None:
        assert is_archive(saved(tmp_path, GOOD[kind], "notes.txt"))

    @pytest.mark.parametrize("content", [zipped({}), bz2.compress(b"")], ids=["zip", "bzip2"])
    def test_an_empty_one_is_one(self, tmp_path: Path, content: bytes) -> None:
        assert is_archive(saved(tmp_path, content))

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"The rain fell.\n",
            b"PK is a company.\n",
            b"BZh9 is how bzip2 begins.\n",
            "Ein größeres Wort.\n".encode("utf-16") * 40,
            b"101101\n" * 200,
            bytes(10240),
        ],
    )
    def test_other_bytes_are_none_whatever_their_name(self, tmp_path: Path, content: bytes) -> None:
        paths = [saved(tmp_path, content, name) for name in ("a.zip", "a.tar", "a.tar.gz")]

        assert not any(map(is_archive, paths))

    def test_a_text_whose_digits_happen_to_be_the_checksum_of_a_tar_is_none(
        self, tmp_path: Path
    ) -> None:
        text = saved(tmp_path, with_checksum(b"1" * 512) * 2)

        assert tarfile.is_tarfile(text)
        assert not is_archive(text)

    def test_a_missing_file_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/none cannot be read: No such file"):
            is_archive(tmp_path / "none")


class TestMemberNames:
    @pytest.mark.parametrize("kind", BUILDERS)
    def test_they_are_sorted_and_start_with_no_dot(self, tmp_path: Path, kind: str) -> None:
        content = BUILDERS[kind]({"./b.txt": b"", "a/c.txt": b"", "B.txt": b"", "a.txt": b""})

        # "." sorts before "/", and capitals before small letters
        assert member_names(saved(tmp_path, content)) == ["B.txt", "a.txt", "a/c.txt", "b.txt"]

    def test_folders_links_and_hidden_members_are_none(self, tmp_path: Path) -> None:
        folder = link("./letters", tarfile.DIRTYPE)
        hidden = [tarfile.TarInfo(name) for name in ("._a.txt", ".git/a", "x/__MACOSX/a")]
        files = [tarfile.TarInfo("letters/a.txt"), *hidden, link("b.txt")]

        content = tarred(*((info, b"") for info in [link(".", tarfile.DIRTYPE), folder, *files]))

        assert member_names(saved(tmp_path, content)) == ["letters/a.txt"]

    @pytest.mark.parametrize("kind", COMPRESSORS)
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("a.txt.gz", "a.txt"),
            ("a.BZ2", "a"),
            ("a.b.xz", "a.b"),
            ("a.txt", "a.txt"),
            ("a.tar.gz", "a.tar"),
            ("gz", "gz"),
        ],
    )
    def test_a_compressed_file_has_its_own_without_the_suffix(
        self, tmp_path: Path, kind: str, name: str, expected: str
    ) -> None:
        assert member_names(saved(tmp_path, GOOD[kind], name)) == [expected]


class TestUnpack:
    @pytest.mark.parametrize("kind", BUILDERS)
    @given(contents=CONTENTS)
    def test_what_goes_in_comes_out(self, folder: Path, kind: str, contents: Contents) -> None:
        assert unpacked(folder, BUILDERS[kind](contents)) == contents

    @pytest.mark.parametrize("kind", COMPRESSORS)
    @given(
        parts=st.lists(st.binary(max_size=1200), min_size=1, max_size=3), zeros=st.integers(0, 9)
    )
    def test_streams_one_after_another_and_padded_are_one_file(
        self, folder: Path, kind: str, parts: list[bytes], zeros: int
    ) -> None:
        content = b"".join(COMPRESSORS[kind](part) + bytes(zeros) for part in parts)

        assert unpacked(folder, content) == {"archive": b"".join(parts)}

    @pytest.mark.parametrize("kind", COMPRESSORS)
    def test_a_file_of_many_chunks_is_whole(self, tmp_path: Path, kind: str) -> None:
        # which go in as three chunks of 64 KiB, by the noise alone, and come out as three of 1 MiB
        content = np.random.default_rng(1).bytes(150_000) + bytes(2 << 20)

        assert unpacked(tmp_path, COMPRESSORS[kind](content)) == {"archive": content}

    # Every tar is read as a stream of chunks, whatever it was compressed by.
    @pytest.mark.parametrize("kind", ["deflated zip", "stored zip", "pax tar"])
    def test_members_of_many_chunks_are_whole(self, tmp_path: Path, kind: str) -> None:
        noise = np.random.default_rng(2).bytes(3 << 20)
        # 1 MiB ends where a block of a tar and a chunk of ours end; the others do not
        contents = {"a": noise[: 1 << 20], "b": noise[1 << 20 : 3111111], "c": noise[3111111:]}

        assert unpacked(tmp_path, BUILDERS[kind](contents)) == contents

    @pytest.mark.parametrize("kind", BUILDERS)
    def test_only_what_is_wanted_is_written(self, tmp_path: Path, kind: str) -> None:
        path = saved(tmp_path, BUILDERS[kind]({"b": b"B", "c/d": b"D", "a": b"A", "e": b"E"}))

        found = unpack(path, tmp_path / "new", ["a", "c/d", "f"].__contains__)

        assert found == [tmp_path / "new/a", tmp_path / "new/c/d"]
        assert files_in(tmp_path / "new") == {"a": b"A", "c/d": b"D"}

    def test_hidden_members_are_not_even_asked_for(self, tmp_path: Path) -> None:
        path = saved(tmp_path, zipped({".a": b"", "b/.c/d": b"", "__MACOSX/e": b"", "f.g": b""}))
        asked: list[str] = []

        def note(name: str) -> bool:
            asked.append(name)
            return True

        unpack(path, tmp_path / "new", note)

        assert asked == ["f.g"]

    def test_nothing_wanted_makes_no_folder(self, tmp_path: Path) -> None:
        path = saved(tmp_path, zipped({"a": b"A"}))

        assert unpack(path, tmp_path / "new", str.isdigit) == []
        assert not (tmp_path / "new").exists()

    @pytest.mark.parametrize("kind", BUILDERS)
    def test_an_archive_inside_stays_as_it_is(self, tmp_path: Path, kind: str) -> None:
        inside = {"a.txt.gz": GOOD["gz"], "b.zip": GOOD["deflated zip"], "c.tar": GOOD["pax tar"]}

        assert unpacked(tmp_path, BUILDERS[kind](inside)) == inside

    def test_what_is_no_file_stands_in_the_way_only_if_it_is_wanted(self, tmp_path: Path) -> None:
        tar = tarred((tarfile.TarInfo("a.txt"), b"A"), (link("b"), b""), (link("c", b"6"), b""))

        for number, content in enumerate([tar, zipped_link("b")]):
            path = saved(tmp_path, content)
            found = unpack(path, tmp_path / str(number), "a.txt".__eq__)

            assert found == [tmp_path / str(number) / "a.txt"]

    @pytest.mark.parametrize("kind", ["deflated zip", "tar.gz", "gz", "bz2", "xz"])
    def test_memory_is_bounded_however_well_a_file_was_compressed(
        self, tmp_path: Path, kind: str
    ) -> None:
        zeros = bytes(20 << 20)
        content = BUILDERS[kind]({"a": zeros}) if kind in BUILDERS else COMPRESSORS[kind](zeros)
        path = saved(tmp_path, content)
        del zeros

        tracemalloc.start()
        (found,) = unpack(path, tmp_path / "new", everything)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert found.stat().st_size == 20 << 20
        # A few chunks of 1 MiB, and the window of 8 MiB that xz asks for.
        assert peak < 14 << 20


UPWARDS = ["../a", "a/../../b", "a/../b", "a/..", ".."]
EVIL_NAMES = [*UPWARDS, "/a", "//a", "c:a", "C:/a", "a\\b", "..\\a", "", ".", "a\0b"]


class TestNames:
    @pytest.mark.parametrize("name", EVIL_NAMES)
    @pytest.mark.parametrize("kind", ["zip", "tar"])
    def test_one_that_leads_elsewhere_is_refused_though_it_is_not_wanted(
        self, tmp_path: Path, kind: str, name: str
    ) -> None:
        path = saved(tmp_path, self.archive_of(kind, name))

        for ask in (member_names, lambda path: unpack(path, tmp_path / "x/new", "good".__eq__)):
            with pytest.raises(DataError, match=r"/archive: the member '.*' must have a relative"):
                ask(path)
        assert set(files_in(tmp_path)) <= {"archive", "x/new/good"}

    @staticmethod
    def archive_of(kind: str, name: str) -> bytes:
        """A good member and one of the name; tarfile and zipfile would end it before a NUL."""
        if kind == "tar":
            evil = tarfile.TarInfo(name.partition("\0")[0])
            evil.pax_headers = {"path": name} if "\0" in name else {}
            return tarred((tarfile.TarInfo("good"), b"good"), (evil, b"evil"))
        content = zipped({"good": b"good", name.replace("\0", "X"): b"evil"})
        return content.replace(b"aXb", b"a\0b")

    @pytest.mark.parametrize("name", ["/letters/", "../letters/", "a\\b/"])
    def test_that_of_a_folder_counts_too(self, tmp_path: Path, name: str) -> None:
        folder = link(name, tarfile.DIRTYPE)

        for content in (zipped({name: b""}), tarred((folder, b""))):
            with pytest.raises(DataError, match="must have a relative name"):
                member_names(saved(tmp_path, content))

    def test_one_that_is_not_utf_8_is_refused(self, tmp_path: Path) -> None:
        content = tarred((tarfile.TarInfo("gr\udcf6.txt"), b""), form=tarfile.GNU_FORMAT)

        with pytest.raises(DataError, match=r"'gr\\udcf6\.txt' must have a relative name in UTF-8"):
            member_names(saved(tmp_path, content))

    @pytest.mark.parametrize("name", ["a..b", "a../b", "ab:c", "a/c:b", "1:a", "~a", "\n"])
    def test_one_that_only_looks_like_it_is_taken(self, tmp_path: Path, name: str) -> None:
        for content in (zipped({name: b"A"}), tar_of({name: b"A"})):
            assert unpacked(tmp_path, content) == {name: b"A"}


class TestRefusals:
    @pytest.mark.parametrize("kind", "12346S")  # links; two kinds of device, a pipe; a sparse file
    def test_a_wanted_link_or_device_of_a_tar(self, tmp_path: Path, kind: str) -> None:
        members = (tarfile.TarInfo("a.txt"), b"A"), (link("b", kind.encode()), b"")
        content = tarred(*members, form=tarfile.GNU_FORMAT)

        with pytest.raises(DataError, match=r"'b' must be a file \(found a link or a device\)"):
            unpacked(tmp_path, content)

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
    def test_a_wanted_link_or_device_of_a_zip(self, tmp_path: Path, kind: int) -> None:
        with pytest.raises(DataError, match=r"'b' must be a file \(found a link or a device\)"):
            unpacked(tmp_path, zipped_link("b", kind))

    @pytest.mark.parametrize("names", [("a", "a"), ("a", "./a"), ("b/a", "b//a")])
    def test_two_of_one_name(self, tmp_path: Path, names: tuple[str, str]) -> None:
        content = tarred(*((tarfile.TarInfo(name), b"") for name in names))

        with pytest.raises(DataError, match=r"a' must be the only one of its name \(found two\)"):
            unpacked(tmp_path, content)

    def test_two_of_one_name_are_no_matter_if_neither_is_wanted(self, tmp_path: Path) -> None:
        content = tarred(*((tarfile.TarInfo(name), b"") for name in ("a", "a", "b")))
        path = saved(tmp_path, content)

        assert unpack(path, tmp_path / "new", "b".__eq__) == [tmp_path / "new/b"]
        assert member_names(path) == ["a", "b"]

    @pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("x" * 300, "b")])
    def test_a_name_that_the_disk_cannot_hold(self, tmp_path: Path, names: tuple[str, str]) -> None:
        content = tar_of(dict.fromkeys(names, b"A"))

        with pytest.raises(DataError, match=r"/archive: the member '.*' cannot be written: \w+"):
            unpacked(tmp_path, content)

    def test_an_encrypted_zip(self, tmp_path: Path) -> None:
        content = bytearray(zipped({"a": b"A"}))
        content[6] |= 1  # the flags, in the local header and in the directory
        content[content.index(b"PK\x01\x02") + 8] |= 1

        with pytest.raises(DataError, match="'a' is encrypted; expected one without a password"):
            unpacked(tmp_path, bytes(content))

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_zip_by_a_method_without_a_bound(self, tmp_path: Path, method: int) -> None:
        with pytest.raises(DataError, match=rf"'a' must be .* \(found the .* method {method}\)"):
            unpacked(tmp_path, zipped({"a": b"A"}, method))

    def test_a_file_that_is_no_archive(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/archive must be a zip, tar, gzip, bzip2 or xz file"):
            unpacked(tmp_path, b"The rain fell.\n")


class TestBombs:
    @pytest.mark.parametrize("kind", BUILDERS)
    def test_the_bytes_of_all_members_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setattr(archives, "UNSUSPICIOUS_SIZE", 5000)
        monkeypatch.setattr(archives, "MOST_EXPANSION", 0)
        content = BUILDERS[kind]({"a": bytes(3000), "b": bytes(2001)})  # neither alone is too much

        with pytest.raises(DataError, match=r"/archive unpacks to more than 5000 bytes"):
            unpacked(tmp_path, content)

    @pytest.mark.parametrize("kind", ["deflated zip", "tar.gz", "tar.bz2", "tar.xz"])
    def test_the_limit_is_a_hundred_times_the_size_of_the_archive(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setattr(archives, "UNSUSPICIOUS_SIZE", 0)
        content = BUILDERS[kind]({"a": bytes(1 << 20)})
        limit = 100 * len(content)

        with pytest.raises(DataError, match=rf"more than {limit} bytes, .*; .*, unpack it by hand"):
            unpacked(tmp_path, content)

    @pytest.mark.parametrize("kind", COMPRESSORS)
    def test_the_limit_itself_is_not_too_much(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setattr(archives, "UNSUSPICIOUS_SIZE", 50000)
        monkeypatch.setattr(archives, "MOST_EXPANSION", 1)

        assert unpacked(tmp_path, COMPRESSORS[kind](bytes(50000))) == {"archive": bytes(50000)}
        with pytest.raises(DataError, match=r"more than 50000 bytes"):
            unpacked(tmp_path, COMPRESSORS[kind](bytes(50001)))

    def test_a_small_archive_may_hold_100_mebibytes_and_no_more(self, tmp_path: Path) -> None:
        mebibyte = COMPRESSORS["gz"](bytes(1 << 20))
        content = mebibyte * 100 + COMPRESSORS["gz"](b"A")  # streams one after another are one file

        with pytest.raises(DataError, match=r"more than 104857600 bytes, .* as corpus\.path$"):
            unpacked(tmp_path, content)

    def test_a_header_of_a_tar_may_not_fill_the_memory(self, tmp_path: Path) -> None:
        header = tarfile.TarInfo("a")
        header.type = tarfile.XHDTYPE
        content = COMPRESSORS["gz"](tarred((header, bytes((1 << 20) + 1))))

        with pytest.raises(DataError, match=r"a header claims 1049088 bytes"):  # 2,049 blocks
            unpacked(tmp_path, content)

    def test_an_xz_file_may_not_ask_for_all_the_memory(self, tmp_path: Path) -> None:
        content = bytearray(lzma.compress(b"A", preset=6))
        assert content[14:17] == b"\x21\x01\x16"  # the filter LZMA2, its window 8 MiB
        content[16] = 40  # 4 GiB
        content[20:24] = crc32(content[12:20]).to_bytes(4, "little")

        with pytest.raises(DataError, match="Memory usage limit exceeded"):
            unpacked(tmp_path, bytes(content))


class TestDamage:
    @pytest.mark.parametrize("kind", [kind for kind in GOOD if kind not in PLAIN_TARS])
    def test_no_part_of_an_archive_passes_for_the_whole(self, tmp_path: Path, kind: str) -> None:
        whole = len(GOOD[kind])

        for length in {*range(0, whole, 9), *range(whole - 20, whole)}:
            with pytest.raises(DataError):
                unpacked(tmp_path, GOOD[kind][:length])

    @pytest.mark.parametrize(("kind", "blocks"), [("gnu tar", 4), ("ustar tar", 4), ("pax tar", 6)])
    def test_a_tar_is_whole_from_its_first_block_of_zeros(
        self, tmp_path: Path, kind: str, blocks: int
    ) -> None:
        # Two members, each of a header and a block; pax tells the second name in two more.
        whole = (blocks + 1) * 512

        for length in {*range(0, whole, 100), *range(0, whole, 512), whole - 1}:
            with pytest.raises(DataError):
                unpacked(tmp_path, GOOD[kind][:length])
        assert unpacked(tmp_path, GOOD[kind][:whole]) == TWO

    @pytest.mark.parametrize("kind", GOOD)
    def test_any_bytes_give_the_members_or_an_error_and_no_file_elsewhere(
        self, tmp_path: Path, kind: str
    ) -> None:
        rng = np.random.default_rng(list(GOOD).index(kind))
        (tmp_path / "x").mkdir()
        texts: set[bytes] = set()

        for _ in range(40):
            with suppress(DataError):
                texts.update(unpacked(tmp_path / "x", mutated(GOOD[kind], rng)).values())
        assert texts <= set(TWO.values()) or kind in PLAIN_TARS  # which alone have no checksum
        assert os.listdir(tmp_path) == ["x"]
        assert {name[:3] for name in os.listdir(tmp_path / "x")} <= {"arc", "new"}

    @pytest.mark.parametrize("kind", PLAIN_TARS)
    def test_any_header_of_a_tar_gives_the_members_or_an_error_and_no_file_elsewhere(
        self, tmp_path: Path, kind: str
    ) -> None:
        rng = np.random.default_rng(3)
        (tmp_path / "x").mkdir()

        for _ in range(40):
            with suppress(DataError):
                unpacked(tmp_path / "x", with_another_header(GOOD[kind], rng))
        assert os.listdir(tmp_path) == ["x"]
        assert {name[:3] for name in os.listdir(tmp_path / "x")} <= {"arc", "new"}

    @pytest.mark.parametrize("kind", COMPRESSORS)
    def test_a_bit_that_flips_is_noticed(self, tmp_path: Path, kind: str) -> None:
        content = bytearray(GOOD[kind])
        content[len(content) // 2] ^= 1

        with pytest.raises(DataError, match=r"/archive cannot be unpacked \(.+\); get the whole"):
            unpacked(tmp_path, bytes(content))

    def test_a_bit_that_flips_in_a_stored_member_is_noticed(self, tmp_path: Path) -> None:
        content = GOOD["stored zip"].replace(b"The rain", b"The raio", 1)

        with pytest.raises(DataError, match=r"'a\.txt' cannot be unpacked \(Bad CRC-32"):
            unpacked(tmp_path, content)

    def test_the_checksum_of_a_compressed_tar_is_compared(self, tmp_path: Path) -> None:
        content = bytearray(GOOD["tar.gz"])
        content[-8] ^= 1  # the CRC32 is the last field but one

        with pytest.raises(DataError, match="CRC check failed"):
            member_names(saved(tmp_path, bytes(content)))

    @pytest.mark.parametrize("kind", COMPRESSORS)
    def test_a_second_stream_that_is_damaged_is_not_taken_for_the_end(
        self, tmp_path: Path, kind: str
    ) -> None:
        second = b"?" + GOOD[kind][1:]

        with pytest.raises(DataError, match="cannot be unpacked"):
            unpacked(tmp_path, GOOD[kind] + second)

    def test_a_header_that_is_damaged_is_not_taken_for_the_end(self, tmp_path: Path) -> None:
        content = bytearray(GOOD["gnu tar"])
        content[1024] ^= 1  # of the second member's name

        with pytest.raises(DataError, match="a header is damaged, or the zeros"):
            unpacked(tmp_path, bytes(content))

    def test_a_second_tar_is_not_lost(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="more follows the zeros that end a tar"):
            unpacked(tmp_path, GOOD["gnu tar"] * 2)

    def test_a_header_that_points_back_is_not_read_for_ever(self, tmp_path: Path) -> None:
        first = tar_of({"a": b"A"}, tarfile.GNU_FORMAT)[:1024]
        second = bytearray(first[:512])
        second[124:136] = (2**96 - 1024).to_bytes(12, "big")  # a size of -1024, in binary

        with pytest.raises(DataError, match="a header points back"):
            member_names(saved(tmp_path, first + with_checksum(bytes(second)) + bytes(1024)))

    def test_headers_without_end_are_an_error(self, tmp_path: Path) -> None:
        names = [(link("././@LongLink", tarfile.GNUTYPE_LONGNAME), b"a\0")] * 2000

        with pytest.raises(DataError, match="maximum recursion depth exceeded"):
            member_names(saved(tmp_path, tarred(*names, form=tarfile.GNU_FORMAT)))


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with up to three of them changed, or a piece left out, or the end cut off."""
    match rng.integers(3):
        case 0:
            changed = bytearray(content)
            for place in rng.integers(len(content), size=rng.integers(1, 4)):
                changed[place] = rng.integers(256)
            return bytes(changed)
        case 1:
            ((start, end),) = pairwise(np.sort(rng.integers(len(content), size=2)))
            return content[:start] + content[end:]
        case _:
            return content[: rng.integers(len(content))]


def with_another_header(content: bytes, rng: np.random.Generator) -> bytes:
    """A tar with a byte changed in one of its headers, most often the member's kind, and the
    checksum that fits.
    """
    changed = bytearray(content)
    start = 512 * int(rng.choice([0, 2, 4]))
    place = start + (156 if rng.integers(2) else rng.integers(100, 257))  # of mode to link's name
    changed[place] = rng.choice(np.frombuffer(b"\xff\x80\x0001234567KLSVgx", np.uint8))
    changed[start : start + 512] = with_checksum(bytes(changed[start : start + 512]))
    return bytes(changed)
