"""Pages of the report to be opened in a browser: made by hand, with drawings as they are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from flow_material import flows_of, sweep_of
from report_material import (
    BASELINES,
    CLASSES,
    NO_FLOW,
    PROFILE,
    gradient_check,
    material,
)
from unrolled.analysis.units import PLACE, VARIANCE, WORD_CLASS
from unrolled.report.drawing import Picture, write_picture
from unrolled.report.figures import (
    activation_picture,
    arrival_picture,
    cosine_picture,
    cost_picture,
    difference_picture,
    frequency_picture,
    gradient_picture,
    length_picture,
    loss_picture,
    perplexity_picture,
    side_by_side_picture,
    singular_value_picture,
    spread_picture,
    stage_picture,
)
from unrolled.report.figures.agreement import agreement_picture
from unrolled.report.page import PICTURES_OF_WORDS, Material, render, render_section
from unrolled.report.page.side_by_side import Experiment, render_side_by_side
from unrolled.report.pictures import DrawnPicture, read_picture
from unrolled.report.runs import best_run, by_setting, run_results, worst_run

Row = dict[str, str]
Rows = Sequence[Row]
Pictures = dict[str, DrawnPicture]

EPOCHS = 3
FLOOR = 3.5
"""The least possible perplexity."""

GRAMMAR = [
    {"model": "grammar", "split": split, "loss_nats_per_token": "1.25", "perplexity": str(FLOOR)}
    for split in ("valid", "test")
]

WORDS = ("the", "dog", "that", "the", "old", "cat", "sees", "barks", "unforgettably", ".")

LETTERS = "x" * 10_000

HOSTILE = (
    "自然语言处理是人工智能领域中的一个重要方向它研究人与计算机之间用自然语言进行通信的方法",
    "<script>window.harmed=1</script>",
    "<img/src=x/onerror=window.harmed=2>",
    '"onfocus=window.harmed=3/autofocus/x="',
    "</style><b>",
    "&lt;b&gt;",
    "{{7*7}}",
    "{%raw%}",
    "\u202egnirts",  # written from right to left, and what follows it too if it is let
    "\u2067שלום",
    "\U0001f600\U0001d518",
    LETTERS,
)
"""Words that try to be more than text, and some that are only unlike English ones."""


def sweep(
    cells: Sequence[str], sizes: Sequence[int], depths: Sequence[str], seeds: int
) -> list[Row]:
    """Finished runs of which none is as good as another: perplexities 5, 5.3, 5.6 and so on."""
    return [
        row
        | {
            "test_perplexity": str(round(5 + 0.3 * place, 1)),
            "next_word_accuracy": str(round(0.5 / (1 + place), 3)),
            "best_epoch": str(1 + place % EPOCHS),
            "excess_nats_per_token": str(round(0.01 + 0.02 * place, 2)),
            "excess_standard_error": "0.005",
        }
        for place, row in enumerate(sweep_of(cells, sizes, depths, seeds))
    ]


def ended(row: Row, state: str, reason: str) -> Row:
    """The same run, without any result."""
    results = (name for name in row if name.endswith(("_token", "_error", "_accuracy")))
    nothing = dict.fromkeys([*results, "test_perplexity", "best_epoch"], "")
    return {**row, **nothing, "state": state, "reason": reason}


ALL = sweep(("elman", "gru", "lstm"), (5, 50), ("0", "full"), 2)
ALL[-2:] = [ended(row, "diverged", "loss nan at step 7") for row in ALL[-2:]]
SMALL = sweep(("elman",), (5,), ("0", "full"), 2)
MISSING = [*SMALL[:-1], ended(SMALL[-1], "missing", " ".join(HOSTILE))]
DIVERGED = [ended(row, "diverged", "loss nan at step 7") for row in SMALL]
MANY = sweep(("elman", "gru"), tuple(range(5, 55, 5)), ("0", "1", "2", "4", "full"), 3)
"""Rows of summaries: 24 runs of 12 settings, of which one has diverged; 4 runs of 2 settings, all
finished, one missing, and none finished; and 300 runs of 100 settings.
"""


PAGES = (
    "all of it",
    "hostile",
    "one missing",
    "all diverged",
    "one run",
    "many",
    *(f"section {name}" for name in PICTURES_OF_WORDS),
    "side by side",
)


def write_pages(folder: Path) -> dict[str, Path]:
    """Write every page that is opened, and give back their files by name.

    The pictures of many runs are those of their results; further ones are drawn elsewhere.
    """
    pages = {**pages_of_sweeps(folder), "side by side": page_side_by_side(folder)}
    files = {name: folder / f"{name.replace(' ', '-')}.html" for name in pages}
    for name, html in pages.items():
        files[name].write_text(html, encoding="utf-8")
    return files


def pages_of_sweeps(folder: Path) -> dict[str, str]:
    """The pages of single experiments, and of single sections, as HTML."""
    shared = pictures_of_all(folder)
    ways = pictures_of_ways(ALL, folder)

    def pictures(rows: Rows) -> Pictures:
        return shared | pictures_of_ways(rows, folder) | pictures_of_results(rows, folder)

    whole = material_of(ALL, WORDS, shared | ways | pictures_of_results(ALL, folder))
    missing = pictures(MISSING)
    foreign = hostile(material_of(MISSING, HOSTILE, missing))
    return {
        "all of it": render(whole),
        "hostile": render(foreign),
        "one missing": render(material_of(MISSING, WORDS, missing)),
        "all diverged": render(material_of(DIVERGED, WORDS, pictures(DIVERGED))),
        "one run": render(material_of(SMALL[:1], WORDS, pictures(SMALL[:1]))),
        "many": render(material_of(MANY, WORDS, shared | ways | pictures_of_results(MANY, folder))),
        **{
            f"section {name}": render_section(foreign if name == "surprise" else whole, section)
            for name, section in PICTURES_OF_WORDS.items()
        },
    }


def page_side_by_side(folder: Path) -> str:
    """Three experiments beside each other, as HTML."""
    shown = experiments(folder)
    together = side_by_side_picture(
        {one.name: one.settings for one in shown},
        {one.name: one.test_perplexities["bigram"] for one in shown},
    )
    return render_side_by_side(shown, drawn(together, folder))


def hostile(shown: Material) -> Material:
    """Text that is not plain, also in all places where a page shows what is no sentence."""
    text = " ".join(HOSTILE)
    return replace(
        shown,
        config={**shown.config, "about": text, "evaluation": {"sentences": text}},
        provenance={**shown.provenance, "path": text, "licence": text},
        profile={**shown.profile, "rarest_kept": {"token": HOSTILE[1], "count": 1}},
        gradients=[gradient_check(trouble=text)],
        beside={"near": text},
        entropy=None,
    )


def material_of(rows: Rows, words: Sequence[str], pictures: Pictures) -> Material:
    """All that a page with every section is written from.

    Args:
        rows: of the summary.
        words: that every sentence is made of.
        pictures: by name.
    """
    runs = run_results(rows)
    best, worst = best_run(runs), worst_run(runs)
    finished = [run.name for run in runs if run.finished]
    parts: dict[str, Any] = {
        "config": {**material().config, "evaluation": {"sentences": "own.txt"}},
        "summary": rows,
        "baselines": [*BASELINES, *GRAMMAR],
        "classes": {**CLASSES, "telling": [{**CLASSES["telling"][0], "words": " ".join(words)}]},
        "samples": {run: [sample_row(words)] * 3 for run in finished},
        "own_sentences": {run: [own_sentence(words)] for run in finished},
        "own_words": {run: own_words(words) for run in finished},
        "timing": {run: timing_row(place) for place, run in enumerate(finished)},
        "pictures": pictures,
        "agreement": agreement_rows(rows),
        "beside": {"near": "Words agree with near ones.", "far": None},
        "versions": {"unrolled": "0.1.0", "python": "3.12.1", "numpy": "2.4.1"},
        "entropy": {"symbols": 8, "words": 7, "entropy_nats_per_token": 1.25},
        "surprisal": [],
        "wall": [],
        "units": [],
        "neighbours": [],
    }
    if best and worst:
        parts |= {
            "surprisal": surprisal_rows({"best": best.name, "worst": worst.name}, words),
            "wall": wall_rows(best.name, words),
            "units": unit_rows(best.name, words),
            "neighbours": neighbour_rows(best.name, words),
        }
    return material(**parts)


def experiments(folder: Path) -> list[Experiment]:
    """One that finished, one with a hostile text, and one in which no run finished."""
    return [
        experiment("trial", ALL, WORDS, "A sweep of three cells.", folder),
        experiment("a-long-name-of-an-experiment", SMALL, HOSTILE, " ".join(HOSTILE), folder),
        experiment("nothing-finished", DIVERGED, WORDS, None, folder),
    ]


def experiment(
    name: str, rows: Rows, words: Sequence[str], about: str | None, folder: Path
) -> Experiment:
    """One of several that stand side by side."""
    best = best_run(run_results(rows))
    return Experiment(
        config={
            "experiment": name,
            "about": about,
            "corpus": {"path": " ".join(words)},
            "text": {"unit": "word"},
        },
        profile=PROFILE,
        summary=rows,
        baselines=BASELINES,
        wall=wall_rows(best.name, words) if best else [],
        perplexity=drawn(perplexity_picture(by_setting(run_results(rows))), folder),
    )


def pictures_of_all(folder: Path) -> Pictures:
    """What no run changes: of the corpus, of the proofs and of the jobs."""
    return _drawn(
        folder,
        frequency_picture(PROFILE),
        length_picture(PROFILE),
        gradient_picture([gradient_check(), gradient_check("gru", 2)]),
        stage_picture([("train", 40.0), ("train", 50.0), ("evaluate", 4.0), ("check", 0.5)]),
    )


def pictures_of_ways(rows: Rows, folder: Path) -> Pictures:
    """How runs were trained, how gradients travel in them, and how far they remember."""
    settings = by_setting(run_results(rows))
    finished = [row for row in rows if row["state"] == "finished"]
    flows = {row["run"]: NO_FLOW for row in rows} | flows_of(finished)
    losses = {"uniform": 2.3, "unigram": 1.9, "bigram": 1.7, "grammar": 1.25}
    return _drawn(
        folder,
        loss_picture(settings, history_rows(finished), losses),
        arrival_picture(settings, flows),
        cosine_picture(settings, flows),
        singular_value_picture(settings, flows),
        activation_picture(settings, flows),
        agreement_picture(agreement_rows(rows)),
    )


def pictures_of_results(rows: Rows, folder: Path) -> Pictures:
    """What runs have come to."""
    settings = by_setting(run_results(rows))
    perplexities = {"uniform": 10.0, "unigram": 7.389, "bigram": 6.05, "grammar": FLOOR}
    seconds = {row["run"]: 1.5 * (1 + place) for place, row in enumerate(rows)}
    return _drawn(
        folder,
        perplexity_picture(settings, FLOOR),
        difference_picture(settings),
        spread_picture(settings, perplexities),
        cost_picture(settings, seconds),
    )


def _drawn(folder: Path, *pictures: Picture) -> Pictures:
    return {picture.name: drawn(picture, folder) for picture in pictures}


def drawn(picture: Picture, folder: Path) -> DrawnPicture:
    """A picture as the page gets it: written, and read again."""
    write_picture(folder, picture)
    return read_picture(folder, picture.name)


def history_rows(rows: Rows) -> Rows:
    """Losses that fall from epoch to epoch, by as much in each run."""
    return [
        {
            "run": row["run"],
            "epoch": str(epoch),
            "learning_rate": str(1 / epoch) if epoch else "",
            "train_loss_nats_per_token": str(2.2 - 0.2 * epoch) if epoch else "",
            "validation_loss_nats_per_token": str(2.3 - 0.15 * epoch),
        }
        for row in rows
        for epoch in range(EPOCHS + 1)
    ]


def agreement_rows(rows: Rows) -> Rows:
    """Agreeing words of finished runs, known the worse the more words lie in between."""
    return [
        {
            "experiment": "trial",
            **{key: row[key] for key in ("run", "cell", "hidden_size", "truncation_depth", "seed")},
            "further": "",
            "distance": str(distance),
            "words": "100",
            "loss_nats": str(0.2 * distance + 0.1 * int(row["seed"])),
            "standard_error": "0.01",
            "floor_nats": "0.0",
            "chance_nats": "2.0",
        }
        for row in rows
        if row["state"] == "finished"
        for distance in (0, 1, 2, 4, 8)
    ]


def sample_row(words: Sequence[str]) -> Row:
    """A sentence that was drawn, cut before its end."""
    return {
        "sample": "1",
        "text": " ".join(words),
        "tokens": " ".join(words),
        "log_probability": "-7.5",
        "temperature": "1.0",
        "ended": "cut",
    }


def own_sentence(words: Sequence[str]) -> Row:
    """A sentence of the user's, as a run scored it."""
    return {
        "sentence": "1",
        "text": " ".join(words),
        "unknown_words": "1",
        "log_probability": "-31.5",
        "log_probability_per_token": "-3.15",
    }


