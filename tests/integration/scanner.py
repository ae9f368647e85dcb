# SPDX-License-Identifier: Apache-2.0
"""A virus scanner that speaks the milter protocol, as clamav-milter, amavisd-milter and rspamd do, but
knows one virus only: the test file of EICAR. It stands behind the gateway in Postfix's list."""
import base64
import email
import socketserver
import struct
import threading

# Put together here, so that no scanner trips over this file.
EICAR = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!" +
         "$H+H*").encode()
REPLY = b"550 5.7.1 Virus found\0"
# Protocol version 6; what we leave out: connect, HELO, RCPT, end of headers, unknown commands, DATA.
VERSION, LEFT_OUT = 6, 0x1 | 0x2 | 0x8 | 0x40 | 0x100 | 0x200


def infected(content):
    """Is the virus in any part, its transfer encoding undone?"""
    parts = [part.get_payload(decode=True) or b"" for part in email.message_from_bytes(content).walk()]
    return any(EICAR in part for part in [content, *parts])


class _Session(socketserver.StreamRequestHandler):
    def _send(self, code, data=b""):
        self.wfile.write(struct.pack(">I", 1 + len(data)) + code + data)
        self.wfile.flush()

    def handle(self):
        content, body = b"", b""
        while True:
            head = self.rfile.read(5)
            if len(head) < 5:
                return
            size, code = struct.unpack(">Ic", head)
            data = self.rfile.read(size - 1)
            if code == b"O":
                offered = struct.unpack(">III", data[:12])[2]
                self._send(b"O", struct.pack(">III", VERSION, 0, LEFT_OUT & offered))
            elif code == b"M":
                content, body = b"", b""
                self._send(b"c")
            elif code == b"L":
                name, value = data.rstrip(b"\0").split(b"\0", 1)
                content += name + b": " + value.lstrip().replace(b"\n", b"\r\n") + b"\r\n"
                self._send(b"c")
            elif code == b"B":
                body += data
                self._send(b"c")
            elif code == b"E":
                self._end(content + b"\r\n" + body + data)
            elif code == b"Q":
                return

    def _end(self, content):
        found = infected(content)
        self.server.seen.append((content, found))
        self._send(b"y", REPLY) if found else self._send(b"c")


class Scanner:
    """`seen` gets (content, infected) of each message that passes."""

    def __init__(self, port):
        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            seen = []
        self._server = Server(("127.0.0.1", port), _Session)
        self.milter = f"inet:127.0.0.1:{port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def seen(self):
        return self._server.seen

    def close(self):
        self._server.shutdown()
        self._server.server_close()


def attachment():
    """A message's content with the virus in an attachment."""
    return (b'Content-Type: multipart/mixed; boundary="=_m"\r\n\r\n--=_m\r\n'
            b"Content-Type: text/plain\r\n\r\nHere is the file.\r\n--=_m\r\n"
            b'Content-Type: application/octet-stream; name="bill.exe"\r\n'
            b"Content-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="bill.exe"\r\n\r\n' +
            base64.encodebytes(EICAR).replace(b"\n", b"\r\n") + b"--=_m--\r\n")
