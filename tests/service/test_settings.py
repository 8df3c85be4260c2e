"""Who is let in by which settings, and that each setting can be set."""

from __future__ import annotations

from dataclasses import fields

import click
import pytest

from taxcheck.cli.serve import serve
from taxcheck.model.errors import UsageError
from taxcheck.service.access import is_among, is_loopback, settle
from taxcheck.service.settings import Settings

PROXY = {"user_header": "X-User", "proxies": ("10.0.0.0/8",)}


@pytest.mark.parametrize(("settings", "has_tokens", "is_open"), [
    ({}, False, True),
    ({}, True, False),
    ({"open": True}, True, True),
    ({"host": "::1"}, False, True),
    ({"host": "localhost"}, False, True),
    ({"host": "127.9.9.9"}, False, True),
    (PROXY, False, False),
    ({"host": "0.0.0.0"}, True, False),
    ({"host": "0.0.0.0", **PROXY}, False, False),
])  # fmt: skip
def test_a_server_is_open_to_its_machine_alone(
    settings: dict[str, object], has_tokens: bool, is_open: bool
) -> None:
    assert settle(Settings(**settings), has_tokens).open == is_open  # type: ignore[arg-type]


@pytest.mark.parametrize(("settings", "has_tokens", "said"), [
    ({"host": "0.0.0.0"}, False, "there is no access control"),
    ({"host": "::"}, False, "there is no access control"),
    ({"host": "192.168.1.7"}, False, "there is no access control"),
    ({"host": "runs.example.org"}, False, "there is no access control"),
    ({"host": ""}, False, "there is no access control"),
    ({"host": "0.0.0.0", "open": True}, False, "`open` would let all of them in"),
    ({"host": "0.0.0.0", "open": True}, True, "`open` would let all of them in"),
    ({"user_header": "X-User"}, True, "anybody could send it"),
    ({"proxies": ("10.0.0.1", "proxy.example")}, True, "neither an address nor a network"),
    ({"open": True, **PROXY}, False, "would let in whoever the proxy did not name"),
])  # fmt: skip
def test_a_server_that_others_reach_does_not_start_without_access_control(
    settings: dict[str, object], has_tokens: bool, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        settle(Settings(**settings), has_tokens)  # type: ignore[arg-type]


@pytest.mark.parametrize(("host", "local"), [
    ("127.0.0.1", True), ("::1", True), ("[::1]", True), ("::ffff:127.0.0.1", True),
    ("localhost", True), ("LOCALHOST", True), ("0.0.0.0", False), ("::", False), ("", False),
    ("localhost.example", False), ("127.1", False), ("10.0.0.1", False),
])  # fmt: skip
def test_what_only_this_machine_reaches(host: str, local: bool) -> None:
    assert is_loopback(host) == local


@pytest.mark.parametrize(("peer", "trusted"), [
    ("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("11.0.0.1", False), ("", False),
    ("testclient", False), ("fe80::1%eth0", False),
])  # fmt: skip
def test_a_proxy_is_known_by_its_address(peer: str, trusted: bool) -> None:
    assert is_among(peer, ("10.0.0.0/8", "fd00::1")) == trusted


def test_each_setting_is_an_option_and_a_variable() -> None:
    options = {one.name: one for one in serve.params if isinstance(one, click.Option)}
    for field in fields(Settings):
        option = options[field.name]
        assert option.default == field.default
        assert option.envvar == f"TAXCHECK_SERVICE_{field.name.upper()}"
        assert option.help
    assert options.keys() - {field.name for field in fields(Settings)} == {"check"}
