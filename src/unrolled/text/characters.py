"""Characters as tokens, none of which is a space."""

SPACE = "␣"
"""What a space is written as (U+2423), where it is a token or part of one."""

_AS_TOKEN = {" ": SPACE, SPACE: SPACE * 2}
_AS_CHARACTER = {token: character for character, token in _AS_TOKEN.items()}


def characters(text: str) -> list[str]:
    """The code points of a text as tokens: the space is "␣", and "␣" itself "␣␣"."""
    return [_AS_TOKEN.get(character, character) for character in text]


def character_of(token: str) -> str:
    """The character that a token stands for; any other token, as reserved words are, as it is."""
    return _AS_CHARACTER.get(token, token)
