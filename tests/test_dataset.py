"""A split as ids in three arrays."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from strategies import TEXTS
from unrolled.errors import DataError
from unrolled.text.dataset import FILES, Dataset, encode_documents, read_dataset, write_dataset
from unrolled.text.vocabulary import Vocabulary, build_vocabulary

TEXT = [[["a", "b"], ["a"]], [["b", "x", "a"]]]
"""Two documents of two sentences and of one."""

VOCABULARY = build_vocabulary([["a", "a", "b"]], 100, 1)
"""a is 3 and b is 4."""


def dataset_of(text: list[list[list[str]]]) -> tuple[Dataset, Vocabulary]:
    """A split under the vocabulary of its own words."""
    vocabulary = build_vocabulary((words for part in text for words in part), 1000, 1)
    return encode_documents(text, vocabulary), vocabulary


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

    @settings(max_examples=50)
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

    @settings(max_examples=50)
    @given(text=TEXTS)
    def test_neighbours_are_the_pairs_of_each_sentence(self, text: list[list[list[str]]]) -> None:
        dataset, _ = dataset_of(text)

        pairs = [pair for words in dataset for pair in itertools.pairwise(words.tolist())]
        found = list(zip(*(side.tolist() for side in dataset.neighbours), strict=True))
        assert found == pairs
        assert len(found) == dataset.prediction_count

    @settings(max_examples=50)
    @given(text=TEXTS)
    def test_its_length_is_the_number_of_sentences(self, text: list[list[list[str]]]) -> None:
        dataset, _ = dataset_of(text)

        assert len(dataset) == len(list(dataset)) == sum(map(len, text))


class TestFiles:
    def test_they_are_three_plain_arrays(self, tmp_path: Path) -> None:
        write_dataset(tmp_path / "train", encode_documents(TEXT, VOCABULARY))

        assert sorted(path.name for path in (tmp_path / "train").iterdir()) == sorted(FILES)
        assert np.load(tmp_path / "train/sentences.npy").tolist() == [0, 4, 7, 12]

    @settings(max_examples=25)
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
            ("sentences.npy", [], "sentences.npy must lead from 0 to 4"),
            ("documents.npy", [0, 2], "documents.npy must lead from 0 to 1"),
        ],
    )
    def test_ids_and_offsets_that_do_not_fit_are_refused(
        self, tmp_path: Path, name: str, values: list[int], message: str
    ) -> None:
        write_dataset(tmp_path, encode_documents([[["cat"]]], VOCABULARY))
        arrays = {"ids.npy": [0, 3, 3, 1], "sentences.npy": [0, 4], "documents.npy": [0, 1]}
        for file, good in arrays.items():
            chosen = values if file == name else good
            np.save(tmp_path / file, np.array(chosen, dtype=np.int64))

        with pytest.raises(DataError, match=message):
            read_dataset(tmp_path, len(VOCABULARY))
