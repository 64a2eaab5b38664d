"""Files brought into a folder: copied, or unpacked where they are archives."""

import shutil
from pathlib import Path

from unrolled.config.corpus_sections import CorpusConfig
from unrolled.corpus.sources.archives import is_archive, member_names, unpack
from unrolled.corpus.sources.files import (
    base_folder,
    input_files,
    is_wanted,
    nothing_wanted,
    uncompressed,
)
from unrolled.errors import DataError
from unrolled.storage import new_file


def bring_files(config: CorpusConfig, folder: Path) -> None:
    """Copy the input files into a folder, under their names below `corpus.path`, archives unpacked.

    The files of one archive keep the names that they have there; of several archives each becomes a
    folder of its own name, so that none takes the place of another's.

    Raises:
        ConfigError, DataError: as `input_files` does, or a file cannot be read.
    """
    files = input_files(config)
    base = base_folder(config)
    for file in files:
        name = file.relative_to(base).as_posix()
        bring(file, folder, name, "" if len(files) == 1 else f"{name}/", config)


def bring(file: Path, folder: Path, name: str, prefix: str, config: CorpusConfig) -> None:
    """Copy a file to its target, decompressed where it is compressed, or unpack what is wanted.

    Args:
        file: the file or archive.
        folder: what is filled.
        name: what the file becomes in there; where it is compressed, without the suffix that says
            so.
        prefix: what the names of an archive's files get before them in there.
        config: which of them are wanted.

    Raises:
        DataError: it cannot be read, is an archive that holds nothing wanted, or two files would
            have the same name.
    """
    if not is_archive(file):
        _copy(file, folder / name)
    elif _is_one_file(file):
        _decompress(file, folder / name)
    elif not (
        unpacked := unpack(file, folder / prefix, lambda one: is_wanted(prefix + one, config))
    ):
        raise DataError(nothing_wanted(file, member_names(file), config))
    else:
        for member in unpacked:
            if is_archive(member) and _is_one_file(member):
                _decompress(member, member)
                if member.name != uncompressed(member.name):
                    member.unlink()


def _is_one_file(archive: Path) -> bool:
    """Whether this is no more than a compressed file."""
    return member_names(archive) == [uncompressed(archive.name)]


def _decompress(file: Path, target: Path) -> None:
    target = target.with_name(uncompressed(target.name))
    if target != file:
        _require_new(target, file)
    (written,) = unpack(file, target.parent, lambda _: True)
    written.replace(target)


def _copy(file: Path, target: Path) -> None:
    _require_new(target, file)
    try:
        with file.open("rb") as source, new_file(target, in_new_folder=True) as copy:
            shutil.copyfileobj(source, copy)
    except OSError as error:
        raise DataError(f"{file} cannot be copied: {error.strerror}") from None


def _require_new(target: Path, file: Path) -> None:
    if target.exists():
        raise DataError(f"{file} and another file would both become {target.name}; keep one")
