"""The user's own files: found and checked, by what is at hand at once and by size and checksum."""

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from unrolled.config.corpus_sections import CorpusConfig
from unrolled.config.paths import require_literal
from unrolled.corpus.folder import files_below, is_hidden
from unrolled.corpus.reading.csv_rows import csv_rows
from unrolled.corpus.sources.archives import is_archive, member_names
from unrolled.corpus.sources.compression import SUFFIXES as COMPRESSED
from unrolled.corpus.sources.patterns import matching_files, split_pattern
from unrolled.errors import ConfigError, DataError
from unrolled.storage import sha256_of

SUFFIXES = {"text": (".txt",), "csv": (".csv",), "jsonl": (".jsonl", ".ndjson")}
"""What the files of each form are named by habit."""

SHOWN_NAMES = 5
"""So many names are shown where none of them is what was looked for."""


def input_files(config: CorpusConfig) -> list[Path]:
    """The files that `corpus.path` names, each looked at for what is asked for in it.

    Raises:
        ConfigError: as `found_files`, or the workflow cannot read a path as it is written.
        DataError: as `found_files`, or a file is hidden, is empty or lacks the column.
    """
    files = found_files(config)
    base = base_folder(config)
    for file in files:
        name = file.relative_to(base).as_posix()
        _require_content(file, name)
        require_literal("corpus.path", str(file))
        _check(file, name, config, "" if len(files) == 1 else f"{name}/")
    return files


def found_files(config: CorpusConfig) -> list[Path]:
    """The files that `corpus.path` names, archives as they are, in the order of their paths.

    A path is a file, a folder, of which the wanted files are taken, or a pattern as in a shell,
    `**` standing for any folders. Hidden files and folders are left out, and links to folders are
    not followed.

    Raises:
        ConfigError: a pattern leads up again.
        DataError: there is no such file in a folder or of a pattern.
    """
    path = config.path or ""
    folder, parts = split_pattern(path)
    if parts:
        files = matching_files(folder, parts)
        if not files:
            raise DataError(f"corpus.path: {path} must be the pattern of some file (found none)")
        return files
    return _wanted_below(folder, config) if os.path.isdir(folder) else [folder]


def base_folder(config: CorpusConfig) -> Path:
    """The folder below which files keep their names: of a pattern, that before its first sign."""
    folder, parts = split_pattern(config.path or "")
    return folder if parts or os.path.isdir(folder) else folder.parent


def is_wanted(name: str, config: CorpusConfig) -> bool:
    """Whether a file of a folder or of an archive is one to be read, by its path below corpus/raw.

    That is what the given patterns say, or else the usual suffix of the form. A compressed file
    goes by its name without the suffix that says so.
    """
    plain = uncompressed(name)
    if patterns := given_patterns(config):
        return any(fnmatchcase(plain, pattern) for pattern in patterns)
    return PurePosixPath(plain.lower()).suffix in SUFFIXES[config.form]


def given_patterns(config: CorpusConfig) -> Sequence[str]:
    """Those of `corpus.files`, or else of `corpus.splits`; none where there is neither."""
    return config.files or list((config.splits or {}).values())


def uncompressed(name: str) -> str:
    """The name without the suffix of a compressed file."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in COMPRESSED else name


def nothing_wanted(place: Path, names: Iterable[str], config: CorpusConfig) -> str:
    """What is said of a folder or archive that holds files of these names, none to be read."""
    found = [uncompressed(name) for name in names]
    shown = ", ".join(map(repr, found[:SHOWN_NAMES])) or "none"
    more = f" and {len(found) - SHOWN_NAMES} more" if len(found) > SHOWN_NAMES else ""
    return f"{place} must hold {_wanted(config)} (found {shown}{more}); see corpus.files"


def verify(path: Path, size: int | None, sha256: str | Mapping[str, str] | None) -> None:
    """Return only if what the path leads to has the size in bytes and the checksum; None is not
    checked.

    Args:
        path: a file; or a folder, where the checksums are those of files by their paths there; or
            anything, where neither is to be checked.
        size: bytes of the file.
        sha256: its checksum, or those of files.

    Raises:
        ConfigError: one of them is given for what cannot have it.
        DataError: a file differs, is missing or is empty.
    """
    is_folder = os.path.isdir(path)
    if isinstance(sha256, Mapping) and is_folder and size is None:
        for name, checksum in sha256.items():
            verify(path / name, None, checksum)
        return
    if size is None and sha256 is None:
        return
    if isinstance(sha256, Mapping) or is_folder or split_pattern(str(path))[1]:
        raise ConfigError(
            "corpus.size and corpus.sha256 must be null where corpus.path is not one file, or"
            f" corpus.sha256 those of files in a folder (got {path})"
        )
    _require_content(path, path.name)
    if size is not None and (found := path.stat().st_size) != size:
        raise DataError(f"{path} has {found} bytes; expected {size} (corpus.size)")
    if sha256 is not None and (digest := sha256_of(path)) != sha256:
        raise DataError(f"{path} has the sha256 {digest}; expected {sha256} (corpus.sha256)")


def _wanted_below(folder: Path, config: CorpusConfig) -> list[Path]:
    files = files_below(folder)
    names = [file.relative_to(folder).as_posix() for file in files]
    wanted = [file for file, name in zip(files, names, strict=True) if is_wanted(name, config)]
    if not wanted:
        told = f"corpus.path: {nothing_wanted(folder, names, config)}"
        archive = next(filter(is_archive, files), None)
        if archive is not None:
            told += f"; archives are read by a pattern: {folder}/*{archive.suffix}"
        raise DataError(told)
    return wanted


def _check(file: Path, name: str, config: CorpusConfig, prefix: str) -> None:
    """Refuse a file that is known at a glance to have nothing of what is looked for.

    What is in an archive is known by its name with the prefix before it.
    """
    if is_archive(file):
        names = member_names(file) if file.suffix == ".zip" else None  # others are read for it
        if names is not None and not any(is_wanted(prefix + one, config) for one in names):
            raise DataError(nothing_wanted(file, names, config))
    elif config.form == "csv":
        next(csv_rows(file, config.encoding_of(name), config.column or ""), None)
    else:
        _require_form(file, config.form)


def _require_form(file: Path, form: str) -> None:
    """Refuse a file whose name says that it is of another form."""
    for other, suffixes in SUFFIXES.items():
        if other != form and other != "text" and file.suffix.lower() in suffixes:
            key = {"csv": "corpus.column", "jsonl": "corpus.field"}[other]
            raise DataError(
                f"{file}: corpus.form must be '{other}' for this file, and {key} say where its text"
                f" is (got '{form}'); if it is something else, rename it"
            )


def _wanted(config: CorpusConfig) -> str:
    if patterns := given_patterns(config):
        return f"files named {' or '.join(map(repr, patterns))}"
    return f"{' or '.join(SUFFIXES[config.form])} files"


def _require_content(file: Path, name: str) -> None:
    """Refuse what is no file, or one that would be passed over, whose name no table could hold."""
    place = f"corpus.path: {file}"
    if not os.path.isfile(file):  # Path.is_file raises where a folder may not be entered
        raise DataError(f"{place} must be a file, a folder or a pattern of files (found none)")
    if is_hidden(Path(name)):
        raise DataError(f"{place} must not be hidden, as files are whose names begin with a dot")
    if name != name.encode("utf-8", "replace").decode():
        raise DataError(f"corpus.path: {str(file)!a} must have a name in UTF-8")
    if file.stat().st_size == 0:
        raise DataError(f"{place} must hold text (found 0 bytes)")
