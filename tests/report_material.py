"""A small sweep's results, made by hand, for the tests of the report."""

from typing import Any

from unrolled.report.flow import Flow
from unrolled.report.page import Material
from unrolled.report.pictures import DrawnPicture

FIGURES = [
    "frequencies",
    "lengths",
    "gradient_check",
    "loss",
    "arrival",
    "cosines",
    "singular_values",
    "activations",
    "perplexity",
    "differences",
    "spread",
]
"""The pictures that the stage `figures` draws."""

TIME_FIGURES = ["cost", "stages"]

BASELINES = [
    {"model": model, "split": split, "loss_nats_per_token": loss, "perplexity": perplexity}
    for split, model, loss, perplexity in (
        ("valid", "uniform", "2.302585", "10"),
        ("valid", "unigram", "1.9", "6.686"),
        ("valid", "bigram", "1.7", "5.474"),
        ("test", "uniform", "2.302585", "10"),
        ("test", "unigram", "2.0", "7.389"),
        ("test", "bigram", "1.8", "6.05"),
    )
]


def summary_row(
    name: str, hidden: str, depth: str, seed: str, validation: str, perplexity: str, **more: str
) -> dict[str, str]:
    """A row of summary.tsv as it is read; empty validation and perplexity for a run without."""
    return {
        "run": name,
        "cell": "elman",
        "hidden_size": hidden,
        "truncation_depth": depth,
        "seed": seed,
        "learning_rate": "1.0",
        "state": "finished" if perplexity else "diverged",
        "reason": "",
        "parameters": "120",
        "best_epoch": "2",
        "validation_loss_nats_per_token": validation,
        "test_loss_nats_per_token": "1.5" if perplexity else "",
        "test_perplexity": perplexity,
        "next_word_accuracy": "0.25" if perplexity else "",
        "uniform_perplexity": "10",
        "unigram_perplexity": "7.389",
        "bigram_perplexity": "6.05",
        **more,
    }


SUMMARY = [
    summary_row("a1", "5", "0", "1", "1.6", "5.0"),
    summary_row("a2", "5", "0", "2", "1.8", "5.4"),
    summary_row("b1", "5", "full", "1", "1.5", "4.8"),
    summary_row("b2", "5", "full", "2", "1.7", "5.6"),
    summary_row("c1", "9", "0", "1", "", "", reason="loss nan at step 7"),
]


def compared(
    error: float | str, histogram: dict[str, int], tiny: int = 0, skipped: int = 0
) -> dict[str, Any]:
    """How the gradient of a parameter compares with one numeric derivative."""
    return {
        "error": error,
        "worst_index": [0, 1],
        "analytic": 0.1,
        "numeric": 0.1,
        "compared_count": sum(histogram.values()),
        "tiny_count": tiny,
        "skipped_count": skipped,
        "relative_error_histogram": histogram,
    }


def checked(
    parameter: str, central: dict[str, Any], by_complex_step: dict[str, Any], passed: bool = True
) -> dict[str, Any]:
    """How the gradient of a parameter compares with both."""
    return {
        "parameter": parameter,
        "passed": passed,
        "plain_error": 0.25,
        "methods": {"central differences": central, "complex step": by_complex_step},
    }


def gradient_check(
    cell: str = "elman", depth: int | str = "full", trouble: str | None = None
) -> dict[str, Any]:
    """A gradient check as it is written, of two networks; with trouble, NaN in the first of them.

    Three parameters, 50 + 16 + 50 = 116 entries, 4 + 4 = 8 of them tiny and 6 + 6 = 12 skipped.
    """
    return {
        "cell": cell,
        "truncation_depth": depth,
        "passed": trouble is None,
        "trouble": trouble,
        "tolerances": {"central differences": 1e-7, "complex step": 1e-12},
        "central_step": 1e-5,
        "networks": [
            {
                "output": "softmax",
                "tied": False,
                "carried": False,
                "title": "softmax",
                "parameters": [
                    checked(
                        "input_weights",
                        compared("nan" if trouble else 2e-10, {"1e-10": 30, "1e-9": 20}, 4, 6),
                        compared("nan" if trouble else 3e-16, {"1e-17": 45, "1e-16": 5}, 4, 6),
                        passed=trouble is None,
                    ),
                    checked(
                        "recurrent_weights",
                        compared(4e-9, {"1e-10": 10, "1e-8": 6}),
                        compared(1e-16, {"1e-16": 16}),
                    ),
                ],
            },
            {
                "output": "softmax",
                "tied": False,
                "carried": True,
                "title": "softmax, state carried over",
                "parameters": [
                    checked(
                        "input_weights",
                        compared(5e-10, {"1e-9": 50}, 4, 6),
                        compared(2e-16, {"1e-16": 50}, 4, 6),
                    )
                ],
            },
        ],
        "planted_faults": [
            planted("flipped sign", "way back through time", 2, 2, 1.25),
            planted("NaN", "gradient of one parameter", 3, 3, "nan"),
            planted("flipped sign", "gradient of one parameter", 3, 3, 2.0),
        ],
    }


