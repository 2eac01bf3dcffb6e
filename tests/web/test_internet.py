"""Which addresses are public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from clipsearch.web.internet import is_public, on_the_web


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "2606:4700:4700::1111",
        "2a00:1450:4001:81b::200e",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "::ffff:8.8.8.8",
    ],
)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "169.254.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
    ],
)
def test_not_public_nor_any_ipv6_form_of_it(address: str) -> None:
    plain = ip_address(address)
    number = f"{int(plain) >> 16:x}:{int(plain) & 0xFFFF:x}"
    assert not is_public(plain)
    for form in (
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{number}",
        f"64:ff9b:1::{number}",
        f"2002:{number}::1",
    ):
        assert not is_public(ip_address(form)), form


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "100::1",
        "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "3fff::1",
        "5f00::1",
        "4000::1",
        "e000::1",
    ],
)
def test_not_public_in_ipv6(address: str) -> None:
    assert not is_public(ip_address(address))


def test_the_web_has_two_ports() -> None:
    public, private = ip_address("8.8.8.8"), ip_address("10.0.0.1")
    assert [port for port in (22, 80, 81, 443, 6379, 8080) if on_the_web(public, port)] == [80, 443]
    assert not on_the_web(private, 443)
