"""What lies below a folder, and its checksums."""

import hashlib
import os
from pathlib import Path

from unrolled.errors import DataError
from unrolled.storage import sha256_of


def files_below(folder: Path) -> list[Path]:
    """Every regular file below a folder, in the order of the paths, which no locale moves.

    Hidden files and folders are left out: Snakemake and file managers put notes of their own there.

    Raises:
        DataError: a folder cannot be read.
    """
    try:
        walk = list(os.walk(folder, onerror=_raise))
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read: {error.strerror}") from None
    files = [Path(parent, name) for parent, _, names in walk for name in names]
    shown = (file for file in files if not is_hidden(file.relative_to(folder)))
    return sorted(filter(os.path.isfile, shown), key=Path.as_posix)


def sha256_of_folder(folder: Path) -> str:
    """The checksum of every name and content below a folder.

    It is that of the listing which `sha256sum --zero` makes of the sorted relative names: checksum,
    two spaces, name, NUL. No name holds a NUL, so no two folders share a listing.
    """
    listing = hashlib.sha256()
    for file in files_below(folder):
        name = os.fsencode(file.relative_to(folder).as_posix())
        listing.update(sha256_of(file).encode() + b"  " + name + b"\0")
    return listing.hexdigest()


def is_hidden(name: Path) -> bool:
    """Whether a path leads through something whose name begins with a stop."""
    return any(part.startswith(".") for part in name.parts)


def _raise(error: OSError) -> None:
    raise error