def planted(
    fault: str, place: str, count: int, caught: int, smallest_error: float | str
) -> dict[str, Any]:
    """What came of one fault in one place."""
    return {
        "fault": fault,
        "place": place,
        "planted": count,
        "caught": caught,
        "smallest_error": smallest_error,
    }


def overfitting_check(
    cell: str = "elman", depth: int | str = "full", loss: float | str = 0.03
) -> dict[str, Any]:
    """A check by two sentences as it is written; the loss is that of the network without ties."""
    passed = float(loss) <= 0.05
    networks = [("softmax", False, loss), ("softmax, tied weights", True, 0.025)]
    return {
        "cell": cell,
        "truncation_depth": depth,
        "passed": passed,
        "trouble": None if passed else f"{cell} at depth {depth}: not learned by heart",
        "steps": 300,
        "largest_loss": 0.05,
        "networks": [
            {
                "output": "softmax",
                "tied": tied,
                "carried": False,
                "title": title,
                "loss_nats_per_token": reached,
                "least_loss": 0.021,
            }
            for title, tied, reached in networks
        ],
    }


def initial_loss_check(cell: str = "elman", loss: float | str = 2.25) -> dict[str, Any]:
    """A check of an untrained network as it is written; guessing among ten words costs 2.3026."""
    passed = abs(float(loss) - 2.3026) <= 0.1
    return {
        "cell": cell,
        "hidden_size": 5,
        "title": "softmax",
        "passed": passed,
        "trouble": None if passed else f"an untrained {cell} network does not begin at guessing",
        "largest_difference": 0.1,
        "loss_nats_per_token": loss,
        "of_guessing": 2.3026,
    }


FLOW_TABLES: dict[str, list[dict[str, str]]] = {
    "arrival": [
        {"lag": lag, "outputs": outputs, "share": share}
        for lag, outputs, share in (
            ("0", "40", "1.0"),
            ("1", "40", "0.25"),
            ("2", "35", "0.05"),
            ("3", "29", "0.5"),  # too few to say anything
        )
    ],
    "cosines": [
        {"depth": depth, "cosine": cosine, "length_ratio": "0.9"}
        for depth, cosine in (("0", "0.75"), ("1", "0.95"), ("2", "0.995"), ("4", "1.0"))
    ],
    "singular_values": [
        {"gate": "state", "rank": "1", "before": "1.0", "after": "1.5"},
        {"gate": "state", "rank": "2", "before": "0.8", "after": "0.5"},
    ],
    "activations": [
        {"activation": "state", "function": "tanh", "from": low, "to": high, "share": share}
        for low, high, share in (("-6.0", "0.0", "0.4"), ("0.0", "6.0", "0.6"))
    ],
    "saturation": [
        {
            "activation": "state",
            "function": "tanh",
            "saturated_share": "0.125",
            "mean_relative_slope": "0.5",
        }
    ],
}
"""How gradients travel in a run of an Elman network, table by table."""

FLOW = Flow(**FLOW_TABLES)
NO_FLOW = Flow([], [], [], [], [])
"""That of a run that diverged."""

CLASSES: dict[str, Any] = {
    "words_alone": 3,
    "sizes": [2, 5],
    "telling": [
        {
            "class": "4",
            "share_of_tokens": "0.125",
            "information_nats": "1.375",
            "word_count": "5",
            "words": "cat dog",
        },
        {
            "class": "3",
            "share_of_tokens": "0.04",
            "information_nats": "0.5",
            "word_count": "2",
            "words": "barks sleeps",
        },
    ],
}
"""Word classes of which two tell something; of the first, two of five words are shown."""

PROFILE: dict[str, Any] = {
    "splits": {
        split: {
            "documents": 3,
            "sentences": 4,
            "tokens": 20,
            "types": 9,
            "unknown_rate": 0.05,
            "longest_token": "lengthy",
            "length_histogram": {"4": 1, "5": 2, "6": 1},
        }
        for split in ("train", "valid", "test")
    },
    "vocabulary_size": 10,
    "words_kept": 7,
    "word_frequencies": [[1, 4], [2, 3], [4, 2], [7, 2], [9, 1]],
    "rarest_kept": {"token": "rare", "count": 2},
    "accounts": {
        "rows": {"read": 31, "accepted": 30, "rejected": {"encoding": 1}},
        "documents": {"read": 9, "put_aside": {}, "train": 3, "valid": 3, "test": 3},
        "cleaning": {"control_characters": 5},
        "sentences": {"read": 14, "put_aside": {"short": 2}},
        "tokenizer": {"name": "nltk_word", "sentences": "punkt", "nltk": "3.10.4"},
    },
}


