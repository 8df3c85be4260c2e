"""Where messages may go: to the open Internet, and to nothing that only we can reach."""

from __future__ import annotations

import pytest

from taxcheck.service.store.addresses import checked_url, is_public
from taxcheck.service.store.errors import RefusedError


@pytest.mark.parametrize("address", [
    "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "192.167.1.1", "11.0.0.1", "100.128.0.1",
    "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8", "64:ff9b::808:808",
])  # fmt: skip
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.100.100.200", "192.0.0.192",
    "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "192.88.99.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:808:808::", "::7f00:1", "::8.8.8.8",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
])  # fmt: skip
def test_what_only_we_can_reach_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", [
    "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/",
    "//example.org/", "example.org", "https://", "https:///x", "https://user:word@example.org/",
    "https://user@example.org/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1:8443/x",
    "https://169.254.169.254/latest/meta-data/", "https://[::ffff:127.0.0.1]/", "https://a b/",
    "https://example.org/\r\nX: y", "https://example.org:99999/", "https://exämple.org/", "",
    "https://[::1", "https://example.org/" + "x" * 2000,
])  # fmt: skip
def test_a_url_that_nothing_may_be_sent_to_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match=r"^url: "):
        checked_url(url)


def test_http_is_for_the_administrator_to_allow() -> None:
    assert checked_url("https://hooks.example.org/a?b=c").hostname == "hooks.example.org"
    assert checked_url("http://hooks.example.org/", http=True).scheme == "http"
    with pytest.raises(RefusedError):
        checked_url("http://127.0.0.1/", http=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_ways_to_write_an_address_are_names_and_looked_at_when_resolved(host: str) -> None:
    assert checked_url(f"https://{host}/").hostname == host
