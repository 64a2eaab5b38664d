"""The stage that puts words into classes, and what the report shows of them."""

import io
import itertools
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from report_material import material
from unrolled.config.sections import ClassesConfig
from unrolled.errors import DataError
from unrolled.report.page import render
from unrolled.stages import classes, report
from unrolled.storage import read_tsv
from unrolled.text.brown import brown_classes
from unrolled.text.classes import WordClasses, read_classes
from unrolled.text.dataset import encode_documents, read_dataset, write_dataset
from unrolled.text.vocabulary import RESERVED, Vocabulary, write_vocabulary

KINDS = {
    "the": ["the", "a", "this"],
    "noun": [f"noun{number}" for number in range(20)],
    "verb": [f"verb{number}" for number in range(15)],
    "how": [f"how{number}" for number in range(15)],
    "unseen": [f"unseen{number}" for number in range(4)],
}
"""Words that stand in like places, and some that are never seen; the first noun is escaped."""
KINDS["noun"][0] = "<b>&"

WORDS = [word for kind in KINDS.values() for word in kind]
CONFIG = ClassesConfig(method="brown", count=12, words_alone=4, sweeps=5, size_penalty=0.001)


def sentences(seed: int = 1, count: int = 300) -> list[list[str]]:
    """The noun verb how: of each kind the first words are the most frequent ones."""
    rng = np.random.default_rng(seed)

    def word(kind: str) -> str:
        ranks = 1 / np.arange(1, len(KINDS[kind]) + 1)
        return str(rng.choice(KINDS[kind], p=ranks / ranks.sum()))

    return [[word("the"), word("noun"), word("verb"), word("how")] for _ in range(count)]


def write_small_corpus(folder: Path, text: list[list[str]]) -> Vocabulary:
    """The training split of a text and the vocabulary of all words, most frequent first."""
    counts = Counter(word for words in text for word in words)
    words = sorted(WORDS, key=lambda word: (-counts[word], word))
    vocabulary = Vocabulary(
        [*RESERVED, *words], [len(text), len(text), 0, *(counts[word] for word in words)]
    )
    write_vocabulary(folder / "vocabulary.tsv", vocabulary)
    write_dataset(folder / "encoded/train", encode_documents([text], vocabulary))
    return vocabulary


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_small_corpus(folder, sentences())
    return folder


def vocabulary_of(corpus: Path) -> Vocabulary:
    """All words, most frequent first."""
    rows = read_tsv(corpus / "vocabulary.tsv")
    return Vocabulary([row["token"] for row in rows], [int(row["count"]) for row in rows])


def run(corpus: Path, folder: Path, config: ClassesConfig = CONFIG) -> str:
    """Put words into classes and give back the log."""
    log = io.StringIO()
    classes.run(config, corpus, folder / "classes.tsv", folder / "telling.tsv", log)
    return log.getvalue()


def classes_in(corpus: Path, folder: Path) -> WordClasses:
    return read_classes(folder / "classes.tsv", vocabulary_of(corpus))


def predicted(corpus: Path) -> Counter[int]:
    """How often each word is predicted."""
    dataset = read_dataset(corpus / "encoded/train", len(vocabulary_of(corpus)))
    return Counter(int(word) for words in dataset for word in words[1:])


# Classes


def test_brown_classes_are_made_as_configured(corpus: Path, tmp_path: Path) -> None:
    training = read_dataset(corpus / "encoded/train", len(vocabulary_of(corpus)))
    configs = {
        "default": CONFIG,
        "one sweep": replace(CONFIG, sweeps=1),
        "a penalty": replace(CONFIG, size_penalty=0.5),
        "fewer": replace(CONFIG, count=5),
        "more alone": replace(CONFIG, words_alone=9),
        "by itself": replace(CONFIG, count=None),
    }
    tables = set()
    for name, config in configs.items():
        run(corpus, tmp_path / name, config)

        found = classes_in(corpus, tmp_path / name)
        expected = brown_classes(
            training, 60, config.words_alone, config.count, config.sweeps, config.size_penalty
        )
        np.testing.assert_array_equal(found.class_of, expected.class_of)
        np.testing.assert_array_equal(found.position, expected.position)
        tables.add((tmp_path / name / "classes.tsv").read_text("utf-8"))
    assert len(tables) == len(configs)  # everything that is configured matters


def test_brown_classes_put_words_of_like_places_together(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, replace(CONFIG, count=6, size_penalty=0.0))

    vocabulary, seen = vocabulary_of(corpus), predicted(corpus)
    kind_of = {word: kind for kind, words in KINDS.items() for word in words}
    for ids in classes_in(corpus, tmp_path).members:
        frequent = [int(word) for word in ids if seen[int(word)] >= 5]
        kinds = {kind_of.get(vocabulary.tokens[word]) for word in frequent}
        assert len(kinds) <= 1, kinds


