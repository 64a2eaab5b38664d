"""From what Snakemake has merged to a configuration to rely on, and its descriptions in step."""

import copy
import datetime
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from corpus_material import corpus
from training_strategies import RECIPE
from unrolled.config.corpus_sections import CorpusConfig, ReadingConfig
from unrolled.config.files import read_config_file
from unrolled.config.loading import RECORDS, beside, checked_config, section_part
from unrolled.config.sections import ModelConfig, TextConfig, TrainingConfig, VocabularyConfig
from unrolled.config.sweep import MODEL, NAMED, runs
from unrolled.corpus.reading.encodings import check_encoding
from unrolled.corpus.sources.files import is_wanted
from unrolled.corpus.splits import SPLITS, given_split
from unrolled.errors import ConfigError, UnrolledError

ROOT = Path(__file__).parents[1]
SCHEMA_FILE = ROOT / "workflow/schemas/config.schema.yaml"
DEFAULTS_FILE = ROOT / "config/config.yaml"
TABLE_FILE = ROOT / "config/README.md"
EXPERIMENT_FILES = sorted((ROOT / "config/experiments").glob("*.yaml"))

SCHEMA = read_config_file(SCHEMA_FILE)
DEFAULTS = read_config_file(DEFAULTS_FILE)

Changes = Mapping[str, Any]


