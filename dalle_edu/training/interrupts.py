"""Interrupts: Ctrl-C stops training between two updates rather than in the middle of one."""

import signal
import threading
from typing import Any


class StopPolitely:
    """A context in which Ctrl-C (SIGINT) and SIGTERM set an event, which the loop looks at after each update.

    `with` gives the event. A second signal raises `KeyboardInterrupt` at once. Outside the main thread, where Python takes no signal
    handlers, nothing changes.
    """

    def __enter__(self) -> threading.Event:
        self.event = threading.Event()
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._handle)
        return self.event

    def _handle(self, number: int, frame: Any) -> None:
        """Set the event. Raises `KeyboardInterrupt` where it is set already."""
        if self.event.is_set():
            raise KeyboardInterrupt
        self.event.set()

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
