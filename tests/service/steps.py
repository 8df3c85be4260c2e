"""A step of the tables that a later release would bring."""

from __future__ import annotations

import shutil
from pathlib import Path

from taxcheck.service.store import migrate


def with_a_later_step(folder: Path, *statements: str) -> Path:
    """All steps that there are, and one more after them, which is called ``later``."""
    copy = folder / "steps"
    shutil.copytree(migrate._FOLDER, copy)
    body = "".join(f"    op.execute({said!r})\n" for said in statements)
    (copy / "versions" / "later.py").write_text(
        f"from alembic import op\n\nrevision = 'later'\ndown_revision = {migrate.NEWEST!r}\n\n\n"
        f"def upgrade():\n{body}"
    )
    return copy
