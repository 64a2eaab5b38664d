"""From a sentence to its tokens, words or characters.

No token holds a space or a line feed, so that sentences can be written as lines of tokens parted by
spaces. A space that is a token or part of one is written "␣" (U+2423).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, islice

from nltk.tokenize.casual import TweetTokenizer
from nltk.tokenize.destructive import NLTKWordTokenizer

from unrolled.config.sections import TokenizerName, Unit
from unrolled.errors import DataError
from unrolled.text.characters import SPACE, characters

Tokenize = Callable[[str], list[str]]
"""From a sentence, which holds no line feed, to its tokens."""


class Tokenizer:
    """Makes tokens of sentences."""

    def __init__(self, tokenize: Tokenize) -> None:
        self._tokenize = tokenize

    def __call__(self, sentence: str) -> list[str]:
        """The tokens of a sentence, which holds no line feed.

        Raises:
            DataError: it would take too long.
        """
        return self._tokenize(sentence)

    def expect(self, sentences: Iterable[str]) -> None:
        """Be told which sentences come next: what is new in them may be learnt at once."""


def tokenizer(unit: Unit, name: TokenizerName, lowercase: bool) -> Tokenizer:
    """A new tokenizer, with a memory of its own.

    Args:
        unit: with `character`, each code point is a token and `name` does not count; the space is
            the token "␣" and "␣" itself the token "␣␣".
        name: NLTK's word tokenizer, NLTK's tokenizer of tweets, or whatever white space parts.
        lowercase: whether tokens are lowered.
    """
    if unit == "character":
        return Tokenizer(partial(_characters, lowercase))
    match name:
        case "nltk_word":
            return NltkWords(lowercase)
        case "nltk_tweet":
            return Tokenizer(partial(_tweet_words, TweetTokenizer(preserve_case=not lowercase)))
        case "whitespace":
            return Tokenizer(partial(_parted_words, lowercase))


def _characters(lowercase: bool, sentence: str) -> list[str]:
    """The code points of a sentence; lower case may have more of them (İ becomes i and a dot)."""
    return characters(sentence.lower() if lowercase else sentence)


def _parted_words(lowercase: bool, sentence: str) -> list[str]:
    return [word.lower() if lowercase else word for word in sentence.split()]


# Tweets

_SURROGATES = re.compile("[\ud800-\udfff]")


def _tweet_words(tweets: TweetTokenizer, sentence: str) -> list[str]:
    """NLTK's tokens of a tweet, spaces inside a telephone number or between dots as "␣".

    NLTK changes the text: HTML entities become their characters (unknown ones nothing), and of a
    mark that stands four times or more in a row three are left. When it lowers, tokens with an
    emoticon in them keep their case, among them most links, for their ":/".

    Raises:
        DataError: NLTK gives up; its time grows with the square of a run of digits, "<a" or "a.".
    """
    tokens = (token.replace(" ", SPACE) for token in _in_time(tweets.tokenize, sentence))
    # "&#xD800;" names half a character, which no file can hold
    return [_SURROGATES.sub("\ufffd", token) for token in tokens]


def _in_time(tokenize: Tokenize, sentence: str) -> list[str]:
    """What NLTK makes of a sentence; it allows each of its regular expressions five seconds."""
    try:
        return tokenize(sentence)
    except TimeoutError:
        raise DataError(
            f"a sentence of {len(sentence)} characters takes NLTK too long to part into words; take"
            f" it out of the text or set text.tokenizer to 'whitespace' (it begins"
            f" {sentence[:60]!r})"
        ) from None


# NLTK's words

MOST_CHUNKS = 2**17
"""How many chunks are remembered: some 30 MB, more than a text of two million words has."""

LONGEST_CHUNK = 64
"""How many characters of a chunk are remembered at most; what is longer hardly comes again."""

_CLOSERS = re.compile(r"""[\s\])}>"'»”’`]*""")
"""What may stand between a sentence's last full stop and its end, and a backtick to be safe."""

_PLAIN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
"""Letters and digits, with single hyphens."""

_CONTRACTIONS = re.compile(
    "|".join(rule.pattern.removeprefix("(?i)") for rule in NLTKWordTokenizer.CONTRACTIONS2),
    re.IGNORECASE,
)
"""NLTK's contractions, any of them: `cannot`, `gonna`."""

_FINAL_STOP, _PARTED = NLTKWordTokenizer.PUNCTUATION[0]
"""NLTK's rule for the full stop at the end of a sentence."""

CHUNKS_AT_ONCE = 2**10
"""How many chunks NLTK is given at once, so that it is never near its limit of time."""

_MARK = "\0"
"""Hardly a text has it, and NLTK takes it for a word. In a chunk's key, the sentence's border."""


