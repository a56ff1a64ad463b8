"""A SLURM cluster of this machine alone: its daemons, with files, ports and a key of their own."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from cefl_bench.benchmark.process import tie_to

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
CONFIG = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why there can be no cluster here; empty where there can."""
    if os.geteuid():
        return "the daemons of SLURM are started as root"
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    return f"{', '.join(absent)} not installed (Debian: slurmctld, slurmd, munge)" if absent else ""


@contextmanager
def cluster(folder: Path):
    """The environment in which sbatch hands jobs to a cluster that lives for a `with` block, its files in `folder`."""
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True)
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    host = socket.gethostname().split(".")[0]
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(folder=folder, host=host, ports=_free_ports(2)))
    environment = os.environ | {"SLURM_CONF": str(config)}
    munge = [f"--{name}-file={folder}/munged.{name}" for name in ("log", "pid", "seed")]
    commands = [
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}", *munge],
        ["slurmctld", "-D", "-f", config],
        ["slurmd", "-D", "-f", config],
    ]
    daemons = []
    try:
        for command in commands:
            with open(folder / f"{command[0]}.out", "wb") as log:
                tie = partial(tie_to, os.getpid())  # whatever happens to the tests, no daemon stays
                daemons.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=tie))
            time.sleep(0.5)
        _wait_for_node(environment, folder)
        yield environment
    finally:
        subprocess.run(["scancel", "--me"], env=environment, capture_output=True, timeout=60)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _wait_for_node(environment, folder):
    for _ in range(100):
        sinfo = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, timeout=60)
        if sinfo.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = "\n".join(path.read_text()[-1000:] for path in folder.glob("*.out"))
    raise RuntimeError(f"the node does not come up: {sinfo.stdout} {sinfo.stderr}\n{logs}")


def _free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
