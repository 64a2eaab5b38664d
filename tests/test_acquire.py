"""Acquiring the text: what is written, and what is asked before anything starts."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus_material import contents_of, corpus, fill, zipped
from test_languages import CONFIG as GRAMMAR
from unrolled.config.corpus_sections import CorpusConfig
from unrolled.corpus.folder import sha256_of_folder
from unrolled.corpus.grammars.grammar import read_grammar
from unrolled.corpus.grammars.languages import countdown, language
from unrolled.errors import ConfigError, DataError
from unrolled.stages import acquire


def test_documentation_is_a_file_for_each_module_with_a_blank_line_between_paragraphs(
    tmp_path: Path,
) -> None:
    config = corpus(source="documentation", packages=["click"])

    acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    text = (tmp_path / "raw/click/core.txt").read_text(encoding="utf-8")
    assert "\n\n" in text
    assert "\n\n\n" not in text


def test_documentation_is_the_same_bytes_again(tmp_path: Path) -> None:
    config = corpus(source="documentation", packages=["click"])

    for name in ("first", "second"):
        acquire.run(config, GRAMMAR, None, tmp_path / name)

    assert sha256_of_folder(tmp_path / "first") == sha256_of_folder(tmp_path / "second")


def test_a_file_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "my text.txt").write_bytes(b"One.\r\n\r\nTwo.\n")
    config = corpus(source="path", path=str(tmp_path / "my text.txt"))

    acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert (tmp_path / "raw/my text.txt").read_bytes() == b"One.\r\n\r\nTwo.\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["raw"]


class TestDownloads:
    """What lies under results/downloads/, fetched or put there by hand, on its way to the text."""

    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://example.org/a/b.txt", "b.txt"),
            ("https://example.org/a/b.csv?x=1&y=/c/d.txt", "b.csv"),
            ("https://example.org/b.csv#part/c", "b.csv"),
            ("https://example.org/b.csv#part?c", "b.csv"),
            ("https://example.org/my%20old%20letters.txt", "my old letters.txt"),
            ("https://example.org/gr%C3%B6%C3%9Fe.txt", "größe.txt"),
            ("https://example.org/a/b/", "b"),
            ("https://example.org/$(ls);&'.txt", "$(ls);&'.txt"),
            ("https://example.org/[x].txt", "[x].txt"),
            ("https://[2001:db8::1]:8080/a.txt", "a.txt"),
            ("https://[/a.txt", "a.txt"),
            ("https://example.org", "download"),
            ("https://example.org/", "download"),
            ("https://example.org?a/b.txt", "download"),
            ("https://example.org/.hidden", "download"),
            ("https://example.org/a/..", "download"),
            ("https://example.org/a/%2E%2E", "download"),
            ("https://example.org/%2e%2e%2f%2e%2e%2fb.txt", "b.txt"),
            ("https://example.org/a/..%2F..", "download"),
            ("https://example.org/a%00b.txt", "download"),
            ("https://example.org/a%0Ab.txt", "download"),
            (f"https://example.org/{'a' * 201}", "download"),
            (f"https://example.org/{'%C3%B6' * 101}", "download"),  # 202 bytes
            (f"https://example.org/{'a' * 200}", "a" * 200),
            (["https://example.org/first.txt", "https://example.org/second.txt"], "first.txt"),
        ],
    )
    def test_a_file_is_copied_under_the_name_that_its_address_ends_with_and_never_outside(
        self, tmp_path: Path, url: str | list[str], name: str
    ) -> None:
        fill(tmp_path, {"downloads/fetched": b"One.\r\n"})

        acquire.run(_download(b"One.\r\n", url=url), GRAMMAR, _fetched(tmp_path), tmp_path / "raw")

        assert [path.name for path in (tmp_path / "raw").rglob("*")] == [name]
        assert (tmp_path / "raw" / name).read_bytes() == b"One.\r\n"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["downloads", "raw"]

    def test_an_archive_is_unpacked_and_stays_where_it_is(self, tmp_path: Path) -> None:
        packed = zipped({"a.txt": "A", "b/c.txt": "C", "d.md": "D"})
        fill(tmp_path, {"downloads/fetched": packed})
        config = _download(packed, url="https://example.org/texts.zip")

        acquire.run(config, GRAMMAR, _fetched(tmp_path), tmp_path / "raw")

        assert contents_of(tmp_path / "raw") == {"a.txt": "A", "b/c.txt": "C"}
        assert _fetched(tmp_path).read_bytes() == packed

    def test_a_compressed_file_is_named_by_its_address_not_by_its_checksum(
        self, tmp_path: Path
    ) -> None:
        packed = gzip.compress(b"One.")
        fill(tmp_path, {"downloads/fetched": packed})
        config = _download(packed, url="https://example.org/texts.csv.gz?raw=1")

        acquire.run(config, GRAMMAR, _fetched(tmp_path), tmp_path / "raw")

        assert contents_of(tmp_path / "raw") == {"texts.csv": "One."}

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (
                b"two.",
                rf"has the sha256 {hashlib.sha256(b'two.').hexdigest()}; expected \w+ \(corp",
            ),
            (b"One, two.", r"has 9 bytes; expected 4 \(corpus\.size\)"),
            (b"", r"must hold text \(found 0 bytes\)"),
        ],
    )
    def test_a_file_put_there_by_hand_with_other_bytes_is_refused(
        self, tmp_path: Path, content: bytes, said: str
    ) -> None:
        fill(tmp_path, {"downloads/fetched": content})

        with pytest.raises(DataError, match=rf"downloads/fetched {said}"):
            acquire.run(_download(b"One."), GRAMMAR, _fetched(tmp_path), tmp_path / "raw")

        assert sorted(path.name for path in tmp_path.iterdir()) == ["downloads"]

    def test_an_archive_that_holds_nothing_wanted_is_refused_and_nothing_is_left(
        self, tmp_path: Path
    ) -> None:
        packed = zipped({"a.md": "A"})
        fill(tmp_path, {"downloads/fetched": packed})

        with pytest.raises(DataError, match=r"must hold \.txt files \(found 'a\.md'\)"):
            acquire.run(_download(packed), GRAMMAR, _fetched(tmp_path), tmp_path / "raw")

        assert sorted(path.name for path in tmp_path.iterdir()) == ["downloads"]


def test_a_folder_is_brought_with_the_names_below_it_and_archives_are_unpacked(
    tmp_path: Path,
) -> None:
    fill(tmp_path, {"texts/a/b.txt": "B", "more/c.zip": zipped({"d/e.txt": "E", "f.md": "F"})})

    for path in ("texts", "more/c.zip"):
        config = corpus(path=f"{tmp_path}/{path}")
        acquire.run(config, GRAMMAR, None, tmp_path / "raw" / path)

    assert contents_of(tmp_path / "raw") == {"texts/a/b.txt": "B", "more/c.zip/d/e.txt": "E"}


def test_the_files_of_a_folder_have_checksums_of_their_own(tmp_path: Path) -> None:
    fill(tmp_path, {"texts/a.txt": "A", "texts/b.txt": "B"})
    checksums = {
        name: hashlib.sha256(name[:1].upper().encode()).hexdigest() for name in ("a.txt", "b.txt")
    }
    config = corpus(path=f"{tmp_path}/texts", sha256=checksums)

    acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert contents_of(tmp_path / "raw") == {"a.txt": "A", "b.txt": "B"}
    fill(tmp_path, {"texts/b.txt": "C"})
    with pytest.raises(DataError, match=r"texts/b\.txt has the sha256"):
        acquire.run(config, GRAMMAR, None, tmp_path / "raw")


def test_a_file_of_another_checksum_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"One.\n")
    config = corpus(source="path", path=str(tmp_path / "a.txt"), sha256="0" * 64)
    found = hashlib.sha256(b"One.\n").hexdigest()

    with pytest.raises(DataError, match=found):
        acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_an_earlier_text_outlives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/old.txt").write_text("Old.")
    config = corpus(source="path", path=str(tmp_path / "nowhere.txt"))

    with pytest.raises(DataError, match=r"nowhere\.txt"):
        acquire.run(config, GRAMMAR, None, tmp_path / "raw")

    assert (tmp_path / "raw/old.txt").read_text() == "Old."


def test_sources_are_the_files_that_the_text_is_made_from(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "notes.md"):
        (tmp_path / name).write_text("Some text.")

    files = acquire.sources(corpus(source="path", path=str(tmp_path)), GRAMMAR)

    assert [file.name for file in files] == ["a.txt", "b.txt"]


def test_a_package_that_is_not_installed_is_named_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"corpus\.packages\[1\].*'nunpy'"):
        acquire.sources(corpus(source="documentation", packages=["numpy", "nunpy"]), GRAMMAR)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,author\nhello,me\n")
    config = corpus(source="path", path=str(tmp_path / "t.csv"), form="csv", column="body")

    with pytest.raises(DataError, match=r"t\.csv, row 1: .*got 'body', found 'text', 'author'"):
        acquire.sources(config, GRAMMAR)


@pytest.mark.parametrize("source", ["documentation", "path", "url", "grammar"])
@pytest.mark.parametrize("encoding", ["utf8x", {"*.txt": "cp1252", "*.csv": "utf8x"}])
def test_an_unknown_encoding_is_refused_before_anything_starts(
    source: str, encoding: str | dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("One.")
    config = _download(b"One.", path=str(tmp_path), source=source, encoding=encoding)

    with pytest.raises(ConfigError, match=r"^corpus\.encoding must be .*\(got 'utf8x'\)$"):
        acquire.sources(config, GRAMMAR)
    assert acquire.sources(replace(config, encoding={"*": "utf-16"}), GRAMMAR) == (
        [tmp_path / "a.txt"] if source == "path" else []
    )


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none", r"^corpus\.path: .*/none must be a file, a folder or a pattern"),
        ("*.md", r"^corpus\.path: .*/\*\.md must be the pattern of some file"),
        ("pictures", r"^corpus\.path: .*/pictures must hold \.txt files"),
        ("blank.txt", r"^corpus\.path: .*/blank\.txt must hold text"),
        ("pictures.zip", r"/pictures\.zip must hold \.txt files \(found 'a\.png'\)"),
    ],
)
def test_a_path_without_text_is_refused_before_anything_starts(
    tmp_path: Path, path: str, said: str
) -> None:
    fill(
        tmp_path,
        {"pictures/a.png": "a", "blank.txt": "", "pictures.zip": zipped({"a.png": "a"})},
    )

    with pytest.raises(DataError, match=said):
        acquire.sources(corpus(path=f"{tmp_path}/{path}"), GRAMMAR)


# Grammars

RULES = "S -> 'the' X [0.75] | 'a' X [0.25]\nX -> 'dog' [1.0]\n"


def test_a_grammar_is_written_as_its_rules(tmp_path: Path) -> None:
    acquire.run(corpus(source="grammar"), GRAMMAR, None, tmp_path / "raw")

    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["grammar.txt"]
    found = read_grammar(tmp_path / "raw/grammar.txt")
    assert found == countdown(GRAMMAR.markers, GRAMMAR.distances, GRAMMAR.fillers)


def test_a_users_grammar_is_written_without_what_is_not_a_rule(tmp_path: Path) -> None:
    (tmp_path / "mine.pcfg").write_text(f"# Which dog?\n\n{RULES}", encoding="utf-8")
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    acquire.run(corpus(source="grammar"), config, None, tmp_path / "raw")

    text = (tmp_path / "raw/grammar.txt").read_text(encoding="utf-8")
    assert text == "S -> 'the' X [0.75] | 'a' X [0.25]\nX -> 'dog' [1.]\n"
    assert read_grammar(tmp_path / "raw/grammar.txt") == language(config)


def test_the_source_of_a_grammar_is_the_users_file_if_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "mine.pcfg").write_text(RULES)
    path = str(tmp_path / "mine.pcfg")

    of_file, of_language = (
        acquire.sources(corpus(source="grammar"), replace(GRAMMAR, language=name, path=path))
        for name in ("file", "countdown")
    )

    assert of_file == [tmp_path / "mine.pcfg"]
    assert of_language == []


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("S -> 'a' S [0.6] | 'b' [0.4]\nX -> 'c' [1.0]\n", "'X' must be reached from 'S'"),
        ("S -> 'a' S S [0.6] | 'b' [0.4]\n", "sentences must end"),
        ("S -> 'a' [0.6] | 'b' [0.3]\n", r"mine\.pcfg: the probabilities of 'S' must add up to 1"),
        ("S -> 'a' [0.5] | 'a' S [0.5]\n", "must begin with different words"),
        ("S -> \n", "must begin with a word"),
        ("S dog\n", r"mine\.pcfg: Unable to parse"),
    ],
)
def test_a_grammar_that_is_not_sound_is_refused_before_anything_starts(
    rules: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.pcfg").write_text(rules)
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    with pytest.raises(ConfigError, match=said):
        acquire.sources(corpus(source="grammar"), config)


def test_a_language_with_too_many_symbols_is_refused_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match=r"^grammar\.markers and grammar\.distances must make"):
        acquire.sources(corpus(source="grammar"), replace(GRAMMAR, markers=1000))


def test_a_grammar_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "mine.pcfg"))

    with pytest.raises(DataError, match=r"mine\.pcfg cannot be read"):
        acquire.sources(corpus(source="grammar"), config)


@pytest.mark.parametrize(
    ("agreement", "missing"), [({"barks": "the"}, "barks"), ({"dog": "an"}, "an")]
)
def test_agreement_of_a_word_that_the_grammar_has_not_is_refused_before_anything_starts(
    agreement: dict[str, str], missing: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.pcfg").write_text(RULES)
    path = str(tmp_path / "mine.pcfg")
    config = replace(GRAMMAR, language="file", path=path, agreement=agreement)

    with pytest.raises(ConfigError, match=rf"^grammar\.agreement must name .*no '{missing}' there"):
        acquire.sources(corpus(source="grammar"), config)


def test_no_grammar_is_looked_at_where_the_text_comes_from_elsewhere(tmp_path: Path) -> None:
    config = replace(GRAMMAR, language="file", path=str(tmp_path / "nowhere.pcfg"))

    assert acquire.sources(corpus(source="documentation", packages=["click"]), config) == []


# What the text depends on


@pytest.mark.parametrize(
    "change", [{"markers": 3}, {"distances": [1, 2]}, {"fillers": 5}, {"language": "geometric"}]
)
def test_other_rules_are_another_origin(change: dict[str, Any]) -> None:
    config = corpus(source="grammar")

    assert acquire.origin(config, replace(GRAMMAR, **change)) != acquire.origin(config, GRAMMAR)


def test_how_many_sentences_are_drawn_and_by_which_seed_does_not_change_the_origin() -> None:
    config = corpus(source="grammar")
    more = replace(
        GRAMMAR, training_sentences=20, validation_sentences=30, test_sentences=40, seed=2
    )
    # what the countdown does not ask for
    other = replace(more, stop_probability=0.5, cue=True, path="my.pcfg", agreement={"b": "a"})

    assert acquire.origin(config, other) == acquire.origin(config, GRAMMAR)
    assert acquire.origin(replace(config, licence="CC0"), GRAMMAR) == acquire.origin(config, other)


def test_a_users_other_rules_are_another_origin_and_other_comments_are_not(tmp_path: Path) -> None:
    path, config = tmp_path / "mine.pcfg", corpus(source="grammar")
    grammar = replace(GRAMMAR, language="file", path=str(path))
    origins = []
    for rules in (
        RULES,
        f"# A remark.\n{RULES}",
        RULES.replace("0.75", "0.5").replace("0.25", "0.5"),
    ):
        path.write_text(rules)
        origins.append(acquire.origin(config, grammar))

    assert origins[0] == origins[1]
    assert origins[0] != origins[2]


READING = [
    {"licence": "CC0"},
    {"citation": "Somebody (2001)"},
    {"encoding": "cp1252"},
    {"encoding": {"*.txt": "utf-16"}},
    {"rejected_share": 0.5},
]
"""What is noted of the text or said of how it is read, which brings no other text."""


@pytest.mark.parametrize(
    "change",
    [*READING, {"path": "./texts/"}, {"form": "jsonl", "field": "a"}, {"files": ["*"], "size": 3}],
)
def test_the_documentation_depends_on_its_packages_alone(change: dict[str, Any]) -> None:
    config = corpus(source="documentation", packages=["click"])

    assert acquire.origin(replace(config, **change), GRAMMAR) == acquire.origin(config, GRAMMAR)
    assert acquire.origin(replace(config, packages=["jinja2"]), GRAMMAR) != acquire.origin(
        config, GRAMMAR
    )


def test_another_version_of_a_package_is_another_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    config = corpus(source="documentation", packages=["click"])
    installed = acquire.origin(config, GRAMMAR)

    monkeypatch.setattr(acquire, "package_versions", lambda packages: {"click": "0.1"})

    assert acquire.origin(config, GRAMMAR) != installed


class TestOriginOfFiles:
    @pytest.fixture
    def texts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder of files, below the one in which the configuration's paths begin."""
        names = ("a.txt", "b.txt", "c.md", "one/d.txt")
        fill(tmp_path / "texts", dict.fromkeys(names, "One."))
        fill(tmp_path, {"texts.zip": zipped({"a.txt": "A", "b.md": "B"})})
        monkeypatch.chdir(tmp_path)
        return tmp_path / "texts"

    @pytest.mark.parametrize("change", [*READING, {"path": "./texts/"}, {"path": "texts"}])
    def test_what_brings_the_same_files_is_the_same_origin(
        self, texts: Path, change: dict[str, Any]
    ) -> None:
        config = corpus(path="texts")

        assert acquire.origin(replace(config, **change), GRAMMAR) == acquire.origin(config, GRAMMAR)

    @pytest.mark.parametrize(
        "change",
        [
            {"path": "texts/one"},
            {"path": "texts/*.txt"},
            {"path": "texts/**/*.txt", "files": ["*.md"]},
            {"files": ["*.md"]},
            {"splits": {"train": "a*", "valid": "b*", "test": "c*"}},
            {"sha256": {"a.txt": "a" * 64}},
        ],
    )
    def test_what_brings_or_checks_others_is_another(
        self, texts: Path, change: dict[str, Any]
    ) -> None:
        config = corpus(path="texts")

        assert acquire.origin(replace(config, **change), GRAMMAR) != acquire.origin(config, GRAMMAR)

    def test_another_size_of_a_file_or_another_file_is_another(self, texts: Path) -> None:
        config = corpus(path="texts")
        origins = [acquire.origin(config, GRAMMAR)]
        for name in ("a.txt", "new.txt"):
            (texts / name).write_text("One, two.")
            origins.append(acquire.origin(config, GRAMMAR))
        (texts / "a note.md").write_text("not read")

        assert len({str(origin) for origin in origins}) == 3
        assert acquire.origin(config, GRAMMAR) == origins[-1]

    def test_the_same_file_under_another_name_is_another(self, texts: Path) -> None:
        # The first is brought as d.txt, the second as one/d.txt.
        one, other = (corpus(path=path) for path in ("texts/one/d.txt", "texts/*/d.txt"))

        assert acquire.sources(one, GRAMMAR) == acquire.sources(other, GRAMMAR)
        assert acquire.origin(one, GRAMMAR) != acquire.origin(other, GRAMMAR)

    def test_of_an_archive_other_wanted_files_are_another(self, texts: Path) -> None:
        zip_of_texts = corpus(path="texts.zip")
        changes: list[dict[str, Any]] = [
            {"files": ["*"]},
            {"files": ["*.md"]},
            {"splits": {"train": "a*", "valid": "b*", "test": "c*"}},
            {"splits": {"train": "a*", "valid": "b*", "test": "d*"}},
        ]

        origins = [acquire.origin(zip_of_texts, GRAMMAR)]
        origins += [acquire.origin(replace(zip_of_texts, **some), GRAMMAR) for some in changes]

        assert len({str(origin) for origin in origins}) == 5

    def test_which_split_a_file_is_for_does_not_matter_here(self, texts: Path) -> None:
        splits = {"train": "a*", "valid": "b*", "test": "c*"}
        turned = {"train": "c*", "valid": "b*", "test": "a*"}

        one, other = (
            acquire.origin(corpus(path="texts.zip", splits=some), GRAMMAR)
            for some in (splits, turned)
        )

        assert one == other

    def test_it_is_made_of_what_snakemake_can_write_down(self, texts: Path) -> None:
        for config in (corpus(path="texts"), corpus(path="texts.zip", files=["*"])):
            found = acquire.origin(config, GRAMMAR)

            assert json.loads(json.dumps(found)) == found


