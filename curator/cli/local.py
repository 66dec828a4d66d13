"""The verbs about training on this computer: serve and trainer."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cli.answer import Answer, notice
from curator.cli.arguments import Options, Verbs, whole
from curator.cli.progress import Progress
from curator.dataset.errors import Cancelled
from curator.dataset.invocation import command

if TYPE_CHECKING:
    from curator.tune.local.bases.environment import Build


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs."""
    serve = verbs.add(
        "serve",
        _serve,
        "Run the training server of this computer until Ctrl+C; it keeps OpenAI's protocol.",
        "curator serve",
        "curator serve --stop",
    )
    serve.add_argument(
        "--port", type=whole(0, 65_535), default=0, help="0 (the default) takes any free port"
    )
    serve.add_argument("--background", action="store_true", help="start it and come back")
    serve.add_argument("--stop", action="store_true", help="stop the running server; jobs go on")
    trainer = verbs.add(
        "trainer",
        _trainer,
        "Show, install or complete what training on this computer needs.",
        "curator trainer",
        "curator trainer --install",
        "curator trainer --practice",
        "curator trainer --qlora",
        "curator trainer --remove",
    )
    trainer.add_argument(
        "--install", action="store_true", help="make the trainer's environment, once"
    )
    trainer.add_argument(
        "--build",
        choices=("cpu", "cuda", "default"),
        help="which torch to take; without it CUDA where an NVIDIA card answers, else the CPU build",
    )
    trainer.add_argument(
        "--qlora", action="store_true", help="add what 4-bit weights on a card need (45 MB)"
    )
    trainer.add_argument(
        "--remove",
        action="store_true",
        help="delete the trainer's environment; bases and jobs stay",
    )
    trainer.add_argument("--practice", action="store_true", help="fetch the practice base (93 MB)")


def _serve(options: Options, _progress: Progress) -> Answer:
    from curator.tune.local.server import announcement, serve, service

    if options.stop:
        stopped = service.stop()
        words = "The server was stopped." if stopped else "No server was running."
        return Answer({"stopped": stopped}, (words,))
    if options.background:
        address = service.ensure_running()
        place = str(announcement.token_file())
        lines = (f"{address}", f"token: {place}")
        return Answer({"base_url": address, "token_file": place}, lines)
    return Answer({"stopped": True}, (), serve.main(["--port", str(options.port)]))


def _agree(build: str, download_mb: int, disk_mb: int, *, given: bool) -> None:
    """Say what a set-up fetches; on a terminal ask before the gigabytes of CUDA. Raises Cancelled."""
    notice(f"The {build} build: about {download_mb:,} MB to fetch, {disk_mb:,} MB on disk.")
    if given or build != "cuda" or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    notice("Go on? y for yes, anything else to stop (--build cpu takes the small one):")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Cancelled("Nothing was installed.")


def _trainer(options: Options, progress: Progress) -> Answer:
    from curator.tune.local.bases import environment, practice
    from curator.tune.local.bases.bases import known_bases

    if options.remove:
        return _removed(environment.remove())
    if options.install and (options.build or environment.trainer_python() is None):
        chosen = environment.plan(options.build)
        _agree(chosen.build, chosen.download_mb, chosen.disk_mb, given=bool(options.build))
        environment.install(chosen, progress, progress.cancelled)
    if options.qlora:
        environment.add_qlora(progress, progress.cancelled)
    if options.practice:
        practice.fetch(progress, progress.cancelled)
    python = environment.trainer_python()
    bases = [base.name for base in known_bases()]
    keys = {"trainer": python, "folder": str(environment.trainer_folder()), "bases": bases}
    if python is None:
        lines = ("The trainer is not set up.", _how_to_set_up(options.build))
    else:
        lines = (f"trainer: {python}", f"bases: {', '.join(bases)}")
    return Answer(keys, lines)


def _how_to_set_up(build: "Build | None") -> str:
    """Return the command that sets the trainer up and its size, or why none works here."""
    from curator.tune.local.bases import environment

    try:
        chosen = environment.plan(build)
    except environment.TrainerUnavailable as error:
        return str(error)
    size = f"about {chosen.download_mb} MB to fetch, {chosen.disk_mb} MB on disk"
    return f"{command('trainer', '--install')} makes it ({size})."


def _removed(folder: Path | None) -> Answer:
    from curator.tune.local.bases import environment

    if folder is not None:
        words = f"Deleted {folder}. Bases, jobs and checkpoints are kept."
        return Answer({"removed": str(folder)}, (words,))
    words = "There is no environment of the trainer's own to delete."
    if environment.is_checkout():
        words += f" In this checkout its packages lie in {sys.prefix}, with all others."
    return Answer({"removed": None}, (words,))
