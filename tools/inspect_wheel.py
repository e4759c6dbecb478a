"""Looks into a built wheel: every schema and fixture of the checkout must be in it, and nothing that is not ours."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def problems(wheel: Path) -> list[str]:
    """What is missing from the wheel, and what does not belong there."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = {
        f"conformance/_data/{path.relative_to(ROOT).as_posix()}"
        for folder in ("schemas", "fixtures")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    wanted |= {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "conformance").rglob("*")
        if path.suffix in {".py", ".j2", ".css", ".js", ".typed"} and "__pycache__" not in path.parts
    }
    strange = {name for name in inside if not name.startswith(("conformance/", "relay_conformance-"))}
    return [f"missing: {name}" for name in sorted(wanted - inside)] + [f"strange: {name}" for name in sorted(strange)]


def main() -> int:
    """Inspect the wheels named on the command line."""
    found = [f"{wheel}: {problem}" for wheel in sys.argv[1:] for problem in problems(Path(wheel))]
    print("\n".join(found) if found else f"{', '.join(sys.argv[1:])}: complete")
    return 1 if found or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
