"""The outputs of a run for GitHub: name=value lines, of the reports that there are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPORTS = {"html": "report.html", "json": "report.json", "sarif": "report.sarif"} | {
    "junit": "report.xml"
}


def main(folder: Path, code: str) -> None:
    """Print every output; a line break in a headline would be another output."""
    found = {name: folder / file for name, file in REPORTS.items() if (folder / file).is_file()}
    values = {"exit-code": code, "reports": str(folder) if found else ""}
    values |= {name: str(path) for name, path in found.items()}
    if "json" in found:
        content = json.loads(found["json"].read_text(encoding="utf-8"))
        values |= {key: " ".join(str(content[key]).split()) for key in ("verdict", "headline")}
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    sys.stdout.buffer.write(lines.encode("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