class NltkWords(Tokenizer):
    """The tokens that NLTK's word tokenizer finds, each chunk between spaces looked at but once.

    NLTK changes a sentence by some thirty rules, one after the other. None of them sees further
    than from one space to the next, but for those about its ends: a quotation mark at the start
    opens; a full stop at the end is parted from its word, whatever closes behind it, and so is a
    second comma or colon, while a single quotation mark is parted otherwise. So the tokens of a
    chunk are the same wherever it stands, unless it is the first and begins with a quotation mark,
    or belongs to a tail with such an end: the last chunk that is not of closing marks alone, and
    all that follows it.
    """

    def __init__(self, lowercase: bool) -> None:
        super().__init__(partial(_in_time, self._words))
        self._lowercase = lowercase
        self._nltk: Tokenize = NLTKWordTokenizer().tokenize
        self._known: dict[str, list[str]] = {}

    def expect(self, sentences: Iterable[str]) -> None:
        """Give NLTK the new chunks of many sentences at once: a call takes it as long as twenty
        words do.
        """
        chunks = chain.from_iterable(_keys(sentence) for sentence in sentences)
        new = dict.fromkeys(chunk for chunk in chunks if self._is_to_be_learnt(chunk))
        if len(self._known) + len(new) > MOST_CHUNKS:
            self._known.clear()
        self._learn(islice(new, MOST_CHUNKS))

    def _is_to_be_learnt(self, chunk: str) -> bool:
        return chunk not in self._known and len(chunk) <= LONGEST_CHUNK and _MARK not in chunk

    def _words(self, sentence: str) -> list[str]:
        if _MARK in sentence:
            return self._tokens(sentence)
        keys = _keys(sentence)
        try:
            return self._remembered(keys)
        except KeyError:
            return self._learnt(sentence, keys)

    def _remembered(self, keys: Iterable[str]) -> list[str]:
        return list(chain.from_iterable(map(self._known.__getitem__, keys)))

    def _learnt(self, sentence: str, keys: Sequence[str]) -> list[str]:
        """The tokens of a sentence with new chunks, which are remembered from here on."""
        new = [key for key in keys if key not in self._known]
        if max(map(len, new)) > LONGEST_CHUNK:
            return self._tokens(sentence)
        if len(self._known) + len(new) > MOST_CHUNKS:
            self._known.clear()
            new = list(keys)
        self._learn(dict.fromkeys(new))
        return self._remembered(keys)

    def _learn(self, keys: Iterable[str]) -> None:
        """Remember the tokens of chunks: all that are not plain are given to NLTK at once."""
        others = []
        for key in keys:
            if _is_plain(key):
                self._known[key] = self._cased([key])
            elif key.endswith(f".{_MARK}") and _is_plain(key[:-2]):
                parted = _FINAL_STOP.sub(_PARTED, key.rstrip(_MARK))
                self._known[key] = self._cased(parted.split())
            else:
                others.append(key)
        for start in range(0, len(others), CHUNKS_AT_ONCE):
            self._known.update(self._apart(others[start : start + CHUNKS_AT_ONCE]))

    def _apart(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """The tokens of each chunk, from one sentence in which marks stand between them.

        An empty chunk, which has no token, keeps the others from its start and its end.
        """
        start = [] if keys[0].startswith(_MARK) else [""]
        end = [] if keys[-1].endswith(_MARK) else [""]
        parts = [*start, *keys, *end]
        sentence = f" {_MARK} ".join(part.strip(_MARK) for part in parts)
        found = " ".join(self._tokens(sentence)).split(_MARK)
        return {part: words.split() for part, words in zip(parts, found, strict=True)}

    def _tokens(self, sentence: str) -> list[str]:
        return self._cased(self._nltk(sentence))

    def _cased(self, tokens: list[str]) -> list[str]:
        return [token.lower() for token in tokens] if self._lowercase else tokens


def _keys(sentence: str) -> list[str]:
    """The chunks of a sentence, the tail in one, as they are remembered."""
    chunks = sentence.split(" ")
    last = len(chunks) - 1
    while last and _CLOSERS.fullmatch(chunks[last]):
        last -= 1
    tail = " ".join(chunks[last:])
    if "." in tail or tail.endswith((",", ":", "'")):
        chunks[last:] = [tail + _MARK]
    if chunks[0].startswith(('"', "'")):
        chunks[0] = _MARK + chunks[0]
    return chunks


def _is_plain(chunk: str) -> bool:
    """Whether a chunk is a token: the only rules for letters and digits are contractions."""
    if not _PLAIN.fullmatch(chunk):
        return False
    return not _CONTRACTIONS.search(chunk + " ")
