"""Reception: the one door through which every return and every departmental table comes in.

The portal, the inbox and the command line all call it. Reading, rules and storage are in the packages below.
"""

from pipelines.reception.door import IncomingFile, LedgerBusy, Progress, Reception
from pipelines.reception.inbox import receive_inbox, waiting_files
from pipelines.reception.results import FileResult

__all__ = [
    "FileResult",
    "IncomingFile",
    "LedgerBusy",
    "Progress",
    "Reception",
    "receive_inbox",
    "waiting_files",
]
