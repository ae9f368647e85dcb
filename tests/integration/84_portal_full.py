# SPDX-License-Identifier: Apache-2.0
"""A full disk: a deposit fails as such, nothing of it stays; with space again it goes through."""
import os
import subprocess
import sys

from portal_lib import FILE, PASSWORD, Visitor, mail, portal_script

from lib import BUILD

from demo.process import run

MEGABYTE = 1024 * 1024


def mounted(folder, size):
    """A small file system of its own at folder; FALSE where that is not allowed."""
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
                          capture_output=True, check=False).returncode == 0


if os.getuid() != 0:
    print("1..0 # SKIP a small file system of its own needs root")
    sys.exit(0)

with portal_script() as (tap, site):
    site.stop()
    for path in site.state.iterdir():
        path.unlink()
    if not mounted(site.state, 3 * MEGABYTE):
        print("1..0 # SKIP no small file system can be mounted here")
        sys.exit(0)
    try:
        site.start()
        first = site.deposit(mail(), "first")
        big = mail(attachment=os.urandom(4 * MEGABYTE))

        with tap.case("a message that does not fit: disk-full, and nothing half stored"):
            before = site.dump()
            done = site.deposit(big, "big", check=False)
            assert done.returncode == 1 and done.stderr.startswith(b"disk-full:"), done.stderr
            assert site.dump() == before

        with tap.case("what was there before still opens, also while it is full"):
            visitor = Visitor(site)
            page = visitor.get(first)
            assert page.status == 200
            answer = visitor.post(first, code=site.codes[first], password=PASSWORD, repeated=PASSWORD)
            assert answer.status in (303, 500), answer.status
            run(["mount", "-o", "remount,size=40m", site.state])
            where = answer.headers["Location"] or visitor.open_link(first)
            path = visitor.get(where).text.split('<li><a href="')[1].split('"')[0]
            assert visitor.get(path).body == FILE

        with tap.case("with space again, the same deposit goes through once"):
            assert site.deposit(big, "big") and site.deposit(big, "big") is None
            assert site.sql("SELECT count(*) FROM message") == [(2,)]

        with tap.case("expired messages make room, and need none for it"):
            ballast = site.state / "ballast"
            ballast.write_bytes(bytes(MEGABYTE))
            filled = 0
            while site.deposit(big, f"fill {filled}", check=False).returncode == 0:
                filled += 1
            assert filled >= 3
            ballast.unlink()
            site.sql("UPDATE message SET expires = 1 WHERE size > ?", MEGABYTE)
            run([BUILD / "cli/sealpost", "--config", site.conf, "portal", "expire"])
            assert site.sql("SELECT count(*) FROM message") == [(1,)]
            assert site.deposit(big, "room")

        with tap.case("no room to open a message: said so, and with room again it opens"):
            spool = site.folder / "run" / "portal"
            assert mounted(spool, MEGABYTE)
            try:
                path = "/message/" + site.deposit(big, "spool").removeprefix("/m/")
                page = visitor.get(path)
                assert page.status == 500 and f'href="{path}"' in page.text, page.status
                assert visitor.get("/").status == 200 and visitor.get(where).status == 200
                run(["mount", "-o", "remount,size=40m", spool])
                assert visitor.get(path).status == 200
                site.stop()
            finally:
                site.child.stop()
                run(["umount", "-l", spool])
            site.start()
        site.stop()
        site.start()
    finally:
        site.child.stop()
        run(["umount", "-l", site.state])
    site.start()
