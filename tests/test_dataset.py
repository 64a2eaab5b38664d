"""A split as ids in three arrays."""

import itertools
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import TEXTS
from unrolled.arrays import write_array
from unrolled.errors import DataError
from unrolled.text import dataset as module
from unrolled.text.dataset import (
    FILES,
    Dataset,
    encode_documents,
    encode_sentences,
    read_dataset,
    write_dataset,
)
from unrolled.text.sentence_file import sentences_of
from unrolled.text.vocabulary import RESERVED, Vocabulary

TEXT = [[["a", "b"], ["a"]], [["b", "x", "a"]]]
"""Two documents of two sentences and of one."""

VOCABULARY = Vocabulary([*RESERVED, "a", "b"], [1, 1, 0, 2, 1])
"""a is 3 and b is 4."""


def dataset_of(text: list[list[list[str]]]) -> tuple[Dataset, Vocabulary]:
    """A split under the vocabulary of its own words."""
    counts = Counter(word for part in text for words in part for word in words)
    vocabulary = Vocabulary([*RESERVED, *counts], [1, 1, 0, *counts.values()])
    return encode_documents(text, vocabulary), vocabulary


def mapped_bytes(folder: Path) -> int:
    """How much memory this process holds of the files of a folder."""
    held, inside = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        key, *rest = line.split()
        if not key.endswith(":"):  # the line that names the file
            inside = bool(rest) and rest[-1].startswith(f"{folder}/")
        elif inside and key == "Rss:":
            held += int(rest[0]) * 1024
    return held


