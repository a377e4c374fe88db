"""The workbook that comes back: the clerk's own file with the findings marked in it, and a copy with values only.

Files are patched part by part, never loaded and saved: everything that is not named in a docstring here leaves as it
came. What is wrong with a file is decided before; here is only how it is shown in it.
"""

from pipelines.validation.annotate.copy import Annotated, annotated_copy, annotated_name
from pipelines.validation.annotate.package import CannotAnnotate
from pipelines.validation.annotate.plain import values_only_copy
from pipelines.validation.annotate.review import about_file

__all__ = [
    "Annotated",
    "CannotAnnotate",
    "about_file",
    "annotated_copy",
    "annotated_name",
    "values_only_copy",
]
