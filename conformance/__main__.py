"""Run the command line with `python -m conformance`."""

from conformance.cli import main

if __name__ == "__main__":  # pragma: no cover - covered by the command-line tests, in a process of its own
    main()
