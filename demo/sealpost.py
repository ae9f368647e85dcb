# SPDX-License-Identifier: Apache-2.0
"""Sealpost itself in a site: the installation that `sealpost init` makes, its two daemons, its command."""
import json
import os
import re
import shlex
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from .process import Child, Failed, run, socket_answers

POLICY = """\
internal domains "firma.example"

outgoing subject has "[confidential]"  require smime, pgp, portal  remove tag
outgoing to "tls.example"              require smime, pgp, verified tls
outgoing                               require smime, pgp, portal
"""


class Sealpost:
    """folder: the installation. short: a folder with a short name, for sockets and GnuPG's home."""

    def __init__(self, build, folder, short, log, children):
        self.build, self.folder, self.log, self._children = Path(build), Path(folder), log, children
        self.conf = self.folder / "sealpost.conf"
        self.policy = self.folder / "sealpost.policy"
        self.command = self.build / "cli" / "sealpost"
        self.socket = Path(short) / "milter.sock"
        self.runtime = Path(short) / "run"
        self.portal_url = None
        self._gateway = self._portal = None
        for program in (self.command, self.build / "gateway/sealpost-gateway",
                        self.build / "portal/sealpost-portal"):
            if not program.exists():
                raise Failed(f"{program} has not been built")

    def init(self, domain):
        self.run("init", "--domain", domain, self.folder, with_conf=False)
        self.runtime.mkdir(mode=0o700)
        self.set("gateway", listen=f"unix:{self.socket}", socket_mode="0666",
                 runtime_folder=self.runtime)
        if os.geteuid() == 0:  # the daemons want to be told so
            for section in ("sealpost", "portal"):
                self.set(section, user="root")

    def set(self, section, **values):
        """Puts settings into sealpost.conf, in the place of the commented default where there is one."""
        text = self.conf.read_text("utf-8")
        for key, value in values.items():
            text = _with_setting(text, section, key, str(value))
        self.conf.write_text(text, "utf-8")

    def set_policy(self, text):
        self.policy.write_text(text, "utf-8")

    def run(self, *words, stdin=None, check=True, with_conf=True):
        options = ("--config", self.conf) if with_conf else ()
        return run([self.command, *options, *words], stdin=stdin, check=check)

    def explain(self, sender, recipients, content, *options):
        """The JSON of `sealpost explain` and its exit status."""
        to = [word for recipient in recipients for word in ("--to", recipient)]
        done = self.run("explain", "--json", "--from", sender, *to, *options, stdin=content,
                        check=False)
        if done.returncode not in (0, 75, 77):
            raise Failed(f"sealpost explain: status {done.returncode}: {done.stderr.decode()}")
        return json.loads(done.stdout), done.returncode

    def write_wrapper(self, folder):
        """A `sealpost` in this folder that knows this installation's sealpost.conf."""
        folder.mkdir(exist_ok=True)
        wrapper = folder / "sealpost"
        wrapper.write_text(f"#!/bin/sh\n[ -n \"$SEALPOST_CONF\" ] || "
                           f"SEALPOST_CONF={shlex.quote(str(self.conf))}\nexport SEALPOST_CONF\nexec {shlex.quote(str(self.command))} \"$@\"\n")
        wrapper.chmod(0o755)
        return wrapper

    # The daemons

    def start_gateway(self, prefix=()):
        """prefix: a program that runs it, and becomes it."""
        self._gateway = self._children.add(Child(
            "gateway", [*prefix, self.build / "gateway/sealpost-gateway", "--config", self.conf],
            self.log / "gateway.log", ready=lambda: socket_answers(self.socket)))
        return self._gateway

    @property
    def gateway(self):
        return self._gateway

    @property
    def portal(self):
        return self._portal

    def gateway_log(self):
        path = self.log / "gateway.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def start_portal(self, authority, port):
        """The portal with a certificate of the demo's CA; ready when it answers HTTPS."""
        shutil.copy(authority.server("localhost"), self.folder / "portal.pem")
        self.portal_url = f"https://localhost:{port}"
        self.set("portal", listen=f"inet:127.0.0.1:{port}", url=self.portal_url,
                 certificate="portal.pem", key="portal.pem")
        self.tls = ssl.create_default_context(cafile=str(authority.root))
        self._portal = self._children.add(Child(
            "portal", [self.build / "portal/sealpost-portal", "--config", self.conf],
            self.log / "portal.log", ready=self._portal_answers))
        return self._portal

    def _portal_answers(self):
        try:
            self.get(self.portal_url + "/")
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def get(self, url):
        with urllib.request.urlopen(url, context=self.tls, timeout=60) as answer:
            return answer.read().decode("utf-8")


def _with_setting(text, section, key, value):
    """text with key = value in that section; the section is added at the end if it is new."""
    header = f"[{section}]"
    lines, done, inside = [], False, False
    for line in text.splitlines():
        if re.match(r"\[.*\]\s*$", line):
            if inside and not done:
                lines.append(f"{key} = {value}")
                done = True
            inside = line.strip() == header
        elif inside and not done and re.match(rf"#?\s*{re.escape(key)}\s*=", line):
            line, done = f"{key} = {value}", True
        lines.append(line)
    if not done:
        if not inside:
            lines += ["", header]
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"
