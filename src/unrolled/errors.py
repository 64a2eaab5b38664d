"""The errors that a user can cause, and nothing else.

    UnrolledError
    ├── ConfigError     a value of the configuration: names its key
    ├── DataError       a file or text: names the file or row
    └── CheckError      a proof that failed: names the parameter, the entry and both values
    StoppedError        no error: a job was asked to stop before its end, and can go on

A message is one line: where it is, what was found, what would be right. Whatever else is raised
is a fault of this package.
"""


class UnrolledError(Exception):
    """Base of every error that is reported to the user as one line."""


class ConfigError(UnrolledError):
    """A configuration value that cannot be used."""


class DataError(UnrolledError):
    """A file or text that cannot be used."""


class CheckError(UnrolledError):
    """A proof that failed."""


class StoppedError(Exception):
    """A job was asked to stop, and has kept what it needs to go on."""