def own_words(words: Sequence[str]) -> Rows:
    """Its words and its end, the first of them unknown."""
    return [
        {
            "sentence": "1",
            "word": word,
            "known": "no" if place == 0 else "yes",
            "log_probability": "-3.15",
        }
        for place, word in enumerate([*words, ""])
    ]


def timing_row(place: int) -> Row:
    """Of a run."""
    return {"seconds": str(1.5 + place), "tokens_per_second": "50000", "peak_memory_mb": "127"}


def surprisal_rows(runs: Mapping[str, str], words: Sequence[str]) -> Rows:
    """Two sentences under the best and the worst run; guesses are made of the same words."""
    guesses = {
        f"{column}_{rank}": value
        for rank in range(1, 6)
        for column, value in (
            ("guess", words[-rank % len(words)]),
            ("probability", str(0.3 / rank)),
        )
    }
    return [
        {
            "role": role,
            "run": run,
            "sentence": str(sentence),
            "place": str(place),
            "word": word,
            "known": "yes",
            "surprisal_nats": str(1.3 * (place % 8)),
            **guesses,
        }
        for role, run in runs.items()
        for sentence in (1, 2)
        for place, word in enumerate([*words, ""], start=1)
    ]


def wall_rows(run: str, words: Sequence[str]) -> Rows:
    """Sentences before, during and after training; five words of the last ones are copied."""
    return [
        {
            "run": run,
            "epoch": epoch,
            "temperature": temperature,
            "sample": "1",
            "tokens": " ".join(words),
            "ended": "yes",
            "copied": copied,
            "copied_words": str(5 if copied else 0),
        }
        for epoch, copied in (("0.0", ""), ("1.0", ""), ("2.0", "2-6"))
        for temperature in ("0.5", "0.8", "1.1")
    ]


