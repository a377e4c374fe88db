"""Intake: from the bytes of a file to cells with sheet and address, or to a finding that says why not.

`ReaderPool` for whatever comes from outside, `read_file` for what is trusted. Judging the figures is validation.
"""

from pipelines.intake.limits import DEFAULT_LIMITS, Limits
from pipelines.intake.pool import ReaderCannotStart, ReaderPool
from pipelines.intake.reader import read_file

__all__ = ["DEFAULT_LIMITS", "Limits", "ReaderCannotStart", "ReaderPool", "read_file"]
