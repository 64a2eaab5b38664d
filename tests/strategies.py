"""What properties of the text side are tried on."""

from hypothesis import strategies as st

WORDS = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Z"],
        exclude_characters="\t\n\v\f\r\x1c\x1d\x1e\x1f\x85",  # white space to Python as well
    ),
    min_size=1,
    max_size=6,
)
"""Words as the tokeniser makes them: of any characters but white space."""

SENTENCES = st.lists(WORDS, min_size=1, max_size=6)
"""The words of one sentence."""

DOCUMENTS = st.lists(SENTENCES, min_size=1, max_size=4)
"""The sentences of one document."""

TEXTS = st.lists(DOCUMENTS, min_size=1, max_size=4)
"""The documents of one split."""

_PROSE_WORDS = st.lists(
    st.sampled_from(["rain", "Rome", "Dr.", "e.g.", "it", "No", "(so)", '"yes"', "3.5", "fell,"]),
    min_size=1,
    max_size=5,
)
_PROSE_ENDS = st.sampled_from([". ", "! ", "? ", ".\n", ".\n\n", "\n\n", "... "])

PROSE = st.lists(st.tuples(_PROSE_WORDS, _PROSE_ENDS), min_size=1, max_size=5).map(
    lambda parts: "".join(f"{' '.join(words)}{end}" for words, end in parts)
)
"""Text as people write it, with stops that end no sentence and sentences without a stop."""
