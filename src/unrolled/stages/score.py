"""How probable a trained run finds the user's own sentences."""

from collections.abc import Iterable
from pathlib import Path

from unrolled.analysis.evaluation import ScoredSentence, score_sentence
from unrolled.model.files import read_model
from unrolled.storage import Cell, read_json, write_tsv
from unrolled.text.sentence_file import read_own_sentences
from unrolled.text.words import tokenizer

SENTENCE_COLUMNS = [
    "sentence",
    "text",
    "unknown_words",
    "log_probability",
    "log_probability_per_token",
]
WORD_COLUMNS = ["sentence", "position", "word", "token", "known", "log_probability"]


def run(
    sentences: Path | str, run_folder: Path | str, by_sentence: Path | str, by_word: Path | str
) -> None:
    """Write log-probabilities per sentence and per word; headers only if the run diverged.

    Args:
        sentences: a text file, one sentence a line.
        run_folder: of the trained run.
        by_sentence: the table of sentences to write.
        by_word: the table of words to write, ends included.

    Raises:
        DataError: the file is missing, not UTF-8, or has no sentence in it.
    """
    texts = read_own_sentences(sentences)
    finished = read_json(Path(run_folder) / "metrics.json")["state"] == "finished"
    scored = _scored(texts, Path(run_folder)) if finished else []
    write_tsv(by_sentence, SENTENCE_COLUMNS, _sentence_rows(texts, scored))
    write_tsv(by_word, WORD_COLUMNS, _word_rows(scored))


def _scored(texts: list[str], run_folder: Path) -> list[ScoredSentence]:
    network, vocabulary, config = read_model(run_folder / "model")
    tokens = tokenizer(config["unit"], config["tokenizer"], config["lowercase"])
    return [score_sentence(network, vocabulary, tokens(text)) for text in texts]


def _sentence_rows(texts: list[str], scored: list[ScoredSentence]) -> list[dict[str, Cell]]:
    return [
        {
            "sentence": number,
            "text": text,
            "unknown_words": sum(sentence.unknown),
            "log_probability": sentence.log_probability,
            "log_probability_per_token": sentence.log_probability / len(sentence.tokens),
        }
        for number, (text, sentence) in enumerate(zip(texts, scored, strict=False), start=1)
    ]


def _word_rows(scored: list[ScoredSentence]) -> Iterable[dict[str, Cell]]:
    for number, sentence in enumerate(scored, start=1):
        columns = zip(
            [*sentence.words, ""],
            sentence.tokens,
            sentence.unknown,
            sentence.log_probabilities,
            strict=True,
        )
        for position, (word, token, unknown, log_probability) in enumerate(columns, start=1):
            yield {
                "sentence": number,
                "position": position,
                "word": word,
                "token": token,
                "known": "no" if unknown else "yes",
                "log_probability": log_probability,
            }
