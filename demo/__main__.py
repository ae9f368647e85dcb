# SPDX-License-Identifier: Apache-2.0
"""`python3 -m demo`: the site, one round of mail, then open for your own until Ctrl-C."""
import argparse
import sys
import threading
import time

from .process import Failed, Stopped, catch_signals
from .round import Round
from .site import Site


def write_env(site):
    """demo.env: where everything is; it appears complete, once all is up."""
    values = {"SMTP": f"127.0.0.1:{site.smtp_port}", "OUT": site.outbox.folder,
              "PORTAL": site.sealpost.portal_url, "LDAP": site.slapd.url,
              "CONF": site.sealpost.conf, "SEALPOST": site.sealpost.write_wrapper(site.folder / "bin"),
              "PEOPLE": site.cabinet.folder, "CA": site.authority.root,
              "GATEWAY_PID": site.sealpost.gateway.pid, "PORTAL_PID": site.sealpost.portal.pid}
    draft = site.folder / ".demo.env"
    draft.write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")
    return draft.rename(site.folder / "demo.env")


def show(options):
    start = time.monotonic()

    def step(text):
        print(f"[{time.monotonic() - start:5.1f} s] {text}", flush=True)

    def say(text):
        print(text, flush=True)

    with Site(options.dir, options.build, say=step) as site:
        act = Round(site, say)
        good = act.run()
        env = write_env(site)
        say("")
        step("every message left as it should" if good
             else f"NOT as it should: {', '.join(act.failures)}")
        if options.once:
            return 0 if good else 1
        say(f"""
Try it yourself until Ctrl-C:
  send mail from anybody@firma.example to anybody by SMTP at 127.0.0.1:{site.smtp_port}
  what arrives outside is in {site.outbox.folder}
  the portal is at {site.sealpost.portal_url} (certificate of the demo's own authority)
  ask what would happen: {site.folder}/bin/sealpost explain --from alice@firma.example \\
      --to otto@web.example < message.eml
  change the rules: edit {site.sealpost.policy},
      then kill -HUP {site.sealpost.gateway.pid}
  all of this for scripts: {env}""")
        threading.Event().wait()
    return 0


def main():
    parser = argparse.ArgumentParser(prog="quickstart.sh demo", description="A private mail site.")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--dir", required=True, help="the folder to use")
    parser.add_argument("--once", action="store_true", help="end after the round")
    catch_signals()
    try:
        return show(parser.parse_args())
    except Failed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except Stopped as reason:
        print(f"\nstopped by {reason}; all is shut down", flush=True)
        return 0 if reason.args[0] == "SIGINT" else 1


if __name__ == "__main__":
    sys.exit(main())
