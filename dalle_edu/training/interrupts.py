"""Interrupts: Ctrl-C stops training between two updates rather than in the middle of one."""

import signal
import threading
import time
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, the end of a session or of a job, and a terminal that closes (not on Windows)
_AT_ONCE = 1.0  # seconds within which a second Ctrl-C is the first, as programs that start others pass it on


class StopPolitely:
    """A context in which Ctrl-C (SIGINT), SIGTERM and SIGHUP set an event, which the loop looks at after each update.

    `with` gives the event. A second Ctrl-C raises `KeyboardInterrupt` at once. SIGHUP stays ignored where it was, as `nohup` asks.
    Outside the main thread, where Python takes no signal handlers, nothing changes.
    """

    def __enter__(self) -> threading.Event:
        self.event = threading.Event()
        self.before: dict[int, Any] = {}
        self.first = 0.0
        if threading.current_thread() is threading.main_thread():
            for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
                if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
                    self.before[number] = signal.signal(number, self._handle)
        return self.event

    def _handle(self, number: int, frame: Any) -> None:
        """Set the event. Raises `KeyboardInterrupt` at a second Ctrl-C."""
        now = time.monotonic()
        if not self.event.is_set():
            self.first = now
            self.event.set()
        elif number == signal.SIGINT and now - self.first > _AT_ONCE:
            raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: a handler that Python did not set


def leave_signals_to_the_loop(worker: int) -> None:
    """For a process that makes batches: ignore the signals that stop training, which ends its workers itself when it has saved."""
    for number in (getattr(signal, name) for name in _NAMES if hasattr(signal, name)):
        signal.signal(number, signal.SIG_IGN)
