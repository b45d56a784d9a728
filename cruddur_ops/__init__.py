"""The program ``cruddur``: the tasks of the project, from any folder.

In a checkout this package is beside the others. In an installation they are inside of it, so that
no other package has their names (``pyproject.toml``).
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
ROOT = _HERE if (_HERE / "core").is_dir() else _HERE.parent


def main() -> None:
    """Run the tasks that are typed after ``cruddur``."""
    # Before other packages called ``core`` or ``tasks``, of PYTHONPATH or of an installation.
    sys.path.insert(0, str(ROOT))
    from task_groups.program import Cruddur
    from tasks import ns

    Cruddur(ns).run()
