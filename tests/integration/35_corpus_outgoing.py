# SPDX-License-Identifier: Apache-2.0
"""Every message of the corpus goes the outgoing way, to somebody with S/MIME and somebody with PGP:
what openssl and gpg find inside is the entity that went in, byte for byte, but for the header fields
that it protects and their mark. Without a corpus (SEALPOST_CORPUS) some messages made here go the
same way."""
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib import BUILD, SRC, Office

from demo import people as cast
from demo.opening import HP_MARK
from demo.process import Failed, run

CORPUS = Path(os.environ.get("SEALPOST_CORPUS", SRC.parent / "shared" / "corpus"))
POLICY = 'internal domains "firma.example"\noutgoing require smime, pgp\n'
ALICE, SOFIA, PETER = cast.ALICE, cast.SOFIA, cast.PETER
# a mark that the writer's program put on the root: ours takes its place
OLD_MARK = re.compile(rb'\A((?:[^\r]|\r\n[ \t])*?);\s*protected-headers="v1"')
FIELD = re.compile(rb"([!-9;-~]+):")

OWN = {
    "bare": b"\nno fields, no type\n",
    "empty": b"Subject: nothing\n\n",
    "no-end": b"Content-Type: text/plain\n\nno line end",
    "8bit": "Content-Type: text/plain; charset=utf-8\n\nGrüße\n".encode(),
    "bare-cr": b"Content-Type: text/plain\r\n\r\na\rb\r\n.\r\n..\r\n",
    "bare-cr-field": b"X-A: a\rb\r\r\nContent-Type: text/plain; x=\"a\rContent-Type: b\"\r\n\r\na\r\n",
    "nul": b"Content-Type: application/octet-stream\n\n\0\1\2\0\n",
    "open": b'Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nnever closed',
    "deep": b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n)
                     for n in range(1000)) + b"\nin the middle\n",
    "fields": b"".join(b"X-Field: %d\n" % n for n in range(1900)) + b"\nmany fields\n",
    "long-field": b"X-Long: " + b"x" * 1000000 + b"\n\nlong\n",
    "long-line": b"Content-Type: text/plain\n\n" + b"y" * 200000 + b"\n",
    "big": b"Content-Type: application/octet-stream\n\n" + bytes(range(256)) * 8000,
    "folded": b"Content-Type: text/plain;\n\tcharset=utf-8;\n format=flowed\n"
              b"content-DISPOSITION: inline\nContent-Return: x\n\nx\n",
}


def fields_and_body(raw):
    """As Postfix reads it: fields up to the empty line or the first line that is none."""
    lines, fields = raw.split(b"\n"), []
    while lines and len(lines) > (lines[-1] == b""):
        line = lines[0].removesuffix(b"\r")
        if line == b"":
            lines.pop(0)
            break
        if line[:1] in b" \t" and fields:
            fields[-1] += b"\r\n" + line
        elif FIELD.match(line):
            fields.append(line)
        else:
            break
        lines.pop(0)
    return [f.replace(b"\0", b"") for f in fields], b"\n".join(lines)


def lawful(field):
    """The one difference that is meant: no CR stands alone in a field (RFC 5322, section 2.2)."""
    return re.sub(rb"\r(?!\n)", b" ", field)


def is_content(field):
    name = FIELD.match(field).group(1).lower()
    return name.startswith(b"content-") and name not in (
        b"content-return", b"content-identifier", b"content-correlator")


def crlf(body):
    return re.sub(rb"(?<!\r)\n", b"\r\n", body)


def prepare(raw):
    """(the message as alice's, its entity, whether its fields are not lawful)."""
    fields, body = fields_and_body(raw)
    kept = [f for f in fields if FIELD.match(f).group(1).lower() not in (b"from", b"bcc")]
    content = b"".join(f + b"\r\n" for f in kept if is_content(f))
    message = b"".join(f + b"\r\n" for f in kept + [f"From: {ALICE.address}".encode()])
    return (message + b"\r\n" + body, lawful(content) + b"\r\n" + crlf(body),
            lawful(content) != content)


def first_part(entity):
    """What a multipart/signed signs; the entity itself if it is none."""
    head, _, body = entity.partition(b"\r\n\r\n")
    found = re.search(rb'boundary="([^"]+)"', head)
    if not found or b"multipart/signed" not in head:
        return entity
    mark = b"--" + found.group(1)
    inside = body.split(mark + b"\r\n", 1)[1]
    return inside.rsplit(b"\r\n" + mark + b"\r\n", 1)[0]


def opened_smime(cabinet, path):
    return run(["openssl", "cms", "-decrypt", "-binary", "-in", path,
                "-inkey", cabinet(SOFIA, "key.pem"), "-recip", cabinet(SOFIA, "cert.pem")]).stdout


def opened_pgp(home, path):
    content = Path(path).read_bytes()
    start = content.index(b"-----BEGIN PGP MESSAGE-----")
    return run(["gpg", "--homedir", home, "--batch", "--quiet", "--status-fd", "2", "--decrypt"],
               stdin=content[start:]).stdout


