import os

from benchmarks.run import main

if __name__ == "__main__":
    # Else each process that is measured compiles every module anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    raise SystemExit(main())
