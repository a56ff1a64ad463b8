"""Score a checkpoint: python tools/test.py work_dirs/.../last.pth"""

from cefl_bench.cli.test import main

if __name__ == "__main__":
    main()
