"""From tokens back to a text that people can read."""

from collections.abc import Sequence

from nltk.tokenize.treebank import TreebankWordDetokenizer

from unrolled.config.sections import Unit
from unrolled.text.characters import character_of

_DETOKENIZER = TreebankWordDetokenizer()


def readable(tokens: Sequence[str], unit: Unit) -> str:
    """Tokens put together as people write them: no space before a comma, brackets closed up."""
    if unit == "character":
        return "".join(character_of(token) for token in tokens)
    text: str = _DETOKENIZER.detokenize(list(tokens))
    return text


def pieces(tokens: Sequence[str], unit: Unit) -> list[tuple[str, str]]:
    """For each token the white space before it and its text; all joined are what `readable` says.

    A word's text may differ from it in quotation marks: `` and '' are written as ". Where NLTK has
    changed more, so that the words are not found in the readable text one after the other, they
    are given as they are, joined by single spaces. Before a character there is no white space: a
    space is a token.
    """
    if unit == "character":
        return [("", character_of(token)) for token in tokens]
    apart = [(" " if number else "", token) for number, token in enumerate(tokens)]
    return _aligned(tokens, readable(tokens, unit)) or apart


def _aligned(tokens: Sequence[str], text: str) -> list[tuple[str, str]] | None:
    """The text in the pieces of its tokens; None where they are not all that it is made of."""
    found = []
    for token in tokens:
        rest = text.lstrip()
        written = token.replace("``", '"').replace("''", '"')
        piece = next((piece for piece in (token, written) if rest.startswith(piece)), None)
        if piece is None:
            return None
        found.append((text.removesuffix(rest), piece))
        text = rest.removeprefix(piece)
    return None if text else found