def drawn_picture(name: str) -> DrawnPicture:
    """A picture as it is read, its drawings empty."""
    return DrawnPicture(
        name,
        wide=f'<svg role="img" aria-label="wide {name}"></svg>',
        narrow=f'<svg role="img" aria-label="narrow {name}"></svg>',
        takeaway=f"What {name} says.",
        rows=[{"run": "a1", "some_value": "0.123456789"}],
    )


def surprisal_row(role: str, sentence: int, place: int, word: str, nats: float) -> dict[str, str]:
    """A word as the best or the worst run sees it, which expected five others."""
    guesses = {
        f"{column}_{rank}": value
        for rank in range(1, 6)
        for column, value in (("guess", f"guess{rank}"), ("probability", str(0.3 / rank)))
    }
    return {
        "role": role,
        "run": {"best": "b1", "worst": "a2"}[role],
        "sentence": str(sentence),
        "place": str(place),
        "word": word,
        "known": "yes",
        "surprisal_nats": str(nats),
        **guesses,
    }


SURPRISAL = [
    surprisal_row(role, sentence, place, word, nats)
    for role in ("best", "worst")
    for sentence in (1, 2)
    for place, (word, nats) in enumerate([("a", 0.2), ("dog", 9.5), ("", 1.5)], start=1)
]
WALL = [
    {
        "run": "b1",
        "epoch": epoch,
        "temperature": temperature,
        "sample": "1",
        "tokens": "the dog barks at the cat .",
        "ended": "yes",
        "copied": copied,
        "copied_words": str(5 if copied else 0),
    }
    for epoch, copied in (("0.0", ""), ("1.0", ""), ("2.0", "2-6"))
    for temperature in ("0.5", "0.8", "1.1")
]
UNITS = [
    {
        "run": "b1",
        "rule": rule,
        "unit": unit,
        "measure": "0.25",
        "detail": detail,
        "sentence": "1",
        "place": str(place),
        "word": word,
        "value": str(value),
    }
    for rule, unit, detail in (
        ("largest variance", "3", ""),
        ("most tied to a word class", "4", "."),
    )
    for place, (word, value) in enumerate([("a", -1.0), ("dog", 0.0), (".", 0.99)], start=1)
]
NEIGHBOURS = [
    {
        "run": "b1",
        "word": word,
        "rank_of_word": "30",
        "count": "12",
        **{
            f"{column}_{rank}": value
            for rank in range(1, 6)
            for column, value in (("neighbour", f"near{rank}"), ("cosine", str(0.9 / rank)))
        },
    }
    for word in ("dog", "barks")
]


def material(**more: Any) -> Material:
    """All that a page is written from, some of it replaced."""
    rows = more.get("summary", SUMMARY)
    runs = [row["run"] for row in rows]
    sample = {
        "sample": "1",
        "text": "A dog barks.",
        "tokens": "a dog barks .",
        "log_probability": "-7.5",
        "temperature": "1.0",
        "ended": "yes",
    }
    parts: dict[str, Any] = {
        "experiment": "trial",
        "config": {
            "about": None,
            "corpus": {"source": "path"},
            "classes": {"method": "brown"},
            "text": {"unit": "word"},
            "sampling": {"temperature": 1.0},
            "gradient_flow": {"sentences": 100, "deepest": 32},
            "evaluation": {"sentences": None},
        },
        "provenance": {
            "source": "path",
            "packages": {},
            "path": "dogs.txt",
            "urls": [],
            "downloaded_sha256": None,
            "licence": None,
            "citation": None,
            "files": 1,
            "bytes": 100,
            "sha256": "0" * 64,
        },
        "profile": PROFILE,
        "summary": SUMMARY,
        "baselines": BASELINES,
        "gradients": [gradient_check()],
        "overfitting": [overfitting_check()],
        "initial_losses": [initial_loss_check()],
        "classes": None,
        "samples": {run: [sample] for run in runs},
        "own_sentences": {},
        "own_words": {},
        "timing": {},
        "versions": {},
        "pictures": {name: drawn_picture(name) for name in (*FIGURES, *TIME_FIGURES, "agreement")},
        "surprisal": SURPRISAL,
        "wall": WALL,
        "units": UNITS,
        "neighbours": NEIGHBOURS,
    }
    return Material(**{**parts, **more})
