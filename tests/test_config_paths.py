"""Paths that users name: the workflow must read each as it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.io import contains_wildcard
from snakemake.pathvars import PATHVAR_REGEX

from unrolled.config.paths import require_literal
from unrolled.errors import ConfigError

PATHS = st.tuples(
    st.sampled_from(["", "/", "{", "<"]),
    st.sampled_from("{<"),
    st.text(" .aB_1é", max_size=3),
    st.sampled_from(["", ",", ", .*", ",a{3}", ",a b"]),
    st.sampled_from(["}", ">", "} >", ""]),
).map("".join)
"""Of all that may make a placeholder or keep it from being one."""


@given(path=PATHS)
def test_every_path_that_snakemake_would_change_is_refused(path: str) -> None:
    is_changed = contains_wildcard(path) or PATHVAR_REGEX.search(path) is not None

    assert _is_refused(path) or not is_changed


@pytest.mark.parametrize(
    "path", ["{run}", "a/{ x }.txt", "{a.b}.txt", "{a,[0-9]{4}}", "<corpus>/a.txt", "a<b_1>c"]
)
def test_a_placeholder_is_refused_with_the_key_and_the_path(path: str) -> None:
    with pytest.raises(ConfigError, match=r"^corpus\.path must lead to .* rename it") as refused:
        require_literal("corpus.path", path)

    assert str(refused.value).endswith(f"(got {path!r})")


@pytest.mark.parametrize(
    "path",
    ["/a b/../c.txt", "$(ls) `x` & 'y' \"z\"; *[a]?.txt", "{}.txt", "a{b", "a}b", "<3 <B> <é>", ""],
)
def test_any_other_path_is_taken(path: str) -> None:
    require_literal("corpus.path", path)


def _is_refused(path: str) -> bool:
    try:
        require_literal("corpus.path", path)
    except ConfigError:
        return True
    return False