def unit_rows(run: str, words: Sequence[str]) -> Rows:
    """Six units over two sentences, each value from -1 to 1 among theirs."""
    picked = [
        (VARIANCE, "3", ""),
        (VARIANCE, "14", ""),
        (PLACE, "15", ""),
        (PLACE, "92", ""),
        (WORD_CLASS, "65", " ".join(words[:3])),
        (WORD_CLASS, "35", words[-1]),
    ]
    return [
        {
            "run": run,
            "rule": rule,
            "unit": unit,
            "measure": "0.25",
            "detail": detail,
            "sentence": sentence,
            "place": str(place),
            "word": word,
            "value": str(round(-1 + 2 * ((place + column) % 9) / 8, 2)),
        }
        for sentence in ("1", "2")
        for place, word in enumerate(words, start=1)
        for column, (rule, unit, detail) in enumerate(picked)
    ]


def neighbour_rows(run: str, words: Sequence[str]) -> Rows:
    """Of each word, five others."""
    return [
        {
            "run": run,
            "word": word,
            "rank_of_word": "30",
            "count": "12",
            **{
                f"{column}_{rank}": value
                for rank in range(1, 6)
                for column, value in (
                    ("neighbour", words[(place + rank) % len(words)]),
                    ("cosine", str(0.9 / rank)),
                )
            },
        }
        for place, word in enumerate(words)
    ]
