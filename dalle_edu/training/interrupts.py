"""Stopping between two updates rather than in the middle of one."""

import signal
import threading
from typing import Any


class StopPolitely:
    """Inside the block Ctrl-C (or a polite kill) sets an event rather than breaking an update in two; a second Ctrl-C breaks at once."""

    def __enter__(self) -> threading.Event:
        self.event = threading.Event()
        self.before = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self._handle)
        return self.event

    def _handle(self, number: int, frame: Any) -> None:
        if self.event.is_set():
            raise KeyboardInterrupt
        self.event.set()

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
