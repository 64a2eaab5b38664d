"""Where training stood after a step, on disk, so that it can go on bit for bit.

A checkpoint is two files, `step-N.npz` with the arrays and `step-N.json` with everything else, the
checksum of the arrays among it. The second is written last: without it there is no checkpoint.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from unrolled.arrays import read_arrays, write_arrays
from unrolled.errors import DataError
from unrolled.storage import read_json, sha256_of, write_json

FORMAT = 1
"""Raised when an older reader would misunderstand the files."""

KEPT = 2
"""So many checkpoints are kept, for the case that the last one is damaged."""

ABSENT = "absent"
"""What is said of an entry that one of two fingerprints has not."""


@dataclass(frozen=True)
class Checkpoint:
    """Where training stood.

    Attributes:
        step: how many steps had been made.
        values: whatever JSON can hold.
        arrays: the rest.
    """

    step: int
    values: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


class Checkpoints:
    """The checkpoints of one run in a folder of their own."""

    def __init__(self, folder: Path | str, fingerprint: Mapping[str, Any]) -> None:
        """None yet, or those that an earlier attempt has left.

        Args:
            folder: made when the first checkpoint is written.
            fingerprint: all that a run depends on: its configuration, code and data, as mappings of
                what JSON can hold. Training goes on from a checkpoint of an equal one alone.
        """
        self.folder = Path(folder)
        self._fingerprint = {"format": FORMAT, **fingerprint}
        self._own: list[Path] = []

    def newest(self, tell: Callable[[str], None]) -> Checkpoint | None:
        """The last one that is whole and of this fingerprint; None if there is none.

        What a kill has left half written is removed.

        Args:
            tell: is called with a line about each newer one that cannot serve.
        """
        for leftover in self.folder.glob(".step-*"):
            leftover.unlink()
        for place in sorted(self._places(), key=_step_of, reverse=True):
            try:
                checkpoint = self._read(place)
            except DataError as error:
                tell(f"{error}; it is passed over")
                continue
            self._own = [place]
            return checkpoint
        return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Write one, and remove all but the last ones of this run."""
        place = self.folder / f"step-{checkpoint.step:09}"
        arrays = place.with_suffix(".npz")
        write_arrays(arrays, checkpoint.arrays)
        content = {
            "step": checkpoint.step,
            "fingerprint": self._fingerprint,
            "arrays_sha256": sha256_of(arrays),
            "values": dict(checkpoint.values),
        }
        write_json(place.with_suffix(".json"), {**content, "sha256": _sha256_of_json(content)})
        self._own = [*(own for own in self._own if own != place), place][-KEPT:]
        for other in self._places():
            if other not in self._own:
                other.with_suffix(".json").unlink(missing_ok=True)
                other.with_suffix(".npz").unlink(missing_ok=True)

    def _places(self) -> set[Path]:
        """The files of checkpoints without their suffixes, halves of them too."""
        return {path.with_suffix("") for path in self.folder.glob("step-*.*")}

    def _read(self, place: Path) -> Checkpoint:
        """The checkpoint of a place.

        Raises:
            DataError: it is damaged, or of another fingerprint.
        """
        notes, arrays = place.with_suffix(".json"), place.with_suffix(".npz")
        content = read_json(notes)
        if not isinstance(content, dict) or content.pop("sha256", None) != _sha256_of_json(content):
            raise DataError(f"{notes} is damaged: its checksum is another")
        if different := list(_differences(content["fingerprint"], self._fingerprint)):
            raise DataError(f"{notes} is of another run: {'; '.join(different)}")
        if content["arrays_sha256"] != sha256_of(arrays):
            raise DataError(f"{arrays} is damaged: its checksum is another")
        return Checkpoint(content["step"], content["values"], read_arrays(arrays))


def newest_fingerprint(folder: Path) -> Mapping[str, Any] | None:
    """What the run of the last checkpoint depended on, as it says itself, whether or not it is
    whole; None without any.
    """
    notes = sorted(folder.glob("step-*.json"), key=_step_of)
    try:
        return dict(read_json(notes[-1])["fingerprint"]) if notes else None
    except (DataError, KeyError, TypeError, ValueError):
        return None


def _step_of(place: Path) -> int:
    number = place.stem.partition("-")[2]
    return int(number) if number.isdecimal() else -1


def _differences(
    before: Mapping[str, Any], now: Mapping[str, Any], name: str = ""
) -> Iterator[str]:
    """What two fingerprints do not have in common, entry by entry."""
    for key in dict.fromkeys([*before, *now]):
        one, other = before.get(key, ABSENT), now.get(key, ABSENT)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            yield from _differences(one, other, f"{name}{key}.")
        elif one != other:
            yield f"{name}{key} was {json.dumps(one)} and is {json.dumps(other)}"


def _sha256_of_json(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
