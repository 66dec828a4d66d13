"""What the bundle starts."""

import multiprocessing
import runpy
import sys

from curator.__main__ import main

if __name__ == "__main__":
    # A frozen program that starts worker processes is started again as a worker.
    multiprocessing.freeze_support()
    if sys.argv[1:2] == ["-m"] and sys.argv[2:3] and sys.argv[2].startswith("curator."):
        # The local server and the replies are processes of their own: this program is their Python.
        module = sys.argv[2]
        del sys.argv[1:3]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        sys.exit(0)
    sys.exit(main())