def laid_over(base: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """The configuration as Snakemake merges it: key by key, a list replacing a list."""
    merged = copy.deepcopy(dict(base))
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = laid_over(merged[key], value) if both else value
    return merged


def checked(*files: Path, command_line: Changes | None = None) -> dict[str, Any]:
    """The configuration of the defaults, of some files laid over it, and of the command line."""
    merged = DEFAULTS
    for file in files:
        merged = laid_over(merged, yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    merged = laid_over(merged, command_line or {})
    return checked_config(merged, [DEFAULTS_FILE, *files], SCHEMA_FILE, DEFAULTS_FILE)


def message(changes: Changes) -> str:
    """What is said about the defaults with some changes that do not fit."""
    with pytest.raises(ConfigError) as refused:
        checked(command_line=changes)
    return str(refused.value)


class TestCheckedConfig:
    def test_the_defaults_come_back_as_they_are(self) -> None:
        assert checked() == DEFAULTS

    @pytest.mark.parametrize("file", EXPERIMENT_FILES, ids=lambda file: file.stem)
    def test_every_experiment_of_the_repository_is_sound(self, file: Path) -> None:
        assert checked(file)["experiment"] == file.stem

    def test_ordered_mappings_become_plain_ones(self) -> None:
        merged = OrderedDict(DEFAULTS)
        merged["model"] = OrderedDict(DEFAULTS["model"])

        config = checked_config(merged, [DEFAULTS_FILE], SCHEMA_FILE, DEFAULTS_FILE)

        assert type(config) is dict
        assert type(config["model"]) is dict

    def test_what_is_handed_in_is_not_what_comes_back(self) -> None:
        merged = copy.deepcopy(DEFAULTS)

        config = checked_config(merged, [DEFAULTS_FILE], SCHEMA_FILE, DEFAULTS_FILE)
        config["model"]["precision"] = "double"

        assert merged == DEFAULTS

    def test_a_value_of_the_command_line_is_held_against_the_schema(self) -> None:
        assert message({"training": {"epochs": 0}}).startswith("training.epochs must be")

    def test_a_date_on_the_command_line_is_the_text_it_was(self) -> None:
        config = checked(command_line={"experiment": datetime.date(2024, 1, 31)})

        assert config["experiment"] == "2024-01-31"

    def test_a_file_is_read_strictly_although_it_was_merged_already(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("experiment: mine\nmodel: {}\nmodel: {}\n")

        with pytest.raises(ConfigError, match=r"mine\.yaml, line 3: the key 'model' stands twice"):
            checked(tmp_path / "mine.yaml")

    def test_the_file_of_defaults_is_read_strictly_too(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("a: 1\na: 2\n")

        with pytest.raises(ConfigError, match=r"config\.yaml, line 2: the key 'a' stands twice"):
            checked_config(DEFAULTS, [], SCHEMA_FILE, tmp_path / "config.yaml")


class TestAFileThatIsReadAgain:
    def test_it_is_read_anew_once_it_has_changed(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("a: 1\n")
        before = read_config_file(tmp_path / "mine.yaml")

        (tmp_path / "mine.yaml").write_text("a: 2\n")

        assert (before, read_config_file(tmp_path / "mine.yaml")) == ({"a": 1}, {"a": 2})

    def test_what_was_done_to_its_values_is_not_in_them(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("a: {b: [1]}\n")

        read_config_file(tmp_path / "mine.yaml")["a"]["b"].append(2)

        assert read_config_file(tmp_path / "mine.yaml") == {"a": {"b": [1]}}

    def test_an_error_names_the_one_of_two_equal_files_that_was_read(self, tmp_path: Path) -> None:
        for name in ("mine.yaml", "yours.yaml"):
            (tmp_path / name).write_text("- a\n")

            with pytest.raises(ConfigError, match=rf"{name} must hold keys and values"):
                read_config_file(tmp_path / name)


class TestOrderOfKeys:
    def test_keys_in_another_order_give_the_same_text(self) -> None:
        config = checked_config(turned(DEFAULTS), [DEFAULTS_FILE], SCHEMA_FILE, DEFAULTS_FILE)

        assert json.dumps(config) == json.dumps(checked())
        assert list(config["sweep"]) == list(NAMED)

    def test_patterns_of_files_keep_their_order_since_the_first_that_fits_counts(self) -> None:
        encoding = {"b*": "cp1252", "a*": "big5", "*": "utf-16"}

        config = checked(command_line={"corpus": {**OWN_FILE, "encoding": encoding}})

        assert list(config["corpus"]["encoding"].items()) == list(encoding.items())

    def test_splits_are_given_in_the_order_of_training_validation_and_test(self) -> None:
        splits = {"test": "c", "valid": "b", "train": "a"}

        config = checked(command_line={"corpus": {**OWN_FILE, "splits": splits}})

        assert list(config["corpus"]["splits"].items()) == [*reversed(splits.items())]

    def test_lists_keep_their_order(self) -> None:
        sweep = {"learning_rate": [1.0, 0.5], "hidden_size": [9, 5], "seed": [2, 1]}

        config = checked(command_line={"sweep": sweep})

        assert {key: config["sweep"][key] for key in sweep} == sweep

    def test_names_of_runs_do_not_depend_on_the_order_in_which_the_sweep_is_written(self) -> None:
        changes = {"sweep": {"precision": ["single"], "learning_rate": [0.5], "seed": [3]}}
        merged = laid_over(DEFAULTS, changes)

        names = [
            [run.name for run in runs(checked_config(one, [], SCHEMA_FILE, DEFAULTS_FILE))]
            for one in (merged, turned(merged))
        ]

        assert names[0] == names[1]
        assert names[0][0] == "elman-hidden25-depth0-seed3-learning_rate0.5-precisionsingle"


def turned(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The same keys and values, last key first, on every level."""
    return {
        key: turned(value) if isinstance(value, Mapping) else value
        for key, value in reversed(list(mapping.items()))
    }


def test_a_part_of_a_section_is_what_its_record_is_made_from() -> None:
    part = section_part(DEFAULTS, "text", VocabularyConfig)

    keys = ("unknown_token", "minimum_count", "vocabulary_size")
    assert part == {key: DEFAULTS["text"][key] for key in keys}
    assert {**section_part(DEFAULTS, "text", TextConfig), **part} == DEFAULTS["text"]


class TestExperimentNames:
    def test_the_name_is_that_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text("experiment: mine\n")

        assert checked(tmp_path / "mine.yaml")["experiment"] == "mine"

    @pytest.mark.parametrize(
        ("content", "name"), [("experiment: yours\n", "yours"), ("training: {}\n", "default")]
    )
    def test_a_lone_file_that_does_not_say_its_own_name_is_refused(
        self, tmp_path: Path, content: str, name: str
    ) -> None:
        (tmp_path / "mine.yaml").write_text(content)

        with pytest.raises(
            ConfigError,
            match=rf"^experiment must be the name of its file, 'mine' \(got '{name}'\)$",
        ):
            checked(tmp_path / "mine.yaml")

    @pytest.mark.parametrize("name", ["2024", "null"])
    def test_a_name_that_is_no_text_is_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "mine.yaml").write_text(f"experiment: {name}\n")

        with pytest.raises(ConfigError, match=r"^experiment must be small letters"):
            checked(tmp_path / "mine.yaml")

    @pytest.mark.parametrize("last", ["training: {epochs: 9}\n", "experiment: longer\n"])
    def test_of_several_files_any_may_give_its_name(self, tmp_path: Path, last: str) -> None:
        (tmp_path / "mine.yaml").write_text("experiment: mine\n")
        (tmp_path / "longer.yaml").write_text(last)

        config = checked(tmp_path / "mine.yaml", tmp_path / "longer.yaml")

        assert config["experiment"] == ("longer" if "longer" in last else "mine")

    def test_a_name_of_none_of_several_files_is_refused(self, tmp_path: Path) -> None:
        for name in ("mine", "longer"):
            (tmp_path / f"{name}.yaml").write_text("experiment: yours\n")

        with pytest.raises(ConfigError, match=r"its file, 'mine' or 'longer' \(got 'yours'\)$"):
            checked(tmp_path / "mine.yaml", tmp_path / "longer.yaml")

    def test_the_file_of_defaults_is_known_by_any_path_to_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(ROOT / "workflow")

        # Its experiment is `default` and its stem `config`.
        checked_config(DEFAULTS, ["../config/config.yaml"], SCHEMA_FILE, DEFAULTS_FILE)

    def test_a_file_name_that_is_no_name_for_a_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "my run.yaml").write_text("experiment: my run\n")

        with pytest.raises(ConfigError, match=r"experiment must be small letters.*got 'my run'"):
            checked(tmp_path / "my run.yaml")


class TestExperimentsBeside:
    def test_most_experiments_stand_alone(self) -> None:
        assert beside(checked(), ROOT / "config", []) == {}

    def test_each_has_the_defaults_with_its_own_file_laid_over_them(self, tmp_path: Path) -> None:
        write(tmp_path / "config.yaml", {"a": {"b": 1, "c": [1, 2]}, "d": 3, "e": {"f": 4}})
        near = {"experiment": "near", "a": {"c": [5]}, "d": {"g": 6}}
        write(tmp_path / "experiments/near.yaml", near)
        write(tmp_path / "experiments/far.yaml", {"experiment": "far", "e": None})

        found = beside(this("near", "far"), tmp_path, [])

        of_this = {"beside": [], "missing_runs": "allow"}
        assert found == {
            "near": {**near, "a": {"b": 1, "c": [5]}, "e": {"f": 4}, **of_this},
            "far": {"experiment": "far", "a": {"b": 1, "c": [1, 2]}, "d": 3, "e": None, **of_this},
        }
        assert list(found) == ["near", "far"]

    @pytest.mark.parametrize(("own", "other"), [("refuse", "allow"), ("allow", "refuse")])
    def test_they_have_nothing_beside_them_and_treat_missing_runs_as_this_one(
        self, tmp_path: Path, own: str, other: str
    ) -> None:
        write(tmp_path / "config.yaml", {"beside": [], "missing_runs": other})
        nested = {"experiment": "near", "beside": ["far", "this"], "missing_runs": other}
        write(tmp_path / "experiments/near.yaml", nested)

        found = beside({**this("near"), "missing_runs": own}, tmp_path, [])

        assert found == {"near": {"experiment": "near", "beside": [], "missing_runs": own}}

    def test_a_file_is_looked_for_beside_those_of_this_experiment_first(
        self, tmp_path: Path
    ) -> None:
        files: list[Path | str] = [tmp_path / "mine/this.yaml", str(tmp_path / "more/this.yaml")]
        write(tmp_path / "config.yaml", {})
        for name, folders in {
            "a": ["mine", "more", "experiments"],
            "b": ["more", "experiments"],
            "c": ["experiments"],
        }.items():
            for folder in folders:
                write(tmp_path / folder / f"{name}.yaml", {"experiment": name, "from": folder})

        found = beside(this("a", "b", "c"), tmp_path, files)

        assert [settings["from"] for settings in found.values()] == ["mine", "more", "experiments"]

    def test_one_without_a_file_is_refused_with_where_it_was_looked_for(
        self, tmp_path: Path
    ) -> None:
        write(tmp_path / "config.yaml", {})
        files = [tmp_path / "mine/this.yaml", tmp_path / "mine/more.yaml"]

        with pytest.raises(ConfigError) as refused:
            beside(this("far"), tmp_path, files)

        assert str(refused.value) == (
            "beside: 'far' must be an experiment with a file of its own (looked for far.yaml in"
            f" {tmp_path / 'mine'}, {tmp_path / 'experiments'})"
        )

    def test_no_experiment_stands_beside_itself(self, tmp_path: Path) -> None:
        write(tmp_path / "config.yaml", {})
        write(tmp_path / "experiments/this.yaml", {"experiment": "this"})

        with pytest.raises(
            ConfigError, match=r"^beside must name other experiments \(got this one, 'this'\)$"
        ):
            beside(this("this"), tmp_path, [])

    @pytest.mark.parametrize("content", [{"experiment": "near"}, {}], ids=["another", "none"])
    def test_one_that_does_not_say_its_own_name_is_refused(
        self, tmp_path: Path, content: Changes
    ) -> None:
        write(tmp_path / "config.yaml", {"experiment": "default"})
        write(tmp_path / "experiments/far.yaml", content)
        name = content.get("experiment", "default")

        with pytest.raises(ConfigError, match=rf"name of its file, 'far' \(got '{name}'\)$"):
            beside(this("far"), tmp_path, [])

    def test_its_file_is_read_strictly(self, tmp_path: Path) -> None:
        write(tmp_path / "config.yaml", {})
        (tmp_path / "far.yaml").write_text("a: 1\na: 2\n")

        with pytest.raises(ConfigError, match=r"far\.yaml, line 2: the key 'a' stands twice"):
            beside(this("far"), tmp_path, [tmp_path / "this.yaml"])

    @pytest.mark.parametrize("file", EXPERIMENT_FILES, ids=lambda file: file.stem)
    def test_those_beside_the_experiments_of_the_repository_are_sound(self, file: Path) -> None:
        config = checked(file)

        for name, settings in beside(config, ROOT / "config", [DEFAULTS_FILE, file]).items():
            found = checked_config(settings, [], SCHEMA_FILE, DEFAULTS_FILE)

            assert found["experiment"] == name


def this(*others: str) -> dict[str, Any]:
    """What is asked of an experiment that has others beside it."""
    return {"experiment": "this", "beside": list(others), "missing_runs": "allow"}


def write(path: Path, content: Changes) -> None:
    """Write a configuration file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")


OWN_FILE = {"source": "path", "path": "a.txt"}
ADDRESS = {"source": "url", "url": "https://example.org/a.txt", "size": 3, "sha256": "a" * 64}


class TestValuesThatMustFitEachOther:
    @pytest.mark.parametrize("section", ["text", "sampling"])
    def test_the_fewest_words_are_at_most_the_most(self, section: str) -> None:
        said = message({section: {"minimum_words": 9, "maximum_words": 8}})

        assert said == (
            f"{section}.minimum_words must be at most {section}.maximum_words (got 9 and 8)"
        )

    @pytest.mark.parametrize("section", ["text", "sampling"])
    def test_they_may_be_the_same(self, section: str) -> None:
        checked(command_line={section: {"minimum_words": 8, "maximum_words": 8}})

    def test_the_fractions_leave_something_for_training(self) -> None:
        said = message({"text": {"validation_fraction": 0.5, "test_fraction": 0.5}})

        assert said == (
            "text.validation_fraction and text.test_fraction must leave something for training"
            " (got 0.5 and 0.5)"
        )

    def test_fractions_that_leave_a_little_will_do(self) -> None:
        checked(command_line={"text": {"validation_fraction": 0.5, "test_fraction": 0.49}})

    @pytest.mark.parametrize(("warmup", "epochs"), [(3, 3), (3.5, 3), (1.0, 1)])
    def test_a_warm_up_ends_before_training_does(self, warmup: float, epochs: int) -> None:
        with pytest.raises(
            ConfigError,
            match=r"^training\.warmup_epochs must be less than training\.epochs"
            rf" \(got {warmup} and {epochs}\)$",
        ):
            replace(RECIPE, warmup_epochs=warmup, epochs=epochs)

    def test_a_warm_up_of_nearly_all_of_training_will_do(self) -> None:
        checked(command_line={"training": {"warmup_epochs": 2.99, "epochs": 3}})
        replace(RECIPE, warmup_epochs=2.99, epochs=3)

    @pytest.mark.parametrize(
        "sweep", [{}, {"epochs": [9, 2]}, {"warmup_epochs": [0, 4]}], ids=lambda sweep: str(sweep)
    )
    def test_a_warm_up_that_is_too_long_in_any_run_of_the_sweep_is_refused_before_anything_runs(
        self, sweep: Changes
    ) -> None:
        epochs = 4 if sweep else 2

        said = message({"training": {"warmup_epochs": 2, "epochs": epochs}, "sweep": sweep})

        assert said.startswith("training.warmup_epochs must be less than training.epochs (got ")

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": {"tied_weights": True, "output": "classes"}},
            {"model": {"tied_weights": True}, "sweep": {"output": ["softmax", "classes"]}},
            {"model": {"output": "classes"}, "sweep": {"tied_weights": [False, True]}},
            {"sweep": {"output": ["softmax", "classes"], "tied_weights": [False, True]}},
        ],
    )
    def test_weights_are_tied_in_no_run_with_word_classes(self, changes: Changes) -> None:
        said = message(changes)

        assert said.startswith(
            "model.tied_weights must be false when model.output is 'classes' (got true): "
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"training": {"optimiser": "adam_and_sgd"}, "model": {"output": "softmax"}},
            {
                "training": {"optimiser": "adam_and_sgd"},
                "sweep": {"output": ["classes", "softmax"]},
            },
            {"sweep": {"optimiser": ["adam", "adam_and_sgd"]}, "model": {"output": "softmax"}},
        ],
    )
    def test_the_optimiser_for_word_classes_is_for_no_other_run(self, changes: Changes) -> None:
        said = message(changes)

        assert said == (
            "training.optimiser must be sgd, momentum or adam when model.output is 'softmax'"
            " (got 'adam_and_sgd', which is for classes)"
        )

    @pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam", "adam_and_sgd"])
    def test_word_classes_go_with_every_optimiser(self, optimiser: str) -> None:
        checked(command_line={"model": {"output": "classes"}, "training": {"optimiser": optimiser}})

    @pytest.mark.parametrize(("alone", "count"), [(4, 4), (0, 6)])
    def test_a_vocabulary_has_room_for_the_word_classes(self, alone: int, count: int) -> None:
        classes = {"words_alone": alone, "count": count}

        said = message(
            {
                "classes": classes,
                "text": {"vocabulary_size": 11},
                "sweep": {"output": ["softmax", "classes"]},
            }
        )

        # 4 + 2 * 4 = 0 + 2 * 6 = 12 words
        assert said == (
            "classes.words_alone and two words for each of classes.count must be at most"
            f" text.vocabulary_size, 11 (got {alone} and {count}, which makes 12)"
        )
        checked(command_line={"classes": classes, "text": {"vocabulary_size": 12}})

    @pytest.mark.parametrize(
        "changes",
        [
            {"classes": {"words_alone": 12}},  # where no count is asked for, all words stand alone
            {"classes": {"count": 6}, "model": {"output": "softmax"}},
        ],
    )
    def test_a_vocabulary_needs_no_room_for_word_classes_that_are_not_asked_for(
        self, changes: Changes
    ) -> None:
        checked(command_line={"text": {"vocabulary_size": 11}, **changes})

    def test_a_path_is_needed_for_the_source_path(self) -> None:
        said = message({"corpus": {"source": "path"}})

        assert said == "corpus.path must be given when corpus.source is 'path' (got null)"

    @pytest.mark.parametrize("key", ["url", "size", "sha256"])
    def test_all_of_url_size_and_checksum_are_needed_for_the_source_url(self, key: str) -> None:
        said = message({"corpus": {**ADDRESS, key: None}})

        assert said == f"corpus.{key} must be given when corpus.source is 'url' (got null)"

    @pytest.mark.parametrize("source", ["grammar", "documentation"])
    def test_a_path_is_needed_for_the_language_file_whether_it_is_used_or_not(
        self, source: str
    ) -> None:
        said = message({"corpus": {"source": source}, "grammar": {"language": "file"}})

        assert said == "grammar.path must be given when grammar.language is 'file' (got null)"

    @pytest.mark.parametrize("path", ["my {run}.txt", "<corpus>/mine.txt"])
    @pytest.mark.parametrize(
        ("section", "key", "more"),
        [
            ("evaluation", "sentences", {}),
            ("grammar", "path", {"language": "file"}),
        ],
    )
    def test_no_path_is_taken_in_which_the_workflow_would_put_something_else(
        self, section: str, key: str, more: Changes, path: str
    ) -> None:
        said = message({section: {key: path, **more}})

        assert said == (
            f"{section}.{key} must lead to a file whose path has no name in braces or angle"
            f" brackets, which stands for something else there; rename it (got {path!r})"
        )

    @pytest.mark.parametrize(
        "grammar",
        [
            {"language": "file", "path": "a.pcfg"},
            {"language": "countdown"},
            {"language": "geometric"},
        ],
    )
    def test_a_language_with_what_it_needs_will_do(self, grammar: Changes) -> None:
        checked(command_line={"corpus": {"source": "grammar"}, "grammar": grammar})

    def test_a_source_with_what_it_needs_will_do(self) -> None:
        checked(command_line={"corpus": OWN_FILE})
        checked(command_line={"corpus": ADDRESS})

    def test_a_download_has_one_checksum(self) -> None:
        checksums = {"a.txt": "a" * 64, "b.txt": "b" * 64}

        said = message({"corpus": {**ADDRESS, "sha256": checksums}})

        assert said == (
            "corpus.sha256 must be one checksum when corpus.source is 'url'"
            " (got those of a.txt, b.txt)"
        )
        checked(command_line={"corpus": {"source": "path", "path": "a", "sha256": checksums}})

    @pytest.mark.parametrize(("form", "key"), [("csv", "column"), ("jsonl", "field")])
    def test_a_form_with_names_needs_one(self, form: str, key: str) -> None:
        said = message({"corpus": {"form": form}})

        assert said == f"corpus.{key} must be given when corpus.form is '{form}' (got null)"
        checked(command_line={"corpus": {**OWN_FILE, "form": form, key: "body"}})

    @pytest.mark.parametrize(
        ("form", "key", "owner"),
        [
            ("text", "column", "csv"),
            ("jsonl", "column", "csv"),
            ("text", "field", "jsonl"),
            ("csv", "field", "jsonl"),
        ],
    )
    def test_a_name_is_for_its_own_form(self, form: str, key: str, owner: str) -> None:
        own = {"csv": {"column": "a"}, "jsonl": {"field": "a"}}.get(form, {})

        said = message({"corpus": {"form": form, **own, key: "body"}})

        assert said == (
            f"corpus.{key} must be null unless corpus.form is '{owner}' (got 'body' and '{form}')"
        )

    @pytest.mark.parametrize(("form", "key"), [("csv", "column"), ("jsonl", "field")])
    def test_only_plain_text_has_headings(self, form: str, key: str) -> None:
        corpus = {**OWN_FILE, "form": form, key: "body"}

        said = message({"corpus": corpus, "text": {"document": "heading"}})

        assert said == (
            f"text.document must be file, block or row when corpus.form is '{form}' (got 'heading')"
        )

    @pytest.mark.parametrize("source", ["documentation", "grammar"])
    @pytest.mark.parametrize(
        ("settings", "key", "usual"),
        [
            ({"form": "csv", "column": "body"}, "form", "text"),
            ({"encoding": "cp1252"}, "encoding", "utf-8"),
            ({"splits": {"train": "a", "valid": "b", "test": "c"}}, "splits", "null"),
            ({"files": ["*.md"]}, "files", "null"),
        ],
    )
    def test_how_files_are_read_is_for_files_of_the_user(
        self, source: str, settings: Changes, key: str, usual: str
    ) -> None:
        said = message({"corpus": {"source": source, **settings}})

        assert said == (
            f"corpus.{key} must be {usual} unless corpus.source is 'path' or 'url'"
            f" (got {settings[key]!r} and '{source}')"
        )
        checked(command_line={"corpus": {**OWN_FILE, **settings}})
        checked(command_line={"corpus": {**ADDRESS, **settings}})

    def test_a_token_that_ends_lines_is_for_lines(self) -> None:
        text = {"end_token": "<eos>"}

        assert message({"text": text}) == (
            "text.end_token must be null when text.sentences is 'punkt'"
            " (got '<eos>', which ends lines)"
        )
        checked(command_line={"text": {**text, "sentences": "line"}})

    @pytest.mark.parametrize(
        "text",
        [
            {},
            {"tokenizer": "nltk_tweet"},
            {"tokenizer": "whitespace", "unit": "character"},
            {"unit": "character"},
        ],
    )
    def test_a_token_for_unknown_words_is_for_words_parted_by_spaces(self, text: Changes) -> None:
        said = message({"text": {"unknown_token": "<unk>", **text}})

        assert said == (
            "text.unknown_token must be null unless text.unit is 'word' and text.tokenizer is"
            " 'whitespace' (got '<unk>'): other tokenizers take it apart"
        )

    def test_a_token_for_unknown_words_is_written_in_the_letters_that_words_have(self) -> None:
        text = {"tokenizer": "whitespace", "unknown_token": "<UNK>"}

        assert message({"text": text}) == (
            "text.unknown_token must be in small letters when text.lowercase is true (got '<UNK>')"
        )
        checked(command_line={"text": {**text, "lowercase": False}})
        checked(command_line={"text": {**text, "unknown_token": "<unk>"}})


class TestWhatFilesMean:
    def test_one_encoding_is_that_of_every_file(self) -> None:
        reading = corpus(encoding="cp1252")

        assert reading.encodings == ["cp1252"]
        assert reading.encoding_of("any/file.txt") == "cp1252"

    @pytest.mark.parametrize(
        ("file", "encoding"),
        [
            ("1945-Truman.txt", "cp1252"),
            ("1970-Nixon.txt", "cp1252"),  # the first pattern that fits counts
            ("1870-Nixon.txt", "big5"),
            ("speeches/1970-Nixon.txt", "big5"),
            ("2001-Bush.txt", "utf-8"),
            ("1945-Truman.TXT", "utf-8"),
        ],
    )
    def test_of_several_it_is_that_of_the_first_pattern_the_path_fits_else_utf_8(
        self, file: str, encoding: str
    ) -> None:
        reading = corpus(encoding={"19*.txt": "cp1252", "*Nixon.txt": "big5"})

        assert reading.encodings == ["cp1252", "big5"]
        assert reading.encoding_of(file) == encoding

    @pytest.mark.parametrize(
        ("url", "urls"),
        [(None, []), ("http://a.org", ["http://a.org"]), (["http://b", "http://a"],) * 2],
    )
    def test_an_address_is_a_list_of_one(
        self, url: str | list[str] | None, urls: list[str]
    ) -> None:
        assert corpus(url=url).urls == urls

    def test_what_says_how_files_are_read_is_a_part_of_the_corpus_section(self) -> None:
        part = section_part(DEFAULTS, "corpus", ReadingConfig)

        assert set(part) < set(DEFAULTS["corpus"])
        assert list(part) == ["form", "column", "field", "encoding", "rejected_share", "splits"]


def yaml_blocks() -> list[str]:
    """The configuration files that config/README.md shows as a whole."""
    text = TABLE_FILE.read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def advised_settings() -> list[dict[str, Any]]:
    """What the table of one's own text in config/README.md says to write, by its rows."""
    rows = TABLE_FILE.read_text(encoding="utf-8").partition("## Your own text")[2].splitlines()
    written = [re.findall(r"`((?:corpus|cleaning|text): \{[^`]*\})`", row) for row in rows]
    return [
        yaml.safe_load("\n".join(settings))
        for settings in written
        if settings and "..." not in settings[0]
    ]


class TestTheExamplesOfTheReadme:
    @pytest.mark.parametrize("block", yaml_blocks())
    def test_a_file_that_is_shown_is_sound(self, tmp_path: Path, block: str) -> None:
        (tmp_path / "mine.yaml").write_text(block, encoding="utf-8")

        assert checked(tmp_path / "mine.yaml")["experiment"] == "mine"

    @pytest.mark.parametrize("settings", advised_settings(), ids=str)
    def test_settings_that_are_advised_for_a_text_are_sound(self, settings: Changes) -> None:
        checked(command_line={**settings, "corpus": {**OWN_FILE, **settings.get("corpus", {})}})

    def test_there_are_some_of_each(self) -> None:
        assert len(yaml_blocks()) == 2
        assert len(advised_settings()) >= 7


class TestExperimentsOnCorpora:
    """The configuration files that come with the project for texts of others."""

    @pytest.mark.parametrize("file", EXPERIMENT_FILES, ids=lambda file: file.stem)
    def test_every_encoding_is_one_that_files_can_be_read_in(self, file: Path) -> None:
        for encoding in CorpusConfig(**checked(file)["corpus"]).encodings:
            check_encoding(encoding)

    @pytest.mark.parametrize("file", EXPERIMENT_FILES, ids=lambda file: file.stem)
    def test_every_text_of_others_has_a_checksum_a_licence_and_a_citation(self, file: Path) -> None:
        found = checked(file)["corpus"]

        own = found["source"] in {"documentation", "grammar"}
        missing = [key for key in ("sha256", "licence", "citation") if found[key] is None]
        assert missing == (["sha256", "licence", "citation"] if own else [])

    @pytest.mark.parametrize("file", EXPERIMENT_FILES, ids=lambda file: file.stem)
    def test_what_is_expected_of_a_text_stands_at_the_top_of_its_file(self, file: Path) -> None:
        found = checked(file)["corpus"]

        top = re.match(r"(?:# .*\n)+", file.read_text(encoding="utf-8"))
        assert top is not None
        if found["source"] in {"path", "url"}:
            assert top[0].count("\n") <= 4
            assert "Expect" in top[0]
            assert re.search(r"Without network|not fetched", top[0])

    def test_the_files_of_corpora_with_splits_are_each_in_one(self) -> None:
        files = {
            "penn_treebank": ["ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"],
            "wikitext-2": [f"wikitext-2/wiki.{name}.tokens" for name in ("train", "valid", "test")],
        }

        for name, paths in files.items():
            found = CorpusConfig(**checked(ROOT / f"config/experiments/{name}.yaml")["corpus"])

            assert found.splits is not None
            assert [given_split(path, found.splits) for path in paths] == list(SPLITS)
            assert all(is_wanted(path, found) for path in paths)


def test_every_error_of_a_configuration_is_one_that_is_shown_as_a_line() -> None:
    assert issubclass(ConfigError, UnrolledError)


def keys_of_sections(sections: Mapping[str, Any]) -> set[str]:
    """`section.key` for each key; a section's own name where it is a single value."""
    return {
        f"{section}.{key}" if key else section
        for section, keys in sections.items()
        for key in (keys if isinstance(keys, Mapping) else [""])
    }


def keys_of_the_schema() -> dict[str, Any]:
    """By section, the keys that the schema knows."""
    return {name: rule.get("properties") for name, rule in SCHEMA["properties"].items()}


def rows_of_the_table() -> list[tuple[str, str]]:
    """Key and default of each row of config/README.md whose first cell is a key in backticks."""
    rows = TABLE_FILE.read_text(encoding="utf-8").splitlines()
    found = (re.match(r"\| *`([a-z0-9_.]+)` *\|([^|]*)\|", row) for row in rows)
    return [(row[1], row[2].strip()) for row in found if row]


def default_of(key: str) -> Any:
    """The default of a key."""
    section, _, name = key.partition(".")
    return DEFAULTS[section][name] if name else DEFAULTS[section]


class TestOneConfigurationDescribedFourTimes:
    def test_the_schema_knows_the_keys_of_the_defaults(self) -> None:
        schema = keys_of_the_schema()
        # Any key of model and training may stand in the sweep; the defaults show the named four.
        sweep = schema.pop("sweep")
        defaults = {name: value for name, value in DEFAULTS.items() if name != "sweep"}

        assert keys_of_sections(schema) == keys_of_sections(defaults)
        assert set(sweep) == {*NAMED, *schema["model"], *schema["training"]}
        assert list(DEFAULTS["sweep"]) == list(NAMED)

    def test_the_schema_requires_every_key_that_it_knows(self) -> None:
        required = {
            name: dict.fromkeys(rule["required"]) if "properties" in rule else None
            for name, rule in SCHEMA["properties"].items()
            if name != "sweep"
        }

        assert set(SCHEMA["required"]) == set(SCHEMA["properties"])
        assert SCHEMA["properties"]["sweep"]["required"] == list(NAMED)
        assert keys_of_sections(required) == keys_of_sections(keys_of_the_schema()) - {
            key for key in keys_of_sections(keys_of_the_schema()) if key.startswith("sweep.")
        }

    def test_the_schema_takes_the_same_values_in_the_sweep_as_in_their_sections(self) -> None:
        rules = {**keys_of_the_schema()["model"], **keys_of_the_schema()["training"]}

        for key, rule in keys_of_the_schema()["sweep"].items():
            assert rule["items"] == rules.get(key, {"$ref": f"#/$defs/{key}"})

    def test_the_records_have_the_keys_of_the_defaults(self) -> None:
        records = [*RECORDS, ("model", ModelConfig), ("training", TrainingConfig)]
        keys = [
            f"{section}.{field.name}"
            for section, record in records
            for field in fields(record)
            if section not in {"model", "training"} or field.name not in NAMED
        ]
        sections = {section: DEFAULTS[section] for section, _ in records}

        assert set(keys) == keys_of_sections(sections)
        assert len(keys) == len(set(keys))
        others = {"experiment", "about", "beside", "sweep", "missing_runs"}
        assert set(DEFAULTS) - set(sections) == others

    def test_each_of_the_named_settings_is_a_field_of_model_or_of_training(self) -> None:
        model, training = (
            {field.name for field in fields(record)} & set(NAMED)
            for record in (ModelConfig, TrainingConfig)
        )

        assert model == MODEL
        assert training == set(NAMED) - MODEL

    def test_the_table_has_one_row_for_each_key_of_the_defaults(self) -> None:
        table = [key for key, _ in rows_of_the_table()]

        assert set(table) == keys_of_sections(DEFAULTS)
        assert len(table) == len(set(table))

    @pytest.mark.parametrize(("key", "shown"), rows_of_the_table())
    def test_the_table_shows_the_default(self, key: str, shown: str) -> None:
        default = default_of(key)

        # A list is shown without its brackets, and one of nothing as `none`.
        values = [] if shown == "none" else yaml.safe_load(f"[{shown}]")
        assert values == (default if isinstance(default, list) else [default])
