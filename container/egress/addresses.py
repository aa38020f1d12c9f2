"""Which addresses are out there: everything that leads back to this machine or its networks is not. Pure."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_V4_INSIDE = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # between a provider and its customers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, where clouds keep a machine's credentials
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # tunnels without state (AMT)
        "192.88.99.0/24",  # relays to IPv6
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # measurements
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
#: What is handed out at all. Outside of it lie loopback, link-local, site-local, unique local, multicast,
#: NAT64 and every form that has an IPv4 address inside.
_V6_OUT_THERE = IPv6Network("2000::/3")
_V6_INSIDE = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocols: Teredo, ORCHID, measurements
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_public(address: str) -> bool:
    """True for an address on the open internet that names one machine; False for everything else."""
    if "%" in address:  # a scope belongs to a local address
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in block for block in _V4_INSIDE)
    return _is_public_v6(parsed)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in _V6_OUT_THERE and not any(address in block for block in _V6_INSIDE)
