# SPDX-License-Identifier: Apache-2.0
"""Mail that the mail client mutt writes: it protects only what a person sends at its screen, so it
gets a terminal of its own, and the keys that a person would press."""
import os
import pty
import select
import signal
import time

from foreign import Gpgsm

from demo.process import Failed, run

SECONDS = 60
# What mutt shows, and the key that is pressed then, once.
STEPS = {b"To: ": b"\r", b"y:Send": b"y", b"<Enter>:Select": b"\r", b"really want to use": b"y"}

MUTTRC = """\
set crypt_use_gpgme=yes pgp_sign_as={pgp} smime_default_key={smime}
set from={address} realname="{name}" use_from=yes envelope_from=yes use_domain=no
set editor=true abort_unmodified=no fast_reply=yes confirmappend=no copy=no
set sendmail="{folder}/keep" sendmail_wait=0 charset=utf-8 send_charset=utf-8
set abort_noattach=no crypt_opportunistic_encrypt=no postpone=no quit=yes
"""
# gpg-agent asks for the passphrase that Gpgsm gave the key.
PINENTRY = """\
#!/bin/sh
echo OK
while read -r word _; do
    case $word in
    GETPIN) printf 'D x\\nOK\\n' ;;
    BYE) echo OK; exit ;;
    *) echo OK ;;
    esac
done
"""


class Mutt:
    """One person's mutt, with a GnuPG home of theirs and the public keys of others."""

    def __init__(self, site, owner, others):
        self._gpgsm = Gpgsm(site, owner.address, [person.address for person in others])
        self.home = self._gpgsm.home
        self._write("pinentry", PINENTRY).chmod(0o755)
        self._write("gpg-agent.conf", f"allow-loopback-pinentry\npinentry-program {self.home}/pinentry\n")
        self._write("gpg.conf", "trust-model always\nno-auto-key-locate\n")
        self._write("keep", f"#!/bin/sh\nexec cat >{self.home}/sent\n").chmod(0o755)
        run(["gpgconf", "--homedir", self.home, "--kill", "all"])
        run(["gpg", "--homedir", self.home, "--batch", "--import", site.cabinet(owner, "secret.asc"),
             *[site.cabinet(person, "public.asc") for person in others if person.pgp]])
        (self.home / "Mail").mkdir()
        self._write("muttrc", MUTTRC.format(address=owner.address, name=owner.name, folder=self.home,
                                            pgp=owner.address, smime=owner.address))

    def _write(self, name, text):
        path = self.home / name
        path.write_text(text, "utf-8")
        return path

    def written(self, to, subject, text, *settings, attach=()):
        """The message as mutt hands it to sendmail, with CRLF. settings: such as crypt_autosign."""
        self._write("body", text)
        (self.home / "sent").unlink(missing_ok=True)
        files = [word for name in attach for word in ("-a", str(name))]
        commands = [word for setting in settings for word in ("-e", f"set {setting}")]
        self._on_screen(["mutt", "-F", self.home / "muttrc", *commands, "-s", subject,
                         "-i", self.home / "body", *files, "--", to])
        return (self.home / "sent").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def _on_screen(self, argv):
        pid, screen = pty.fork()
        if pid == 0:
            environment = {**os.environ, "GNUPGHOME": str(self.home), "HOME": str(self.home),
                           "TERM": "xterm", "LC_ALL": "C.UTF-8"}
            os.execvpe(argv[0], [str(word) for word in argv], environment)
        shown, at, steps, end = b"", 0, dict(STEPS), time.monotonic() + SECONDS
        try:
            while select.select([screen], [], [], max(0, end - time.monotonic()))[0]:
                shown += os.read(screen, 65536)
                for mark in [mark for mark in steps if mark in shown[at:]]:
                    at = len(shown)
                    os.write(screen, steps.pop(mark))
            os.kill(pid, signal.SIGKILL)  # it asks something
        except OSError:
            pass  # it has ended
        os.close(screen)
        if os.waitpid(pid, 0)[1] != 0:
            raise Failed(f"mutt: {shown[-2000:].decode('utf-8', 'replace')}")

    def close(self):
        self._gpgsm.close()
