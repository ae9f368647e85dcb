# SPDX-License-Identifier: Apache-2.0
"""A private opendkim that signs for firma.example, and the check of what it signed."""
import base64
from pathlib import Path

from .people import INTERNAL
from .process import Child, Failed, port_answers, run

SELECTOR = "demo"


class Dkim:
    def __init__(self, folder, port, children):
        self.folder, self.port, self._children = Path(folder), port, children
        self.milter = f"inet:127.0.0.1:{port}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = self.folder / "dkim.key"

    def start(self):
        run(["openssl", "genrsa", "-out", self._key, "2048"])
        self._key.chmod(0o600)
        config = self.folder / "opendkim.conf"
        config.write_text(f"Domain {INTERNAL}\nSelector {SELECTOR}\nKeyFile {self._key}\n"
                          f"Socket inet:{self.port}@127.0.0.1\nMode s\nSyslog no\nBackground no\n"
                          "InternalHosts 0.0.0.0/0\nCanonicalization relaxed/simple\n"
                          "OmitHeaders X-Sealpost-Route\nRequireSafeKeys no\n", "utf-8")
        self._children.add(Child("opendkim", ["opendkim", "-f", "-x", config],
                                 self.folder / "opendkim.log",
                                 ready=lambda: port_answers(self.port)))

    def verify(self, content):
        """Failed unless the message carries a signature of ours that holds. By dkimpy, with the
        public key given instead of asked from DNS."""
        import dkim  # only the tests have it
        public = run(["openssl", "rsa", "-in", self._key, "-pubout", "-outform", "DER"]).stdout
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
        if not dkim.verify(content, dnsfunc=lambda *_args, **_kwargs: record):
            raise Failed("the DKIM signature does not hold")
