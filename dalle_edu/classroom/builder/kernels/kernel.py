"""One notebook executed in a kernel, by a process of its own. Each run of a lesson waits for what that process imports, so it is little."""

import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dalle_edu.classroom.builder.kernels.files_read import RECORD

QUIET = "--log-level=ERROR"  # otherwise a kernel warns that its connection, within this machine, is not encrypted
RECORDING = "--IPKernelApp.extra_extensions=dalle_edu.classroom.builder.kernels.files_read"


@dataclass(frozen=True)
class Done:
    """What comes back from the process of a notebook: its text, its cost and record, or the place, error and message of what stopped it."""

    text: str
    seconds: float = 0.0
    peak_mb: float = 0.0
    record: dict[str, Any] = field(default_factory=dict)
    stopped: tuple[int, str, str] | None = None


def execute_here(text: str, folder: str, environment: dict[str, str], limit: int) -> Done:
    """Execute a notebook, given as JSON, in a working folder; a cell may take `limit` seconds. The process's environment is changed."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # a second to import, for a format that no notebook has
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook, begun = nbformat.reads(text, as_version=4), [0]

    with tempfile.TemporaryDirectory() as desk:  # what the reader's own desk holds is neither read nor changed
        record = Path(desk) / "record.json"
        os.environ |= environment | {"DALLE_EDU_DESK": desk, RECORD: str(record)}
        # with another number of threads sums are added up in another order, and what a lesson learns is another
        os.environ |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        os.environ["TQDM_DISABLE"] = "1"  # a bar comes or not by the time it takes
        client = NotebookClient(
            notebook,
            timeout=limit,
            kernel_name="python3",
            extra_arguments=[QUIET, RECORDING],
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
            on_cell_start=lambda cell, cell_index: begun.append(cell_index),
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            told = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
            return Done(nbformat.writes(notebook), stopped=(begun[-1], type(error).__name__, told))
        read = json.loads(record.read_text(encoding="utf-8"))
    return Done(nbformat.writes(notebook), *_used(read), read)


def _used(record: dict[str, Any]) -> tuple[float, float]:
    """The processor seconds and the peak memory, in MB, of the kernel that has ended; on Windows those of its cells, and no memory."""
    try:
        import resource
    except ImportError:
        return sum(record["cells"]), 0.0
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
