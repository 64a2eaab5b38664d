"""Files by a pattern of their path, as in a shell: `texts/**/*.txt`.

Unlike `glob`, this follows no link to a folder, which may lead in a circle, and passes over no
folder that cannot be read.
"""

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from glob import has_magic
from pathlib import Path

from unrolled.errors import ConfigError, DataError


def split_pattern(path: str) -> tuple[Path, Sequence[str]]:
    """What a path begins with, and the parts of a pattern that follow; none where it is a path.

    A part that is there as it is written is no pattern, whatever signs it holds.

    Raises:
        ConfigError: the pattern leads up again, so that files would have no name below its start.
    """
    parts = Path(path).parts
    for place, part in enumerate(parts):
        if has_magic(part) and not os.path.exists(Path(*parts[: place + 1])):
            if ".." in parts[place:]:
                raise ConfigError(
                    f"corpus.path must have no '..' after the first sign of a pattern (got {path})"
                )
            return Path(*parts[:place]), parts[place:]
    return Path(path), ()


def matching_files(folder: Path, parts: Sequence[str]) -> list[Path]:
    """The files below a folder whose paths there fit a pattern part by part, sorted.

    `**` stands for any folders or none, at the end for all files below. Hidden files and folders
    are left out.

    Raises:
        DataError: a folder cannot be read.
    """
    return sorted(set(_matching(folder, parts)), key=Path.as_posix)


def _matching(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    part, *rest = parts
    if part == "**":
        yield from _matching(folder, rest or ["*"])
    for path in _shown(folder):
        is_folder = os.path.isdir(path) and not os.path.islink(path)
        if part == "**":
            if is_folder:
                yield from _matching(path, parts)
        elif fnmatchcase(path.name, part):
            if rest and is_folder:
                yield from _matching(path, rest)
            elif not rest and os.path.isfile(path):
                yield path


def _shown(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder) if not name.startswith(".")]
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from None
