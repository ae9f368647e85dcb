# SPDX-License-Identifier: Apache-2.0
"""A private mail site in one folder: Postfix, slapd, people, the world outside, gateway and portal.

`python3 -m demo` shows it to people (quickstart.sh demo); the integration tests use the same Site.
"""