ADDRESS = "https://example.org/a.zip"


@pytest.mark.parametrize(
    "change",
    [
        *READING,
        {"url": "https://elsewhere.org/mirror/a.zip?x=1"},
        {"url": [ADDRESS, "https://elsewhere.org/b.zip"]},
        {"path": "texts"},
    ],
)
def test_a_download_from_elsewhere_is_the_same_origin(change: dict[str, Any]) -> None:
    config = _download(b"One.", url=ADDRESS)

    assert acquire.origin(replace(config, **change), GRAMMAR) == acquire.origin(config, GRAMMAR)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "b" * 64},
        {"url": "https://example.org/b.zip"},  # the file is named so
        {"form": "csv", "column": "text"},  # of an archive, other files are wanted
        {"files": ["*.md"]},
        {"splits": {"train": "a*", "valid": "b*", "test": "c*"}},
    ],
)
def test_another_download_or_another_part_of_it_is_another_origin(change: dict[str, Any]) -> None:
    config = _download(b"One.", url=ADDRESS)

    assert acquire.origin(replace(config, **change), GRAMMAR) != acquire.origin(config, GRAMMAR)


def _download(content: bytes, **values: Any) -> CorpusConfig:
    """A corpus section for a download of these bytes."""
    usual = {
        "source": "url",
        "url": "https://example.org/a.txt",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return corpus(**{**usual, **values})


def _fetched(folder: Path) -> Path:
    """Where a download lies, under a name that tells nothing of it."""
    return folder / "downloads/fetched"
