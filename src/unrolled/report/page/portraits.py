"""What the page shows of the best and the worst run, word by word, put together from its tables."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

from unrolled.analysis.measures import perplexity
from unrolled.analysis.units import PLACE, VARIANCE, WORD_CLASS
from unrolled.config.sections import Unit
from unrolled.report.numbers import number
from unrolled.report.page.material import Row
from unrolled.text.readable import pieces

SURPRISE_STEPS = (0.0, 0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0)
"""From how many nats on a word has each colour."""

VALUE_STEPS = 9
"""How many colours there are from -1 to 1."""

RULES = {VARIANCE: "varies most", PLACE: "place in sentence", WORD_CLASS: "word class"}
"""What each rule goes by, in few words."""

SAID = {
    VARIANCE: "varies most (its variance is {})",
    PLACE: "is most tied to the place in the sentence (a correlation of {})",
    WORD_CLASS: "is most tied to a class of the word just read (a correlation of {})",
}
"""What is said of the first unit that each rule picked."""

Shown = dict[str, Any]
"""What a section's template shows, and its `takeaway`: one sentence made from the numbers."""


def surprise(rows: Sequence[Row]) -> Shown:
    """Sentences under the best and the worst run, each word with its colour and five guesses.

    Args:
        rows: of portraits/surprisal.tsv.
    """
    by_sentence = sorted(rows, key=lambda row: int(row["sentence"]))  # which keeps the runs' order
    return {
        "takeaway": _first_guesses(rows),
        "scale": [f"{step:g}" for step in SURPRISE_STEPS],
        "sentences": [
            [_told(of_run) for of_run in _grouped(of_sentence, "role")]
            for of_sentence in _grouped(by_sentence, "sentence")
        ],
    }


def _first_guesses(rows: Sequence[Row]) -> str:
    told = []
    for role in dict.fromkeys(row["role"] for row in rows):
        right = [row["guess_1"] == _token(row) for row in rows if row["role"] == role]
        told.append(f"{_percent(fmean(right))} of the words are the {role} run's first guess")
    return f"In these sentences {', '.join(told)}."


def _token(row: Row) -> str:
    """What the network was to guess."""
    if row["word"] == "":
        return "SENTENCE_END"
    return row["word"] if row["known"] == "yes" else "UNKNOWN_TOKEN"


def _told(rows: Sequence[Row]) -> Shown:
    """A sentence under one run."""
    return {
        "role": rows[0]["role"],
        "run": rows[0]["run"],
        "perplexity": perplexity(fmean(float(row["surprisal_nats"]) for row in rows)),
        "words": [_surprising(row) for row in rows],
    }


def _surprising(row: Row) -> Shown:
    surprisal = float(row["surprisal_nats"])
    return {
        "id": f"guesses-{row['role']}-{row['sentence']}-{row['place']}",
        "word": row["word"],
        "known": row["known"] == "yes",
        "surprisal": surprisal,
        "step": sum(surprisal >= step for step in SURPRISE_STEPS[1:]),
        "guesses": [
            {"word": row[f"guess_{rank}"], "probability": row[f"probability_{rank}"]}
            for rank in range(1, 6)
            if row[f"probability_{rank}"]
        ],
    }


def wall(rows: Sequence[Row], unit: Unit) -> Shown:
    """Sentences by epoch and temperature, in pieces of which some were copied from training.

    Args:
        rows: of portraits/wall.tsv.
        unit: what a token is.
    """
    looks = _grouped(rows, "epoch")
    return {
        "takeaway": _copied(looks[-1]) if looks else "",
        "looks": [
            {
                "epoch": look[0]["epoch"],
                "is_best": look is looks[-1],
                "temperatures": [
                    {
                        "temperature": of_one[0]["temperature"],
                        "samples": [_sample(row, unit) for row in of_one],
                    }
                    for of_one in _grouped(look, "temperature")
                ],
            }
            for look in looks
        ],
    }


def _copied(rows: Sequence[Row]) -> str:
    """How much was copied at each temperature."""
    told = [
        f"{_percent(_copied_share(of_one))} at temperature {of_one[0]['temperature']}"
        for of_one in _grouped(rows, "temperature")
    ]
    return f"Of the trained network's words so many were copied from training: {', '.join(told)}."


def _copied_share(rows: Sequence[Row]) -> float:
    words = sum(len(row["tokens"].split(" ")) for row in rows if row["tokens"])
    return sum(int(row["copied_words"]) for row in rows) / words if words else 0.0


def _sample(row: Row, unit: Unit) -> Shown:
    """A sentence in pieces: whether each was copied, and its text with the space before it."""
    copied = {
        place
        for span in row["copied"].split()
        for place in range(int(span.split("-")[0]), int(span.split("-")[1]) + 1)
    }
    parts: list[Shown] = []
    for place, (space, text) in enumerate(pieces(row["tokens"].split(" "), unit), start=1):
        if parts and parts[-1]["copied"] == (place in copied):
            parts[-1]["text"] += space + text
        else:
            parts += [{"copied": False, "text": space}] if space else []
            parts.append({"copied": place in copied, "text": text})
    return {"pieces": parts, "is_cut": row["ended"] == "cut"}


def units(rows: Sequence[Row]) -> Shown:
    """What units do over sentences: a column for each unit, a row for each word.

    Args:
        rows: of portraits/units.tsv.
    """
    picked = list({row["unit"]: row for row in rows}.values())
    sentences = []
    for of_sentence in _grouped(sorted(rows, key=lambda row: int(row["sentence"])), "sentence"):
        by_place: dict[str, list[Row]] = {}
        for row in of_sentence:
            by_place.setdefault(row["place"], []).append(row)
        sentences.append(
            [
                {"word": values[0]["word"], "shown": list(map(_value, values))}
                for values in by_place.values()
            ]
        )
    return {
        "takeaway": _strongest(picked) if picked else "",
        "rules": [
            {"title": RULES[group[0]["rule"]], "units": group} for group in _grouped(picked, "rule")
        ],
        "sentences": sentences,
    }


def _strongest(picked: Sequence[Row]) -> str:
    """The first unit that each rule picked."""
    told = [
        f"unit {group[0]['unit']} {SAID[group[0]['rule']].format(number(group[0]['measure'], 2))}"
        for group in _grouped(picked, "rule")
    ]
    return f"{'; '.join(told)}.".capitalize()


def _value(row: Row) -> Shown:
    value = float(row["value"])
    return {"value": value, "step": round((value + 1) / 2 * (VALUE_STEPS - 1))}


def neighbours(rows: Sequence[Row]) -> Shown:
    """Words and those that are nearest to them.

    Args:
        rows: of portraits/neighbours.tsv.
    """
    shown = [{"word": row["word"], "near": _near(row)} for row in rows]
    nearest = [float(row["cosine_1"]) for row in rows if row["cosine_1"]]
    takeaway = (
        f"The cosine between a word and the nearest other one is {fmean(nearest):.2f} in the mean,"
        f" and {max(nearest):.2f} at most."
        if nearest
        else "Too few words are frequent enough to have neighbours."
    )
    return {"takeaway": takeaway, "rows": shown}


def _near(row: Row) -> list[Shown]:
    return [
        {"word": row[f"neighbour_{rank}"], "cosine": row[f"cosine_{rank}"]}
        for rank in range(1, 6)
        if row[f"cosine_{rank}"]
    ]


def _grouped(rows: Iterable[Row], key: str) -> list[list[Row]]:
    """Rows that follow each other with the same value in a column."""
    return [list(group) for _, group in groupby(rows, key=lambda row: row[key])]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
