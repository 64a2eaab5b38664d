"""A small sweep's results, made by hand, for the tests of the report."""

from typing import Any

from unrolled.report.page import Material

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


def check(passed: bool = True, tied: bool = False, output: str = "softmax") -> dict[str, Any]:
    """A gradient check as it is written."""
    return {
        "cell": "elman",
        "output": output,
        "tied_weights": tied,
        "truncation_depth": "full",
        "passed": passed,
        "tolerance": 1e-7,
        "parameters": [
            {
                "parameter": "input_weights",
                "passed": passed,
                "error": 2e-10 if passed else "nan",
                "worst_index": [0, 1],
                "analytic": 0.1,
                "numeric": 0.1,
                "plain_error": 0.3,
                "compared_count": 50,
                "tiny_count": 4,
                "relative_error_histogram": {"1e-10": 30, "1e-9": 20},
            }
        ],
    }


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
    "rarest_kept": {"token": "rare", "count": 2},
    "rejected_sentences": {"short": 2},
}


def material(**more: Any) -> Material:
    """All that a page is written from, some of it replaced."""
    runs = [row["run"] for row in more.get("summary", SUMMARY)]
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
            "classes": {"method": "brown"},
            "sampling": {"temperature": 1.0},
            "evaluation": {"sentences": None},
        },
        "provenance": {
            "source": "path",
            "packages": {},
            "path": "dogs.txt",
            "url": None,
            "licence": None,
            "files": 1,
            "bytes": 100,
            "sha256": "0" * 64,
        },
        "profile": PROFILE,
        "summary": SUMMARY,
        "baselines": BASELINES,
        "checks": [check()],
        "classes": None,
        "samples": {run: [sample] for run in runs},
        "own_sentences": {},
        "own_words": {},
        "timing": {},
        "versions": {},
        "figures": dict.fromkeys(
            ("loss", "perplexity", "spread", "gradient_check", "lengths"), "<svg></svg>"
        ),
    }
    return Material(**{**parts, **more})
