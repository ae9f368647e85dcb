# SPDX-License-Identifier: Apache-2.0
"""Free loopback ports, outside the range that the kernel hands out to clients (32768 and up).

A block of ports is claimed by holding its first port for as long as we live: several sites that
run at the same time never choose the same block, and the others of it may be bound by children.
"""
import random
import socket

BLOCK = 32
FIRST, LAST = 20000, 32000


def _bound(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        sock.close()
        return None
    return sock


class Ports:
    """next() gives one port after the other; close() gives the block back."""

    def __init__(self):
        starts = list(range(FIRST, LAST, BLOCK))
        random.shuffle(starts)
        for start in starts:
            self._guard = _bound(start)
            if self._guard:
                self._left = list(range(start + BLOCK - 1, start, -1))
                return
        raise RuntimeError(f"no free block of ports between {FIRST} and {LAST}")

    def next(self):
        while self._left:
            port = self._left.pop()
            sock = _bound(port)
            if sock:
                sock.close()
                return port
        raise RuntimeError("this site has used up its block of ports")

    def close(self):
        self._guard.close()
