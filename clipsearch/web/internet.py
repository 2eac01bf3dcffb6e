"""Which addresses are the public internet's, and not of this machine, its network or its provider."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address

_WEB_PORTS = (80, 443)

_UNICAST = IPv6Network("2000::/3")
"""The part of IPv6 that is handed out to the public, IANA's registry says."""

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as seen through a translator, see RFC 6052."""

_NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # behind a provider's translator, RFC 6598; a cloud's metadata at 100.100.100.200
        "168.63.129.16/32",  # what machines of one cloud ask for their configuration
        "192.0.0.0/24",  # protocol assignments, RFC 6890; a cloud's metadata at 192.0.0.192
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "2001::/23",  # protocol assignments, RFC 2928, tunnels through translators among them
        "3fff::/20",  # documentation, RFC 9637
    )
)
"""What some Pythons take for global, or what is, and yet answers only from within."""


def on_the_web(address: Address, port: int) -> bool:
    """Whether a public web server may be there."""
    return port in _WEB_PORTS and is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet: not private, loopback, link-local, multicast, reserved or
    unspecified, nor an IPv6 form of an IPv4 address that is."""
    if isinstance(address, IPv6Address):
        inside = _ipv4_in(address)
        if inside is not None:
            return is_public(inside)
        if address not in _UNICAST:
            return False
    reserved = address.is_multicast or address.is_reserved or any(address in network for network in _NOT_PUBLIC)
    return address.is_global and not reserved


def _ipv4_in(address: IPv6Address) -> IPv4Address | None:
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
