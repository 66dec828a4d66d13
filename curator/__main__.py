"""Starts Curator: the window without arguments or with a file, the command line with a verb."""

import gc
import os
import sys
from pathlib import Path


def main() -> int:
    """Run what the arguments ask for and return the exit code."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--screenshots"] and len(arguments) in (3, 4):
        return _screenshots(arguments[1:])
    if arguments and not _asks_for_window(arguments):
        import signal

        # Ctrl+C while modules load ends the program without a word; the verb listens afterwards.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from curator.cli.main import main as run_verb

        return run_verb(arguments)
    return _window(arguments)


def _screenshots(arguments: list[str]) -> int:
    from curator.app.preflight import find_trouble

    trouble = find_trouble({**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    if trouble is not None:
        sys.stderr.write(f"{trouble.text}\n")
        return trouble.code
    _import_qt()
    from curator.app.screenshots import main as take_pictures

    return take_pictures(arguments)


def _asks_for_window(arguments: list[str]) -> bool:
    """Whether the one argument is a file to open: a double click hands the app nothing else."""
    return len(arguments) == 1 and arguments[0].endswith(".curator") and Path(arguments[0]).exists()


def _window(arguments: list[str]) -> int:
    from curator.app.preflight import find_trouble

    trouble = find_trouble()
    if trouble is not None:
        sys.stderr.write(f"{trouble.text}\n")
        return trouble.code
    # The collector would only walk over what imports make; once the window is up, a timer runs it.
    gc.disable()
    _import_qt()
    from curator.app.main import run

    return run(arguments)


def _import_qt() -> None:
    """Import Qt and take back its own import hook, which reads the source of every later module."""
    import builtins

    plain = builtins.__import__
    import PySide6.QtWidgets  # noqa: F401 - imported for its effect

    builtins.__import__ = plain


if __name__ == "__main__":
    sys.exit(main())
