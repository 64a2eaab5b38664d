"""Why the addresses of a file did not give it, and what a user is told of them."""

from collections.abc import Sequence


class AddressError(Exception):
    """What an address gave instead of the file; another attempt would be in vain."""

    reached = True
    """Whether the address answered at all."""


class PassingError(AddressError):
    """What another attempt may mend."""

    def __init__(self, problem: str, wait_seconds: float = 0.0, reached: bool = True) -> None:
        super().__init__(problem)
        self.wait_seconds = wait_seconds  # that the server asks for
        self.reached = reached


def failures_told(failures: Sequence[tuple[str, AddressError]], attempts: int) -> list[str]:
    """The lines that say what each address gave; before them one, if there are several.

    Args:
        failures: the addresses, each with its last failure.
        attempts: so many of them have been made where another might have mended it.
    """
    lines = [f"{url} {failure}{_times(failure, attempts)}" for url, failure in failures]
    if len(lines) != 1:
        header = f"none of the {len(lines)} addresses of corpus.url gives the file"
        lines = [header, *(f"  {line}" for line in lines)]
    if not any(failure.reached for _, failure in failures):
        lines.append(
            "No address could be reached: is this machine connected to the internet? If it needs a"
            " proxy, name it in the environment variable HTTPS_PROXY."
        )
    return lines


def innermost(error: BaseException) -> str:
    """The cause in one line; the errors that requests wraps around it are longer and say less."""
    while error.__context__ is not None:
        error = error.__context__
    return " ".join(str(error).split()) or type(error).__name__


def _times(failure: AddressError, attempts: int) -> str:
    return f" ({attempts} attempts)" if isinstance(failure, PassingError) else ""
