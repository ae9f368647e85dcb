# SPDX-License-Identifier: Apache-2.0
"""Speaks to the gateway's milter socket as an MTA does, to see what an MTA sees and its client does not: which
edits come, and when. Protocol version 6, with what Postfix offers."""
import socket
import struct
import time

ACTIONS, STEPS = 0x1FF, 0x1FFFFF
EDITS = b"+-2hmibe"  # recipients, header fields, the body, the sender


class MilterClient:
    def __init__(self, path, address):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(120)
        self._socket.connect(str(path))
        self._send(b"O", struct.pack(">III", 6, ACTIONS, STEPS))
        _, data = self._receive()
        self._silent = struct.unpack(">III", data[:12])[2]
        self._step(b"C", b"mx.stranger.example\0" + b"4" + struct.pack(">H", 25) + address.encode() + b"\0", 0x1000)

    def close(self):
        self._socket.close()

    def _send(self, code, data=b""):
        self._socket.sendall(struct.pack(">I", 1 + len(data)) + code + data)

    def _receive(self):
        size, code = struct.unpack(">IB", self._exactly(5))
        return code, self._exactly(size - 1)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            data += self._socket.recv(size - len(data)) or self._gone()
        return data

    @staticmethod
    def _gone():
        raise ConnectionError("the gateway has closed the connection")

    def _step(self, code, data, no_reply):
        """no_reply: the bit by which the gateway has said that it does not answer this."""
        self._send(code, data)
        if not self._silent & no_reply:
            answer, _ = self._receive()
            assert answer == ord("c"), (code, answer)

    def give(self, sender, recipients, content):
        """The answer's letter, [(seconds, letter)] of the edits, and the seconds until the answer."""
        head, body = content.split(b"\r\n\r\n", 1)
        self._step(b"M", f"<{sender}>\0".encode(), 0x4000)
        for recipient in recipients:
            self._step(b"R", f"<{recipient}>\0".encode(), 0x8000)
        for field in head.replace(b"\r\n ", b"\n ").replace(b"\r\n\t", b"\n\t").split(b"\r\n"):
            name, value = field.split(b":", 1)
            self._step(b"L", name + b"\0" + value + b"\0", 0x80)
        self._step(b"N", b"", 0x40000)
        for at in range(0, len(body), 65535):
            self._step(b"B", body[at:at + 65535], 0x80000)
        start, edits = time.monotonic(), []
        self._send(b"E")
        while True:
            code, _ = self._receive()
            seconds = time.monotonic() - start
            if code in EDITS:
                edits.append((seconds, chr(code)))
            elif code != ord("p"):  # progress
                return chr(code), edits, seconds
