"""Where the project's own data files stand (SQL, rules, reference tables, form layouts).

The same in a checkout and in an installed wheel: `sql/` and `expectations/` lie beside `pipelines/`.
Where a bureau's data stand is not here but in `settings`.
"""

from pathlib import Path

HOUSE_DIR = Path(__file__).resolve().parent.parent
SQL_DIR = HOUSE_DIR / "sql"
REFERENCE_DIR = SQL_DIR / "reference"
EXPECTATIONS_DIR = HOUSE_DIR / "expectations"
LAYOUTS_DIR = HOUSE_DIR / "pipelines" / "intake" / "layouts"
