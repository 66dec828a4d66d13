"""What the bundle starts."""

import multiprocessing
import sys

from curator.__main__ import main

if __name__ == "__main__":
    # A frozen program that starts worker processes is started again as a worker.
    multiprocessing.freeze_support()
    sys.exit(main())
