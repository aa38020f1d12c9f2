"""Which addresses are on the open internet: an allow-list that errs towards no."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.egress.addresses import is_public

INSIDE = [
    "0.0.0.0",  # noqa: S104 - nobody listens
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "::93.184.216.34",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:5db8:d822::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:2800:220:1::1%1",
    "fec0::1",
    "ff02::1",
    "",
    "example.com",
    "1.2.3",
    "01.2.3.4",
    "8.8.8.8 ",
]


@pytest.mark.parametrize("address", INSIDE)
def test_what_leads_back_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "93.184.216.34",
        "100.63.255.255",
        "100.128.0.0",
        "172.32.0.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2a00:1450:4001::200e",
        "2001:4860:4860::8888",
        "2400:cb00::1",
    ],
)
def test_the_open_internet_is(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_whatever_python_calls_not_global_is_not(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(str(address))


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:", "::", "64:ff9b::", "2002:{}::1"]))
def test_an_address_inside_another_never_counts(inner: IPv4Address, form: str) -> None:
    digits = f"{int(inner) >> 16:x}:{int(inner) & 0xFFFF:x}"
    address = form.format(digits) if "{}" in form else f"{form}{digits}"
    ip_address(address)
    assert not is_public(address)
