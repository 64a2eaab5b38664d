"""The recurrent cells. A new one is a module here, as `cell.Cell` has it, and a line below."""

from collections.abc import Mapping

from unrolled.model.cells import elman, gru, lstm
from unrolled.model.cells.cell import Cell

CELLS: Mapping[str, Cell] = {
    "elman": elman,
    "gru": gru,
    "lstm": lstm,
}
