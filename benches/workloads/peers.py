"""The notebook's job in Python, timed inside the process.

    peers.py LIBRARY FOLDER FILES CORES

imports the library, says "ready VERSION", then does the job named on each line
of its input and answers with the seconds it took: start-up and imports are not
in them. It exits with 3 when the library is not installed.
"""

import importlib
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

SHAPE = (1000, 1000)


def matrix(seed, shape=SHAPE):
    import numpy as np

    np.random.seed(seed)
    return np.random.poisson(20, shape)


def savetxt(folder, file, values):
    import numpy as np

    np.savetxt(folder / f"x{file:06}.csv", values, delimiter=",", fmt="%d")


def own_matrix(folder, file):
    savetxt(folder, file, matrix(123 + file))


class Jobs:
    def __init__(self, folder, files, cores):
        self.folder, self.files, self.cores = folder, files, cores
        self.pool = None

    def draw(self):
        """A million counts."""
        assert matrix(123, 1_000_000).sum() == 20_001_331

    def savetxt(self):
        """The notebook's job: a draw, then every file."""
        values = matrix(123)
        for file in range(self.files):
            savetxt(self.folder, file, values)

    def start_pool(self):
        """Starts the processes of the next job."""
        self.pool = ProcessPoolExecutor(self.cores)
        list(self.pool.map(matrix, range(4 * self.cores)))

    def pool_savetxt(self):
        """A draw for each file, the files shared out among processes."""
        list(self.pool.map(partial(own_matrix, self.folder), range(self.files)))

    def write_csv(self):
        """The notebook's job with polars, which uses threads as it likes."""
        import polars as pl

        frame = pl.from_numpy(matrix(123))
        for file in range(self.files):
            frame.write_csv(self.folder / f"x{file:06}.csv", include_header=False)


def main():
    library, folder, files, cores = sys.argv[1:]
    try:
        # The draws are always NumPy's.
        importlib.import_module("numpy")
        version = importlib.import_module(library).__version__
    except ImportError:
        sys.exit(3)
    jobs = Jobs(Path(folder), int(files), int(cores))
    print("ready", version, flush=True)
    for line in sys.stdin:
        job = getattr(jobs, line.strip())
        start = time.perf_counter()
        job()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