def test_classes_by_frequency_are_made_of_what_is_predicted(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, replace(CONFIG, method="frequency", count=7, words_alone=3))

    found, seen = classes_in(corpus, tmp_path), predicted(corpus)
    ranked = sorted(range(60), key=lambda word: (-seen[word], word))
    assert [int(ids[0]) for ids in found.members[:3]] == ranked[:3]
    assert (found.words_alone, found.count) == (3, 10)
    # the classes cut the ranking into parts, the end being one of the most frequent words
    runs = [[seen[int(word)] for word in ids] for ids in found.members[3:]]
    runs.sort(key=lambda counts: -counts[0])
    joined = list(itertools.chain.from_iterable(runs))
    assert joined == sorted(joined, reverse=True)
    assert 1 in ranked[:3]
    assert int(found.class_of[0]) > 2  # the start is never predicted


def test_the_table_has_a_row_for_each_word_whatever_is_in_it(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path)

    rows = read_tsv(tmp_path / "classes.tsv")
    assert [row["token"] for row in rows] == list(vocabulary_of(corpus).tokens)
    assert sum(row["position"] == "" for row in rows) == 4


def test_the_log_shows_the_sweeps_and_both_log_and_terminal_what_came_of_them(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = run(corpus, tmp_path)

    sizes = [len(ids) for ids in classes_in(corpus, tmp_path).members if len(ids) > 1]
    line = f"word classes: 4 words alone, 12 classes of {min(sizes)} to {max(sizes)} words\n"
    assert capsys.readouterr().err == line
    assert log.endswith(line)
    assert "sweep 1" in log
    assert "sweep 2" in log


def test_classes_by_frequency_show_no_sweeps(corpus: Path, tmp_path: Path) -> None:
    log = run(corpus, tmp_path, replace(CONFIG, method="frequency"))

    assert log.startswith("word classes: 4 words alone, 12 classes of ")
    assert log.count("\n") == 1


@pytest.mark.parametrize("method", ["brown", "frequency"])
@pytest.mark.parametrize(("words_alone", "count"), [(59, None), (60, None), (999, None)])
def test_where_words_are_too_few_every_word_stands_alone_and_it_is_said(
    method: str,
    words_alone: int,
    count: int | None,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = ClassesConfig(method, count, words_alone, 3, 0.001)  # type: ignore[arg-type]  # one of two

    log = run(corpus, tmp_path, config)

    line = (
        "word classes: 60 words are too few for classes, every word stands alone, as in the plain"
        " softmax\n"
    )
    assert log == capsys.readouterr().err == line
    found = classes_in(corpus, tmp_path)
    assert (found.words_alone, found.count) == (60, 60)
    assert read_tsv(tmp_path / "telling.tsv") == []
    assert (tmp_path / "telling.tsv").read_text("utf-8").split() == classes.TELLING


@pytest.mark.parametrize("method", ["brown", "frequency"])
def test_more_classes_than_the_vocabulary_has_pairs_are_refused(
    method: str, corpus: Path, tmp_path: Path
) -> None:
    config = ClassesConfig(method, 29, 4, 3, 0.001)  # type: ignore[arg-type]  # one of two

    with pytest.raises(
        DataError,
        match=r"^classes\.count must be at most 28, half of the 56 words that do not stand alone"
        r" \(got 29\)$",
    ):
        run(corpus, tmp_path, config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["vocabulary.tsv", "encoded/train"])
def test_a_corpus_that_lacks_a_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    write_small_corpus(tmp_path, sentences(count=3))
    (tmp_path / name).rename(tmp_path / "elsewhere")

    with pytest.raises(DataError, match=str(tmp_path / name)):
        run(tmp_path, tmp_path)


# Telling classes


def by_hand(corpus: Path, found: WordClasses) -> dict[int, tuple[float, float]]:
    """Of each class its share of the predicted tokens, and how far what stands before it is from
    what stands before any; bigram by bigram.
    """
    dataset = read_dataset(corpus / "encoded/train", len(found))
    class_of = [*found.class_of.tolist()]
    pairs = [
        (-1 if previous == 0 else class_of[previous], class_of[following])
        for words in dataset
        for previous, following in itertools.pairwise(words.tolist())
    ]
    both, total = Counter(pairs), len(pairs)
    before, after = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    return {
        number: (
            after[number] / total,
            math.fsum(
                count / after[number] * math.log((count / after[number]) / (before[first] / total))
                for (first, second), count in both.items()
                if second == number
            ),
        )
        for number in after
    }


@pytest.mark.parametrize("method", ["brown", "frequency"])
@pytest.mark.parametrize("count", [1, 5, 14])
def test_the_telling_classes_are_those_that_say_most_about_the_word_before(
    method: str, count: int, corpus: Path, tmp_path: Path
) -> None:
    run(corpus, tmp_path, ClassesConfig(method, count, 4, 3, 0.001))  # type: ignore[arg-type]  # one of two

    found, vocabulary = classes_in(corpus, tmp_path), vocabulary_of(corpus)
    expected = by_hand(corpus, found)
    shared = [number for number in expected if len(found.members[number]) > 1]
    shared.sort(key=lambda number: -math.prod(expected[number]))
    rows = read_tsv(tmp_path / "telling.tsv")
    assert list(rows[0]) == ["class", "share_of_tokens", "information_nats", "word_count", "words"]
    assert [int(row["class"]) for row in rows] == shared[:10]
    for row in rows:
        number = int(row["class"])
        share, nats = expected[number]
        assert float(row["share_of_tokens"]) == pytest.approx(share, rel=1e-12)
        assert float(row["information_nats"]) == pytest.approx(nats, rel=1e-9)
        members = found.members[number].tolist()
        assert int(row["word_count"]) == len(members) > 1
        assert row["words"].split(" ") == [vocabulary.tokens[word] for word in members[:24]]


def test_of_a_large_class_the_most_frequent_words_are_listed(corpus: Path, tmp_path: Path) -> None:
    run(corpus, tmp_path, replace(CONFIG, method="frequency", count=1))

    (row,) = read_tsv(tmp_path / "telling.tsv")
    words, vocabulary, seen = row["words"].split(" "), vocabulary_of(corpus), predicted(corpus)
    ranked = sorted(range(60), key=lambda word: (-seen[word], word))
    assert (row["word_count"], len(words)) == ("56", 24)
    assert words == [vocabulary.tokens[word] for word in ranked[4:28]]


def test_classes_that_tell_nothing_are_not_listed(tmp_path: Path) -> None:
    # one sentence again and again: a word is known from the word before, classes never seen tell
    # nothing
    write_small_corpus(tmp_path, [["the", "noun1", "verb1", "how1"]] * 5)

    run(tmp_path, tmp_path, replace(CONFIG, method="frequency", words_alone=0, count=20))

    rows = read_tsv(tmp_path / "telling.tsv")
    assert 1 <= len(rows) <= 5
    assert all(float(row["share_of_tokens"]) > 0 for row in rows)
    assert all(float(row["information_nats"]) > 0 for row in rows)


# The report


def page_of(corpus: Path, folder: Path, config: ClassesConfig) -> str:
    """The report's section about the classes that the stage has made."""
    folder.mkdir(exist_ok=True)
    (folder / "vocabulary.tsv").write_bytes((corpus / "vocabulary.tsv").read_bytes())
    run(corpus, folder, config)
    (folder / "telling.tsv").rename(folder / "telling_classes.tsv")
    resolved = {**material().config, "classes": vars(config)}

    page = render(material(classes=report._classes(folder), config=resolved))
    return page[page.index('<h2 id="classes">') : page.index('<h2 id="network">')]


def test_the_report_shows_the_words_of_telling_classes_as_text(
    corpus: Path, tmp_path: Path
) -> None:
    section = page_of(corpus, tmp_path, CONFIG)

    sizes = [len(ids) for ids in classes_in(corpus, tmp_path).members if len(ids) > 1]
    assert "4 words stand alone, each of them a class of its own" in section
    assert f"in 12 classes of {min(sizes)} to {max(sizes)} words, put together by what" in section
    assert section.count("<tr>") == 1 + 10
    assert "<b>" not in section
    assert "&lt;b&gt;&amp;" in section
    assert "<bdi>noun1</bdi> " in section


def test_the_report_marks_classes_of_which_not_all_words_are_shown(
    corpus: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, method="frequency", count=1)

    large, small = (
        page_of(corpus, tmp_path / name, one)
        for name, one in (("large", config), ("small", replace(config, count=12)))
    )

    assert "in 1 class of 56 words, put together by how frequent they are" in large
    assert large.count(" …</td><td>56</td>") == 1
    assert "…" not in small


def test_the_report_has_nothing_to_tell_where_every_word_stands_alone(
    corpus: Path, tmp_path: Path
) -> None:
    section = page_of(corpus, tmp_path, replace(CONFIG, words_alone=60, count=None))

    assert "60 words stand alone, each of them a class of its own." in section
    assert "No class tells anything about the word before." in section
    assert "<table>" not in section


def test_the_report_of_runs_without_classes_has_no_such_section() -> None:
    page = render(material(classes=None))

    assert 'id="classes"' not in page
    assert "stand alone" not in page
