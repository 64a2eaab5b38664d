"""Files and a corpus section for tests of what is brought from where."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unrolled.config.corpus_sections import CorpusConfig

Contents = Mapping[str, str | bytes]

NOTHING = dict.fromkeys(
    ("column", "field", "splits", "url", "size", "sha256", "files", "licence", "citation")
)

USUAL = {
    "source": "path",
    "path": "texts",
    "packages": [],
    "form": "text",
    "encoding": "utf-8",
    "rejected_share": 0.001,
}


def corpus(**values: Any) -> CorpusConfig:
    """A corpus section: files of plain UTF-8 text, what is not given being null."""
    return CorpusConfig(**{**NOTHING, **USUAL, **values})


def fill(folder: Path, contents: Contents) -> None:
    """Write files named by their paths below the folder."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_bytes(content))


def contents_of(folder: Path) -> dict[str, str]:
    """The text of every file below a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def zipped(contents: Contents) -> bytes:
    """A zip of some files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(contents: Contents) -> bytes:
    """A tar of some files, compressed by gzip."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(_bytes(content))
            archive.addfile(member, io.BytesIO(_bytes(content)))
    return gzip.compress(packed.getvalue())


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()
