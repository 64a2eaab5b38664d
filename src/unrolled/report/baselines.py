"""What the models are held against, as the report reads it from the table of baselines."""

from collections.abc import Mapping, Sequence

Row = Mapping[str, str]


def of_test(rows: Sequence[Row], column: str) -> dict[str, float]:
    """A column of the baselines on the test split, by name."""
    return _of_split(rows, "test", column)


def of_validation(rows: Sequence[Row], column: str) -> dict[str, float]:
    """A column of the baselines on the validation split, by name."""
    return _of_split(rows, "valid", column)


def floor(rows: Sequence[Row]) -> dict[str, float]:
    """The least possible loss by split, in nats per token; empty where no grammar tells it."""
    return {
        row["split"]: float(row["loss_nats_per_token"]) for row in rows if row["model"] == "grammar"
    }


def _of_split(rows: Sequence[Row], split: str, column: str) -> dict[str, float]:
    return {row["model"]: float(row[column]) for row in rows if row["split"] == split}
