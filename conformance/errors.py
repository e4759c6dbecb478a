"""What this package raises, all of it.

ConformanceError
  UsageError      the caller's mistake: bad option, missing key, unknown rule (exit code 2)
  LedgerError     a file that is not a ledger, or a line in it that cannot be read (exit code 2)
  DataError       a schema or fixture that is missing or malformed (exit code 2)
"""


class ConformanceError(Exception):
    """Something the user can act on: one sentence, and a hint on a line of its own."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ConformanceError):
    """An argument, option or environment variable is missing or makes no sense."""


class LedgerError(ConformanceError):
    """A ledger cannot be read; the message names the file and the line."""


class DataError(ConformanceError):
    """A schema or fixture file cannot be used; the message names the file."""
