# SPDX-License-Identifier: Apache-2.0
"""Log-in for the submission listener: the server side of Dovecot's auth protocol, PLAIN only.

Just enough of it for Postfix: everybody in the play has the same password.
"""
import base64
import os
import socketserver
import threading

PASSWORD = "open sesame"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("VERSION\t1\t1", "MECH\tPLAIN\tplaintext", f"SPID\t{os.getpid()}", "CUID\t1",
                  "COOKIE\t00", "DONE")
        for line in self.rfile:
            words = line.decode("utf-8", "replace").rstrip("\n").split("\t")
            if words[0] == "AUTH":
                self._answer(words)

    def _answer(self, words):
        given = next((w[5:] for w in words if w.startswith("resp=")), "")
        _, user, password = (base64.b64decode(given).decode("utf-8").split("\0") + ["", ""])[:3]
        if user in self.server.users and password == PASSWORD:
            self._say(f"OK\t{words[1]}\tuser={user}")
        else:
            self._say(f"FAIL\t{words[1]}\tuser={user}")

    def _say(self, *lines):
        self.wfile.write("".join(line + "\n" for line in lines).encode("utf-8"))


class Sasl(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path, users):
        self.users = set(users)
        super().__init__(str(path), _Handler)
        os.chmod(path, 0o666)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
