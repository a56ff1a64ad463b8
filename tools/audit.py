"""Ask whether a model uses time: python tools/audit.py work_dirs/.../last.pth"""

from cefl_bench.cli.audit import main

if __name__ == "__main__":
    main()
