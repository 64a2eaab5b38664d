"""The benchmarks of corpora: that what they measure is still what is done."""

import json
from pathlib import Path

import pytest

import corpus_scale
import tokenizing
from corpus_material import fill
from unrolled.storage import read_json


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a very small text, of which few words are possible."""
    monkeypatch.setattr(corpus_scale, "TYPES", 300)
    monkeypatch.setattr(corpus_scale, "BLOCK_DOCUMENTS", 100)
    corpus_scale.write_text_of(20_000, tmp_path / "text.jsonl")
    return tmp_path


def test_a_text_has_the_size_asked_for_in_documents_of_sentences(folder: Path) -> None:
    lines = (folder / "text.jsonl").read_text("ascii").splitlines()

    texts = [json.loads(line)["text"] for line in lines]
    assert sum(map(len, lines)) + len(lines) >= 20_000
    assert len(texts) % 100 == 0
    assert {text.count(".") for text in texts} == {corpus_scale.SENTENCES_OF_A_DOCUMENT}
    assert all(text[0].isupper() and text.endswith(".") for text in texts)


def test_words_are_spelled_each_in_its_own_way() -> None:
    spelled = [corpus_scale._spelled(number) for number in range(10_000)]

    assert len(set(spelled)) == 10_000
    assert len(spelled[0]) == 2
    assert {len(word) for word in spelled} == {2, 4, 6}


def test_every_job_runs_on_such_a_text(folder: Path) -> None:
    for job in corpus_scale.JOBS.values():
        job(folder)

    assert read_json(folder / "profile.json")["accounts"]["rows"]["rejected"] == {}
    assert read_json(folder / "run/metrics.json")["state"] == "finished"
    assert (folder / "evaluation.tsv").exists()
    assert (folder / "flow/arrival.tsv").exists()


def test_tokens_are_counted_and_compared(tmp_path: Path) -> None:
    fill(tmp_path, {"texts/a.txt": "It's so. We cannot.", "texts/b.tokens": "It 's so .\n"})

    row = tokenizing._measured(tmp_path / "texts", rounds=1)

    # It 's so . We can not . It 's so .
    assert (row["sentences"], row["tokens"], row["tokens_that_differ"]) == (3, 12, 0)


def test_other_tokens_are_told_of() -> None:
    assert tokenizing._differing([["a"], ["b"]], [["a"], ["b", "c"]]) == 2
