"""The verbs about training on this computer: serve and trainer."""

from curator.cli.answer import Answer
from curator.cli.arguments import Options, Verbs
from curator.cli.progress import Progress


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs."""
    serve = verbs.add(
        "serve",
        _serve,
        "Run the training server of this computer until Ctrl+C; it keeps OpenAI's protocol.",
        "curator serve",
        "curator serve --stop",
    )
    serve.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
    serve.add_argument("--background", action="store_true", help="start it and come back")
    serve.add_argument("--stop", action="store_true", help="stop the running server; jobs go on")
    trainer = verbs.add(
        "trainer",
        _trainer,
        "Show, install or complete what training on this computer needs.",
        "curator trainer",
        "curator trainer --install",
        "curator trainer --practice",
    )
    trainer.add_argument(
        "--install", action="store_true", help="make the trainer's environment, once"
    )
    trainer.add_argument(
        "--build",
        choices=("cpu", "cuda", "default"),
        help="which torch to take; without it the one that fits this machine, never CUDA unasked",
    )
    trainer.add_argument("--practice", action="store_true", help="fetch the practice base (93 MB)")


def _serve(options: Options, _progress: Progress) -> Answer:
    from curator.tune.local import serve, service

    if options.stop:
        stopped = service.stop()
        words = "The server was stopped." if stopped else "No server was running."
        return Answer({"stopped": stopped}, (words,))
    if options.background:
        address = service.ensure_running()
        place = str(serve.token_file())
        lines = (f"{address}", f"token: {place}")
        return Answer({"base_url": address, "token_file": place}, lines)
    return Answer({"stopped": True}, (), serve.main(["--port", str(options.port)]))


def _trainer(options: Options, progress: Progress) -> Answer:
    from curator.tune.local import environment, practice
    from curator.tune.local.bases import known_bases

    if options.install and (options.build or environment.trainer_python() is None):
        environment.install(environment.plan(options.build), progress, progress.cancelled)
    if options.practice:
        practice.fetch(progress, progress.cancelled)
    python = environment.trainer_python()
    bases = [base.name for base in known_bases()]
    keys = {"trainer": python, "folder": str(environment.trainer_folder()), "bases": bases}
    if python is None:
        chosen = environment.plan(options.build)
        size = f"about {chosen.download_mb} MB to fetch, {chosen.disk_mb} MB on disk"
        lines: tuple[str, ...] = (
            f"The trainer is not set up. curator trainer --install makes it ({size}).",
        )
    else:
        lines = (f"trainer: {python}", f"bases: {', '.join(bases)}")
    return Answer(keys, lines)
