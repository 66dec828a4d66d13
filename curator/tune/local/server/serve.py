"""Start the local server: bind a port of loopback, say where it is, serve until told to stop.

``python -m curator.tune.local.server.serve [--port N] [--trainer PYTHON]``
"""

import argparse
import os
import socket
import sys

import uvicorn

from curator.tune.local.bases.environment import trainer_python
from curator.tune.local.job_folders import write_json
from curator.tune.local.server.announcement import announcement, running, token, token_file
from curator.tune.local.server.app import create_app
from curator.tune.local.server.processes import birth
from curator.tune.local.server.queue import Queue


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; the exit code is 1 where a server runs already or the port is taken."""
    parser = argparse.ArgumentParser(prog="curator serve", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--trainer", help="the Python that has torch; default this one")
    chosen = parser.parse_args(arguments)
    address = running()
    if address:
        sys.stderr.write(f"A local server runs already at {address}.\n")
        return 1
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", chosen.port))
    except OSError as error:
        sys.stderr.write(
            f"Port {chosen.port} cannot be used ({error.strerror}); leave --port out.\n"
        )
        return 1
    # Calls wait in line from here on, whoever reads the announcement before the first is served.
    listener.listen(128)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    app = create_app(Queue(trainer_python=chosen.trainer or trainer_python()), token())
    write_json(
        announcement(),
        {"base_url": base_url, "pid": os.getpid(), "born": birth(os.getpid())},
        private=True,
    )
    sys.stdout.write(f"{base_url}\n{token_file()}\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    try:
        server.run(sockets=[listener])
    finally:
        announcement().unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
