# SPDX-License-Identifier: Apache-2.0
"""A private opendkim that signs for the site's domain, and the check of what it signed."""
import base64
from pathlib import Path

from .process import Child, Failed, port_answers, run

SELECTOR = "demo"


class Dkim:
    def __init__(self, folder, domain, port, children):
        self.folder, self.domain = Path(folder), domain
        self.port, self._children = port, children
        self.milter = f"inet:127.0.0.1:{port}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key = self.folder / "dkim.key"

    def start(self):
        run(["openssl", "genrsa", "-out", self._key, "2048"])
        self._key.chmod(0o600)
        config = self.folder / "opendkim.conf"
        config.write_text(f"Domain {self.domain}\nSelector {SELECTOR}\nKeyFile {self._key}\n"
                          f"Socket inet:{self.port}@127.0.0.1\nMode s\nSyslog no\nBackground no\n"
                          "InternalHosts 0.0.0.0/0\nCanonicalization relaxed/simple\n"
                          "OmitHeaders X-Sealpost-Route\nRequireSafeKeys no\n", "utf-8")
        self._children.add(Child("opendkim", ["opendkim", "-f", "-x", config],
                                 self.folder / "opendkim.log",
                                 ready=lambda: port_answers(self.port)))

    def record(self):
        """What the domain's DNS says of the key."""
        public = run(["openssl", "rsa", "-in", self._key, "-pubout", "-outform", "DER"]).stdout
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    def verify(self, content):
        """Failed unless the message carries a signature of ours that holds. By dkimpy, with the
        public key given instead of asked from DNS."""
        import dkim  # only the tests have it
        record = self.record()
        if not dkim.verify(content, dnsfunc=lambda *_args, **_kwargs: record):
            raise Failed("the DKIM signature does not hold")
