"""Hosts' names: one form for each, and no spelling of an address passes for one."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.egress.names import BadHost, host_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.COM.", "api.example.com"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("a.b-c.d1.example", "a.b-c.d1.example"),
        ("1.example", "1.example"),
    ],
)
def test_a_name_has_one_form(written: str, name: str) -> None:
    assert host_name(written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "localhost",
        "a..b",
        "example.com..",
        ".example.com",
        "*.example.com",
        "-a.example",
        "a-.example",
        "exa mple.com",
        "example.com\r\nHost: x.y",
        "example.com\x00.y.z",
        "user@example.com",
        "example.com:443",
        "http://example.com",
        "under_score.example",
        "a" * 64 + ".example",
        "a." * 127 + "example",
        "10.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.01",
        "1.2.3.0x4",
        "1.2.3.0x",
        "\uff11\uff12\uff17.0.0.1",
        "[::1]",
        "::1",
        "fe80::1%eth0",
    ],
)
def test_what_is_no_name_is_refused_in_words(written: str) -> None:
    with pytest.raises(BadHost, match=r"\w+ .*\."):
        host_name(written)


@given(st.text(max_size=80))
def test_a_form_is_its_own_form_and_never_an_address(written: str) -> None:
    try:
        name = host_name(written)
    except BadHost:
        return
    assert host_name(name) == name
    assert name.isascii()
    with pytest.raises(OSError, match="illegal IP address"):
        socket.inet_aton(name)


@given(st.ip_addresses())
def test_no_address_is_a_name(address: object) -> None:
    with pytest.raises(BadHost):
        host_name(str(address))


@given(st.integers(0, 2**32 - 1), st.sampled_from(["{}", "0x{:x}", "0{:o}"]))
def test_no_number_is_a_name(number: int, spelled: str) -> None:
    with pytest.raises(BadHost):
        host_name(spelled.format(number))
