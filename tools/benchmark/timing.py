# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the benchmarks share: times taken in turns, memory, tables."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import torch

ROOT = Path(__file__).resolve().parents[2]
Step = Callable[[], object]


def time_once(step: Step, device: Optional[torch.device] = None) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    step()
    if device is not None and device.type == 'cuda':
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def time_in_turns(
    steps: Dict[str, Step],
    rounds: int,
    device: Optional[torch.device] = None,
    warm: int = 1,
) -> Dict[str, float]:
    """Median seconds of steps that are called one after the other, again and
    again: what else the machine does slows down all of them alike.

    The first ``warm`` rounds do not count.
    """
    times: Dict[str, List[float]] = {name: [] for name in steps}
    for number in range(rounds + warm):
        for name, step in steps.items():
            seconds = time_once(step, device)
            if number >= warm:
                times[name].append(seconds)
    return {name: statistics.median(x) for name, x in times.items()}


class ChildCost(NamedTuple):
    """Wall and CPU seconds and peak memory in MB of a child process, and the
    last line that it printed.
    """

    wall: float
    cpu: float
    peak: float
    printed: str


# Peaks are inherited from whoever starts a process: this one is small.
LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(
    [sys.executable, '-W', 'ignore', *sys.argv[1:]], stdout=subprocess.PIPE
)
lines = child.stdout.read().decode().splitlines()
_, status, usage = os.wait4(child.pid, 0)
child.returncode = os.waitstatus_to_exitcode(status)
wall = time.perf_counter() - start
unit = 1e6 if sys.platform == 'darwin' else 1e3  # bytes there, else kB
cost = dict(
    wall=wall,
    cpu=usage.ru_utime + usage.ru_stime,
    peak=usage.ru_maxrss / unit,
    printed=(lines or [''])[-1],
)
print(json.dumps(cost))
sys.exit(child.returncode)
"""


def run_child(arguments: Sequence[str]) -> ChildCost:
    """Run Python with arguments in a process of its own, one thread.

    POSIX only.
    """
    environment = dict(os.environ, OMP_NUM_THREADS='1')
    path = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    environment['PYTHONPATH'] = os.pathsep.join(filter(None, path))
    result = subprocess.run(
        [sys.executable, '-S', '-c', LAUNCHER, *arguments],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f'{" ".join(arguments)}: failed')
    return ChildCost(**json.loads(result.stdout))


@dataclass
class Table:
    """A table of figures: a title, what it says, columns and rows."""

    title: str
    note: str
    columns: List[str]
    rows: List[List[Any]] = field(default_factory=list)

    def to_markdown(self) -> str:
        """The table with its title and note."""
        lines = [
            '| ' + ' | '.join(self.columns) + ' |',
            '| --- ' + '| ---: ' * (len(self.columns) - 1) + '|',
        ]
        for row in self.rows:
            lines.append('| ' + ' | '.join(map(_format, row)) + ' |')
        return '\n'.join([f'### {self.title}', '', self.note, '', *lines])


def _format(value: object) -> str:
    if value is None:
        return ''
    if isinstance(value, float):
        return f'{value:,.0f}' if abs(value) >= 100 else f'{value:.3g}'
    return str(value)


def describe_machine() -> Dict[str, Any]:
    """What figures depend on."""
    return dict(
        python=platform.python_version(),
        torch=torch.__version__,
        system=platform.platform(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
    )


def write_report(tables: Sequence[Table], path: Optional[str] = None) -> str:
    """Markdown of all tables; JSON of them at the path, if there is one."""
    machine = describe_machine()
    if path:
        content = dict(machine=machine, tables=[asdict(x) for x in tables])
        Path(path).write_text(json.dumps(content, indent=1), encoding='utf-8')
    head = ', '.join(f'{key} {value}' for key, value in machine.items())
    return '\n\n'.join([head, *(x.to_markdown() for x in tables)])