@pytest.fixture(scope="module")
def long_split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A split of eight million ids, which are 32 MB, in sentences of forty."""
    folder = tmp_path_factory.mktemp("long")
    sentence = np.array([0, *[3] * 38, 1], dtype=np.int32)
    write_array(folder / "ids.npy", np.tile(sentence, 200_000))
    write_array(folder / "sentences.npy", np.arange(0, 8_000_001, 40))
    write_array(folder / "documents.npy", np.array([0, 200_000]))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("dataset")


class TestEncodeDocuments:
    def test_sentences_stand_one_after_the_other_with_starts_and_ends(self) -> None:
        dataset = encode_documents(TEXT, VOCABULARY)

        assert dataset.ids.tolist() == [0, 3, 4, 1, 0, 3, 1, 0, 4, 2, 3, 1]
        assert dataset.ids.dtype == np.int32

    def test_offsets_say_where_sentences_and_documents_begin(self) -> None:
        dataset = encode_documents(TEXT, VOCABULARY)

        # Lengths with start and end: 4, 3 and 5 ids; 2 sentences and 1.
        assert dataset.sentences.tolist() == [0, 4, 7, 12]
        assert dataset.documents.tolist() == [0, 2, 3]
        assert dataset.sentences.dtype == dataset.documents.dtype == np.int64

    def test_all_words_and_ends_are_predicted_and_no_start(self) -> None:
        # 2 + 1 + 3 words and 3 ends
        assert encode_documents(TEXT, VOCABULARY).prediction_count == 9

    @given(text=TEXTS)
    def test_decoding_it_gives_the_text_back(self, text: list[list[list[str]]]) -> None:
        dataset, vocabulary = dataset_of(text)

        sentences = [vocabulary.decode(ids[1:-1]) for ids in dataset]
        bounds = zip(dataset.documents[:-1], dataset.documents[1:], strict=True)
        assert [sentences[first:last] for first, last in bounds] == text

    def test_neighbours_are_what_is_read_and_what_follows_it(self) -> None:
        previous, following = encode_documents(TEXT, VOCABULARY).neighbours

        # Nothing follows an end, and no start is predicted.
        assert previous.tolist() == [0, 3, 4, 0, 3, 0, 4, 2, 3]
        assert following.tolist() == [3, 4, 1, 3, 1, 4, 2, 3, 1]

    @given(text=TEXTS)
    def test_neighbours_are_the_pairs_of_each_sentence(self, text: list[list[list[str]]]) -> None:
        dataset, _ = dataset_of(text)

        pairs = [pair for words in dataset for pair in itertools.pairwise(words.tolist())]
        found = list(zip(*(side.tolist() for side in dataset.neighbours), strict=True))
        assert found == pairs
        assert len(found) == dataset.prediction_count

    @given(text=TEXTS)
    def test_its_length_is_the_number_of_sentences(self, text: list[list[list[str]]]) -> None:
        dataset, _ = dataset_of(text)

        assert len(dataset) == len(list(dataset)) == sum(map(len, text))


class TestEncodeSentences:
    @given(text=TEXTS, piece=st.integers(1, 30))
    def test_the_files_are_those_of_all_sentences_at_once(
        self, folder: Path, text: list[list[list[str]]], piece: int
    ) -> None:
        dataset, vocabulary = dataset_of(text)
        write_dataset(folder / "at once", dataset)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "PIECE", piece)
            encode_sentences(folder / "as they come", sentences_of(text), vocabulary)

        for name in FILES:
            expected = (folder / "at once" / name).read_bytes()
            assert (folder / "as they come" / name).read_bytes() == expected

    def test_words_are_not_held(self, folder: Path) -> None:
        sentences = ((False, ["a"] * 50) for _ in range(30_000))  # 6 MB of ids

        tracemalloc.start()
        encode_sentences(folder / "long", sentences, VOCABULARY)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        # a piece of each array is held as numbers and as an array of them
        assert peak < 4_000_000
        assert (folder / "long/ids.npy").stat().st_size > 6_000_000

    def test_the_first_sentence_begins_a_document_whatever_is_said(self, tmp_path: Path) -> None:
        encode_sentences(tmp_path, [(False, ["a"]), (False, ["b"])], VOCABULARY)

        assert read_dataset(tmp_path, len(VOCABULARY)).documents.tolist() == [0, 2]

    def test_no_sentence_makes_empty_arrays(self, tmp_path: Path) -> None:
        encode_sentences(tmp_path, [], VOCABULARY)

        dataset = read_dataset(tmp_path, len(VOCABULARY))
        assert (len(dataset), len(dataset.ids)) == (0, 0)
        assert dataset.documents.tolist() == [0]

    def test_an_error_leaves_what_was_there(self, tmp_path: Path) -> None:
        write_dataset(tmp_path, encode_documents(TEXT, VOCABULARY))

        def failing() -> Iterator[tuple[bool, list[str]]]:
            yield True, ["a"]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            encode_sentences(tmp_path, failing(), VOCABULARY)

        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
        assert read_dataset(tmp_path, len(VOCABULARY)).sentences.tolist() == [0, 4, 7, 12]


class TestBlocks:
    def test_they_are_cut_at_sentence_ends_with_offsets_of_their_own(self) -> None:
        # sentences of 4, 3 and 5 ids, the first two of them one document
        first, second = encode_documents(TEXT, VOCABULARY).blocks(tokens=7)

        assert first.ids.tolist() == [0, 3, 4, 1, 0, 3, 1]
        assert first.sentences.tolist() == [0, 4, 7]
        assert first.documents.tolist() == [0, 2]
        assert second.ids.tolist() == [0, 4, 2, 3, 1]
        assert second.sentences.tolist() == [0, 5]
        assert second.documents.tolist() == [0, 1]

    def test_a_document_that_is_cut_begins_anew(self) -> None:
        text = [[["a"]], [["a"], ["b"], ["a"]], [["b"]]]

        parts = list(encode_documents(text, VOCABULARY).blocks(tokens=6))

        # two sentences of three ids each: one document and a part, two thirds, one document
        assert [part.documents.tolist() for part in parts] == [[0, 1, 2], [0, 2], [0, 1]]

    def test_a_sentence_longer_than_a_block_stays_whole(self) -> None:
        parts = encode_documents(TEXT, VOCABULARY).blocks(tokens=1)

        # a fourth is asked for, and is not there
        assert [len(part.ids) for part in itertools.islice(parts, 4)] == [4, 3, 5]

    @given(text=TEXTS, tokens=st.integers(1, 40))
    def test_together_they_are_the_split(
        self, folder: Path, text: list[list[list[str]]], tokens: int
    ) -> None:
        dataset, vocabulary = dataset_of(text)
        write_dataset(folder / "parts", dataset)
        read = read_dataset(folder / "parts", len(vocabulary))

        parts = list(read.blocks(tokens))

        sentences = [ids.tolist() for part in parts for ids in part]
        assert sentences == [ids.tolist() for ids in dataset]
        assert all(len(part.ids) <= tokens or len(part) == 1 for part in parts)
        joined = itertools.pairwise(parts)
        assert all(len(part.ids) + len(after[0]) > tokens for part, after in joined)
        firsts = np.cumsum([0, *map(len, parts)]).tolist()
        begins = {
            first + begin
            for first, part in zip(firsts, parts, strict=False)
            for begin in part.documents[:-1].tolist()
        }
        assert begins == {*dataset.documents[:-1].tolist(), *firsts[:-1]}
        for part in parts:
            assert part.documents[-1] == len(part) == len(part.sentences) - 1
            for name in ("ids", "sentences", "documents"):
                assert getattr(part, name).dtype == getattr(dataset, name).dtype

    def test_their_neighbours_are_those_of_the_split(self) -> None:
        dataset = encode_documents(TEXT, VOCABULARY)

        of_parts = [part.neighbours for part in dataset.blocks(tokens=7)]

        for found, expected in zip(zip(*of_parts, strict=True), dataset.neighbours, strict=True):
            assert np.concatenate(found).tolist() == expected.tolist()

    def test_of_no_sentence_there_is_none(self, tmp_path: Path) -> None:
        encode_sentences(tmp_path, [], VOCABULARY)

        assert list(read_dataset(tmp_path, len(VOCABULARY)).blocks()) == []


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not tell")
class TestMemory:
    def test_a_split_that_was_read_through_takes_no_memory_once_it_is_released(
        self, long_split: Path
    ) -> None:
        dataset = read_dataset(long_split, len(VOCABULARY))
        after_checking = mapped_bytes(long_split)
        total = int(dataset.ids.sum())
        held = mapped_bytes(long_split)

        dataset.release()

        assert after_checking == mapped_bytes(long_split) == 0
        assert held > 32_000_000
        assert int(dataset.ids.sum()) == total  # it is read again

    def test_no_more_than_a_block_is_held_of_blocks(self, long_split: Path) -> None:
        dataset = read_dataset(long_split, len(VOCABULARY))

        held = []
        for block in dataset.blocks(tokens=2**18):
            assert block.ids.min() == 0
            held.append(mapped_bytes(long_split))

        assert len(held) == 31  # of eight million ids
        # a block is 1 MB of ids, and the system maps up to some megabytes around it
        assert max(held) < 12_000_000
        assert mapped_bytes(long_split) == 0


class TestFiles:
    def test_they_are_three_plain_arrays(self, tmp_path: Path) -> None:
        write_dataset(tmp_path / "train", encode_documents(TEXT, VOCABULARY))

        assert sorted(path.name for path in (tmp_path / "train").iterdir()) == sorted(FILES)
        assert np.load(tmp_path / "train/sentences.npy").tolist() == [0, 4, 7, 12]

    @given(text=TEXTS)
    def test_reading_gives_what_was_written(
        self, folder: Path, text: list[list[list[str]]]
    ) -> None:
        dataset, vocabulary = dataset_of(text)

        write_dataset(folder, dataset)

        found = read_dataset(folder, len(vocabulary))
        np.testing.assert_array_equal(found.ids, dataset.ids, strict=True)
        np.testing.assert_array_equal(found.sentences, dataset.sentences, strict=True)
        np.testing.assert_array_equal(found.documents, dataset.documents, strict=True)

    def test_ids_are_mapped_into_memory_and_so_are_sentences(self, tmp_path: Path) -> None:
        write_dataset(tmp_path, encode_documents(TEXT, VOCABULARY))

        dataset = read_dataset(tmp_path, len(VOCABULARY))

        assert isinstance(dataset.ids, np.memmap)
        assert np.shares_memory(dataset[1], dataset.ids)
        assert not dataset[1].flags.writeable

    @pytest.mark.parametrize("name", FILES)
    def test_a_missing_file_is_named(self, tmp_path: Path, name: str) -> None:
        write_dataset(tmp_path, encode_documents(TEXT, VOCABULARY))
        (tmp_path / name).unlink()

        with pytest.raises(DataError, match=f"/{name} is not a readable"):
            read_dataset(tmp_path, len(VOCABULARY))

    @pytest.mark.parametrize(
        ("name", "values", "message"),
        [
            ("ids.npy", [0, 3, 99, 1], r"ids.npy must hold ids of 0 to \d+ \(got 0 to 99\)"),
            ("ids.npy", [0, -1, 3, 1], r"ids.npy must hold ids of 0 to \d+ \(got -1 to 3\)"),
            ("sentences.npy", [0, 5], "sentences.npy must lead from 0 to 4 in steps of 2 or more"),
            ("sentences.npy", [0, 3, 4], "sentences.npy must lead from 0 to 4"),
            ("sentences.npy", [0, 3, 2, 4], "sentences.npy must lead from 0 to 4"),
            ("sentences.npy", [], "sentences.npy must lead from 0 to 4"),
            ("documents.npy", [0, 2], "documents.npy must lead from 0 to 1"),
        ],
    )
    @pytest.mark.parametrize("block", [1, 2, 2**20])
    def test_ids_and_offsets_that_do_not_fit_are_refused(
        self,
        tmp_path: Path,
        name: str,
        values: list[int],
        message: str,
        block: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(module, "BLOCK", block)
        write_dataset(tmp_path, encode_documents([[["cat"]]], VOCABULARY))
        arrays = {"ids.npy": [0, 3, 3, 1], "sentences.npy": [0, 4], "documents.npy": [0, 1]}
        for file, good in arrays.items():
            chosen = values if file == name else good
            np.save(tmp_path / file, np.array(chosen, dtype=np.int64))

        with pytest.raises(DataError, match=message):
            read_dataset(tmp_path, len(VOCABULARY))
