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