def bare(found):
    """An entity without what header protection (RFC 9788) puts into its head: what went in."""
    fields, body = fields_and_body(found)
    content = [HP_MARK.sub(b"", f) for f in fields if is_content(f)]
    return b"".join(f + b"\r\n" for f in content) + b"\r\n" + body


def foreign(found, message):
    """A field inside, or an HP-Outer's, that the message does not have; None if there is none."""
    own = {lawful(field) for field in fields_and_body(message)[0]}
    for field in fields_and_body(found)[0]:
        if not is_content(field) and field.removeprefix(b"HP-Outer: ") not in own:
            return field
    return None


def differs(found, expected, message):
    if found == expected or first_part(found) == expected:
        return None  # the client's own layer
    if HP_MARK.search(found.partition(b"\r\n\r\n")[0]) is None:
        found = first_part(found)  # below our signature
    if HP_MARK.search(found.partition(b"\r\n\r\n")[0]) is None:
        return f"no header protection: {found[:200]!r}"
    if foreign(found, message):
        return f"not from the message: {foreign(found, message)!r}"
    found, expected = bare(found), OLD_MARK.sub(rb"\1", expected)
    if found in (expected, b"Content-Type: text/plain\r\n" + expected):
        return None  # without a type there is nothing to carry the mark
    return f"{len(found)} bytes instead of {len(expected)}: {found[:60]!r} {expected[:60]!r}"


class Run(Office):
    def __init__(self, folder):
        super().__init__(folder, POLICY, ALICE, SOFIA, PETER)
        self.take_keys(ALICE, "cert.pem", "key.pem", "secret.asc")
        for person in (SOFIA, PETER):
            self.take_keys(person, "cert.pem", "public.asc")
        self.home = self.folder / "gpg"
        self.home.mkdir(mode=0o700)
        run(["gpg", "--homedir", self.home, "--batch", "--quiet", "--import",
             self.cabinet(PETER, "secret.asc"), self.cabinet(ALICE, "public.asc")])

    def protect(self, messages):
        """Feeds all messages to one process: its report, a line each."""
        given, out = self.folder / "given", self.folder / "out"
        given.mkdir()
        out.mkdir()
        paths = []
        for number, message in enumerate(messages):
            (given / f"{number}.eml").write_bytes(message)
            paths.append(str(given / f"{number}.eml"))
        done = subprocess.run([BUILD / "tests/integration/outgoing", self.sealpost.conf, out,
                               ALICE.address, SOFIA.address, PETER.address],
                              input="\n".join(paths).encode(), capture_output=True, check=False)
        if done.returncode != 0:
            raise Failed(f"outgoing: {done.returncode}: {done.stderr[-2000:].decode(errors='replace')}")
        return done.stdout.decode("utf-8", "replace").splitlines()

    def check(self, number, report, message, entity):
        """None, or what is wrong with a message's variants."""
        out = self.folder / "out" / str(number)
        try:
            if report == "deliver smime pgp":
                return differs(opened_smime(self.cabinet, out / "1.eml"), entity, message) or \
                    differs(opened_pgp(self.home, out / "2.eml"), entity, message)
            if report == "deliver unchanged":
                kept = fields_and_body((out / "1.eml").read_bytes())
                content = b"".join(f + b"\r\n" for f in kept[0] if is_content(f))
                return differs(content + b"\r\n" + crlf(kept[1]), entity, message)
        except (Failed, ValueError, IndexError) as error:
            return str(error)
        return f"it would not leave: {report}"


def messages():
    """(name, raw bytes) of all there is."""
    for name, raw in OWN.items():
        yield name, raw
    manifest = CORPUS / "manifest.tsv"
    for line in manifest.read_text("utf-8").splitlines()[1:] if manifest.exists() else []:
        path, _, kind = line.split("\t")[:3]
        if kind.startswith("mime-"):
            yield path, (CORPUS / path).read_bytes()


def main():
    print("1..2")
    if not (CORPUS / "manifest.tsv").exists():
        print(f"# no corpus at {CORPUS}: only the messages made here (SEALPOST_CORPUS)")
    folder = tempfile.mkdtemp(prefix="so-")
    try:
        work = Run(folder)
        names, raws = zip(*messages())
        prepared = [prepare(raw) for raw in raws]
        reports = [line.split(" ", 1)[1] for line in work.protect([p[0] for p in prepared])]
        assert len(reports) == len(names)
        with ThreadPoolExecutor(2) as pool:
            faults = list(pool.map(work.check, range(len(names)), reports, *list(zip(*prepared))[:2]))
        bad = [(name, fault) for name, fault in zip(names, faults) if fault]
        for name, fault in bad[:20]:
            print(f"# {name}: {fault}"[:400].replace("\n", " "))
        print("not ok 1" if bad else "ok 1",
              f"- {len(names)} messages: what is inside is what went in ({len(bad)} are not)")
        left = sum(report == "deliver unchanged" for report in reports)
        unlawful = [name for name, p in zip(names, prepared) if p[2]]
        print(f"# a CR alone in a Content- field, which becomes a blank: {unlawful}")
        print("ok 2" if left < len(names) / 2 else "not ok 2",
              f"- {left} of them were encrypted already and left alone")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main()
