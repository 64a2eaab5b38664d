"""The strict reading of YAML: plain values, each key once, and errors that name file and line."""

from pathlib import Path
from typing import Any

import pytest

from unrolled.config.files import read_config_file
from unrolled.errors import ConfigError, DataError


def read(folder: Path, content: str) -> dict[str, Any]:
    """The mapping of one file, a.yaml."""
    (folder / "a.yaml").write_bytes(content.encode())
    return read_config_file(folder / "a.yaml")


class TestWhatIsRead:
    def test_plain_values_keep_their_types(self, tmp_path: Path) -> None:
        content = "a: 1\nb: 2.5\nc: true\nd: null\ne: words\nf: [1, full]\ng: {h: 1.0e-3}\n"

        assert read(tmp_path, content) == {
            "a": 1,
            "b": 2.5,
            "c": True,
            "d": None,
            "e": "words",
            "f": [1, "full"],
            "g": {"h": 0.001},
        }

    @pytest.mark.parametrize(
        "content", ["", "\n", "# a comment only\n", "---\n", "null\n", "\ufeff"]
    )
    def test_a_file_without_content_is_an_empty_mapping(self, tmp_path: Path, content: str) -> None:
        assert read(tmp_path, content) == {}

    def test_line_ends_of_other_systems_are_line_ends(self, tmp_path: Path) -> None:
        assert read(tmp_path, "a: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}

    def test_the_same_key_may_stand_in_different_sections(self, tmp_path: Path) -> None:
        content = "model: {seed: 1}\ntraining: {seed: 2}\n"

        assert read(tmp_path, content) == {"model": {"seed": 1}, "training": {"seed": 2}}


class TestMergeKeys:
    def test_a_merged_key_may_be_set_again(self, tmp_path: Path) -> None:
        content = "base: &base {a: 1, b: 2}\nown:\n  <<: *base\n  b: 3\n"

        assert read(tmp_path, content)["own"] == {"a": 1, "b": 3}

    def test_several_mappings_may_be_merged(self, tmp_path: Path) -> None:
        content = "one: &one {a: 1}\ntwo: &two {b: 2}\nown: {<<: [*one, *two]}\n"

        assert read(tmp_path, content)["own"] == {"a": 1, "b": 2}

    def test_what_is_merged_may_itself_set_a_merged_key_again(self, tmp_path: Path) -> None:
        content = "outer:\n  inner: &inner\n    <<: {a: 1}\n    a: 2\nown:\n  <<: *inner\n"

        # What `own` then holds is PyYAML's affair; here it matters that no key stands twice.
        assert read(tmp_path, content)["outer"] == {"inner": {"a": 2}}

    def test_a_key_that_stands_twice_in_what_is_merged_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"a\.yaml, line 1: the key 'a' stands twice"):
            read(tmp_path, "<<: {a: 1, a: 2}\n")

    def test_only_a_mapping_can_be_merged(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"a\.yaml, line 1: expected a mapping"):
            read(tmp_path, "<<: 3\n")


REFUSED = {
    "a key twice": ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice; remove one"),
    "a key twice in a section": ("a:\n  b: 1\n  b: 1\n", 3, "the key 'b' stands twice"),
    "a key twice in a list": ("a:\n- {b: 1}\n- {b: 1, b: 2}\n", 3, "the key 'b' stands twice"),
    "a key twice, once in quotes": ("a: 1\n'a': 2\n", 2, "the key 'a' stands twice"),
    "a merge twice": ("<<: {a: 1}\n<<: {b: 2}\n", 2, "the key '<<' stands twice"),
    "an object": ("a: 1\nb: !!python/object:os.system {}\n", 2, "the tag .*python/object"),
    "a call in a path": (
        "corpus:\n  path: !!python/name:os.system x\n",
        2,
        "the tag .*python/name",
    ),
    "a call": ("a: !!python/object/apply:os.system ['ls']\n", 1, "the tag .*python/object/apply"),
    "a tag on a section": ("a: 1\nb: !!python/tuple\n- 1\n", 2, "the tag .*python/tuple"),
    "a harmless tag": ("a: !!set {b}\n", 1, "the tag .*set"),
    "a tag that does not fit": ("a: !!int words\n", 1, "the tag .*int"),
    "a private tag": ("a: !mine 1\n", 1, "the tag !mine"),
    "yte": ("a: 1\n__use_yte__: true\n", 2, "__use_yte__ would run code; write plain values"),
    "yte in a section": ("a:\n  __use_yte__: false\n", 2, "__use_yte__ would run code"),
    "a date": ("a: 1\nb: 2024-01-31\n", 2, "2024-01-31 reads as a date; put it in quotes"),
    "no date of any month": ("b: 2024-31-31\n", 1, "2024-31-31 reads as a date"),
    "a list as a key": ("a: 1\n? [b, c]\n: 2\n", 2, "a key must be a plain value"),
    "a section as a key": ("? {b: c}\n: 2\n", 1, "a key must be a plain value"),
    "a bracket left open": ("a: 1\nb: [1, 2\n", 3, "expected ',' or ']'"),
    "a colon too many": ("a: 1\nb: c: d\n", 2, "mapping values are not allowed here"),
    "a tab for indentation": ("a:\n\tb: 1\n", 2, "cannot start any token"),
    "an alias of nothing": ("a: *nothing\n", 1, "found undefined alias"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "found another document"),
}


class TestWhatIsRefused:
    @pytest.mark.parametrize(("content", "line", "problem"), REFUSED.values(), ids=list(REFUSED))
    def test_an_error_names_file_and_line(
        self, tmp_path: Path, content: str, line: int, problem: str
    ) -> None:
        with pytest.raises(ConfigError, match=rf"/a\.yaml, line {line}: .*{problem}"):
            read(tmp_path, content)

    @pytest.mark.parametrize("content", ["a: 1\nb: \0\n", "a: \x07\n", "a: 0x_\n"])
    def test_what_yaml_cannot_take_is_one_line_that_names_the_file(
        self, tmp_path: Path, content: str
    ) -> None:
        with pytest.raises(ConfigError, match=r"\A.*/a\.yaml: .*\Z"):
            read(tmp_path, content)

    @pytest.mark.parametrize("content", ["- a\n- b\n", "words\n", "3\n", "false\n", "[]\n"])
    def test_a_file_that_holds_no_mapping_is_named(self, tmp_path: Path, content: str) -> None:
        with pytest.raises(ConfigError, match=r"/a\.yaml must hold keys and values \(got "):
            read(tmp_path, content)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"/none\.yaml cannot be read"):
            read_config_file(tmp_path / "none.yaml")

    def test_a_file_that_is_not_utf_8_is_named_with_its_row(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")

        with pytest.raises(DataError, match=r"/a\.yaml, row 2: the byte 0xe9 is not UTF-8"):
            read_config_file(tmp_path / "a.yaml")
