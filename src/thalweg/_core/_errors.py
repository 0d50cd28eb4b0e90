"""The exceptions that thalweg raises on purpose.

Wrong input raises one of these; a failed hypothesis is a verdict; failed numerics is a status.
A message says what was given, what is needed and how to mend it, in one line.
"""


class ThalwegError(Exception):
    """Base of every error that thalweg raises on purpose."""

    exit_code = 2


class DataError(ThalwegError, ValueError):
    """The numbers or the file given cannot be used."""


class DimensionError(ThalwegError, ValueError):
    """Shapes do not fit together."""


class AssumptionError(ThalwegError, ValueError):
    """A call needs a hypothesis that the given problem does not satisfy."""


class IntegrationError(ThalwegError, RuntimeError):
    """The numerical integration failed where a result was indispensable."""

    exit_code = 3


class StoreError(ThalwegError, OSError):
    """A result could not be written or read back."""


class MissingExtraError(ThalwegError, ImportError):
    """An optional dependency is not installed."""
