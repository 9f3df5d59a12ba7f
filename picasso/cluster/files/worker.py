"""A process that runs a module for one file after the other, for the program that started it, and ends with it."""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import sys
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from picasso.cluster.files.fitting import FittedModule


def main(descriptor: int) -> None:
    """Do what comes through a connection until it is closed.

    The first message is the module; every later one is a job, answered by its progress and its result.

    Args:
        descriptor: The number of the connection's file.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, it is for the program that started this one
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    faulthandler.enable()
    connection = Connection(descriptor)
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, orders), name="orders", daemon=True).start()
    module: FittedModule = orders.get()
    from picasso.cluster.files.job import run_job
    from picasso.module.logs import logging_of

    sys.setswitchinterval(0.0005)
    with logging_of(module.config.parameters):
        while True:
            job = orders.get()
            connection.send(run_job(module, job, connection.send))


def _listen(connection: Connection, orders: queue.SimpleQueue[Any]) -> None:
    """Take what comes; when the other side is gone, nothing that is done here has a meaning."""
    try:
        while True:
            orders.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)
