"""The process in which one client reads: jobs come in as JSON lines, readings go out as JSON lines.

Called as `python -m conformance.clients.worker MODULE`. The first line that goes out is `{"version": …}`, or
`{"missing": …}` where the client's package is not installed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from conformance.clients.loopback import keep_on_loopback
from conformance.clients.readings import Job, Reading, reading_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def serve(module: str, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Load a client and let it read; the answers to say, one after the other."""
    try:
        client = importlib.import_module(module)
    except ImportError as error:
        yield {"missing": f"{error}"}
        return
    yield {"version": client.VERSION}
    for line in lines:
        yield reading_out(reading(client, Job(**json.loads(line))))


def reading(client: Any, job: Job) -> Reading:
    """What a client makes of one answer."""
    try:
        return Reading(job.case, "read", client.read(job))
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what is asked for
        outcome = "refused" if isinstance(error, client.API_ERRORS) else "raised"
        status = getattr(error, "status_code", None)
        return Reading(
            job.case,
            outcome,
            error=type(error).__name__,
            status=status if isinstance(status, int) else 0,
            message=" ".join(str(error).split()),
        )


def main() -> None:
    """Speak over the standard streams; what a client prints goes to stderr."""
    keep_on_loopback()
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace") as out:
        os.dup2(2, 1)
        for answer in serve(sys.argv[1], sys.stdin):
            out.write(json.dumps(answer) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
