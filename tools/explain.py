"""Show what a model saw: python tools/explain.py work_dirs/.../last.pth"""

from cefl_bench.cli.explain import main

if __name__ == "__main__":
    main()
