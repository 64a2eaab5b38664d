"""From a sentence to its words and back, as NLTK does it."""

from collections.abc import Sequence

from nltk.tokenize.destructive import NLTKWordTokenizer
from nltk.tokenize.treebank import TreebankWordDetokenizer

_TOKENIZER = NLTKWordTokenizer()
_DETOKENIZER = TreebankWordDetokenizer()


def words(sentence: str, lowercase: bool) -> list[str]:
    """The word tokens of one sentence; none holds white space."""
    tokens: list[str] = _TOKENIZER.tokenize(sentence)
    return [token.lower() for token in tokens] if lowercase else tokens


def readable(tokens: Sequence[str]) -> str:
    """Tokens put together as people write them: no space before a comma, brackets closed up."""
    text: str = _DETOKENIZER.detokenize(list(tokens))
    return text


def pieces(tokens: Sequence[str]) -> list[tuple[str, str]]:
    """For each token the white space before it and its text; all joined are `readable(tokens)`.

    A token's text may differ from it in quotation marks: `` and '' are written as ". Where NLTK has
    changed more, so that the tokens are not found in the readable text one after the other, they
    are given as they are, joined by single spaces.
    """
    apart = [(" " if number else "", token) for number, token in enumerate(tokens)]
    return _aligned(tokens, readable(tokens)) or apart


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
