"""Welcomes and invites are the original's; blobs are read in every form people paste."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.blobs.signed import blob_text, file_named, read_blob, signed
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob
from sidechannel.keys.identity import Identity
from tests.sidechannel.captured import SECRET, VECTORS

OWNER = Identity.from_secret(SECRET)
WELCOME, INVITE = VECTORS["welcome"], VECTORS["invite"]
INVITEE = INVITE["json"]["payload"]["inviteePubKey"]
ISSUED = INVITE["json"]["payload"]["issuedAt"]
EXPIRES = INVITE["json"]["payload"]["expiresAt"]


def test_the_captured_welcome_holds_and_we_write_the_same() -> None:
    welcome = Welcome.read(read_blob(WELCOME["b64"]))
    ours = Welcome.create(OWNER, "pub1", "Hello to pub1", now=WELCOME["json"]["payload"]["issuedAt"])

    welcome.check("pub1", OWNER.public_key)
    assert welcome.text == "Hello to pub1"
    assert blob_text(ours.as_json()) == WELCOME["b64"]


def test_the_captured_invite_holds_and_we_write_the_same() -> None:
    invite = Invite.read(read_blob(INVITE["b64"]))
    ours = Invite.create(
        OWNER,
        "priv1",
        INVITEE,
        now=ISSUED,
        nonce=invite.nonce,
        ttl=(EXPIRES - ISSUED) // 1000,
        welcome=Welcome.read(INVITE["json"]["welcome"]),
    )

    invite.check("priv1", INVITEE, {OWNER.public_key}, now=ISSUED)
    Welcome.read(invite.welcome).check("priv1", OWNER.public_key)
    assert blob_text(ours.as_json()) == INVITE["b64"]


@pytest.mark.parametrize(
    ("channel", "invitee", "inviter", "now", "complaint"),
    [
        ("other", INVITEE, OWNER.public_key, ISSUED, "another channel"),
        ("priv1", "00" * 32, OWNER.public_key, ISSUED, "somebody else"),
        ("priv1", INVITEE, "00" * 32, ISSUED, "may not invite"),
        ("priv1", INVITEE, OWNER.public_key, EXPIRES, "expired"),
        ("priv1", INVITEE, OWNER.public_key, ISSUED + 86_400_000, "expired"),
    ],
)
def test_an_invite_holds_for_one_channel_one_key_one_inviter_and_a_time(
    channel: str, invitee: str, inviter: str, now: int, complaint: str
) -> None:
    with pytest.raises(BadBlob, match=complaint):
        Invite.read(INVITE["json"]).check(channel, invitee, {inviter}, now=now)


def test_every_changed_member_breaks_the_signature() -> None:
    for name, value in INVITE["json"]["payload"].items():
        changed = value + 1 if isinstance(value, int) else value[:-1] + ("1" if value[-1] != "1" else "2")
        blob = {**INVITE["json"], "payload": {**INVITE["json"]["payload"], name: changed}}
        invite = Invite.read(blob)
        with pytest.raises(BadBlob, match="signature"):
            invite.check(invite.channel, invite.invitee, {invite.inviter}, now=ISSUED)


def test_a_welcome_of_somebody_else_does_not_hold() -> None:
    forged = Welcome.create(Identity.from_seed(bytes(32)), "pub1", "Mine now", now=1)

    for channel, owner in (("pub1", OWNER.public_key), ("other", forged.owner), ("pub1", None)):
        with pytest.raises(BadBlob):
            forged.check(channel, owner)
    claimed = {**WELCOME["json"], "sig": forged.blob.signature}
    with pytest.raises(BadBlob, match="signature"):
        Welcome.read(claimed).check("pub1", OWNER.public_key)


def test_every_form_is_read() -> None:
    plain, b64 = json.dumps(WELCOME["json"], indent=1), WELCOME["b64"]
    urlsafe = base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")
    wrapped = "\n".join(b64[at : at + 60] for at in range(0, len(b64), 60))

    for text in (plain, f" {plain}\n", b64, "b64:" + b64, b64.rstrip("="), urlsafe, wrapped):
        assert read_blob(text) == WELCOME["json"]
    assert file_named("@ welcome.json ") == "welcome.json"
    assert file_named(b64) is None


@pytest.mark.parametrize(
    "text", ["", "@file", "b64:", "b64:@", "{", "[]", "W10=", "bnVsbA", "a" * 130_000, "ä", "{}x"]
)
def test_what_is_no_blob_is_refused(text: str) -> None:
    with pytest.raises(BadBlob):
        read_blob(text)


def test_signature_may_be_spelled_out_and_the_payload_bare() -> None:
    payload, sig = WELCOME["json"]["payload"], WELCOME["json"]["sig"]

    for blob in (
        {"payload": payload, "signature": sig},
        {**payload, "sig": sig},
        {**payload, "signature": sig},
    ):
        Welcome.read(blob).check("pub1", OWNER.public_key)


@pytest.mark.parametrize(
    "change",
    [
        {"channel": None},
        {"ownerPubKey": "x"},
        {"text": 5},
        {"issuedAt": "1"},
        {"issuedAt": True},
        {"issuedAt": None},
    ],
)
def test_a_welcome_without_its_members_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(BadBlob):
        Welcome.read({"payload": {**WELCOME["json"]["payload"], **change}, "sig": "00"})


@pytest.mark.parametrize(
    "blob", [None, 5, "text", [], {}, {"payload": {}}, {"sig": "00"}, {"payload": 5, "sig": 5}]
)
def test_what_is_not_signed_is_no_blob(blob: Any) -> None:
    for read in (Welcome.read, Invite.read, Revocation.read):
        with pytest.raises(BadBlob):
            read(blob)


def test_blobs_of_one_kind_are_not_of_another() -> None:
    revocation = Revocation.create(OWNER, "priv1", INVITEE, now=ISSUED).as_json()

    for read, blob in (
        (Welcome.read, INVITE["json"]),
        (Welcome.read, revocation),
        (Invite.read, WELCOME["json"]),
        (Invite.read, revocation),
        (Revocation.read, INVITE["json"]),
    ):
        with pytest.raises(BadBlob):
            read(blob)


def test_a_revocation_ends_what_its_inviter_gave() -> None:
    invite = Invite.read(INVITE["json"])

    def ends(
        now: int = ISSUED, invitee: str = INVITEE, nonce: str | None = None, by: Identity = OWNER
    ) -> bool:
        revocation = Revocation.create(by, "priv1", invitee, now=now, nonce=nonce)
        revocation.check("priv1")
        return Revocation.read(revocation.as_json()).ends(invite)

    assert ends()
    assert ends(nonce=invite.nonce)
    assert not ends(now=ISSUED - 1)
    assert not ends(invitee="00" * 32)
    assert not ends(nonce="another")
    assert not ends(by=Identity.from_seed(bytes(32)))


def test_a_revocation_that_was_changed_or_is_for_another_channel_does_not_hold() -> None:
    blob = Revocation.create(OWNER, "priv1", INVITEE, now=ISSUED).as_json()
    payload = signed(blob).payload

    with pytest.raises(BadBlob, match="channel"):
        Revocation.read(blob).check("other")
    with pytest.raises(BadBlob, match="signature"):
        Revocation.read({**blob, "payload": {**payload, "inviteePubKey": "00" * 32}}).check("priv1")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["payload", "sig", "channel", "issuedAt", "inviteePubKey"]), inner)
    ),
)


@given(json_values)
def test_any_value_is_a_blob_or_refused(value: Any) -> None:
    for read in (Welcome.read, Invite.read, Revocation.read):
        with pytest.raises(BadBlob):
            read(value)


@given(
    st.text(max_size=60) | st.binary(max_size=60).map(lambda data: "b64:" + base64.b64encode(data).decode())
)
def test_any_text_is_a_blob_or_refused(text: str) -> None:
    try:
        assert isinstance(read_blob(text), dict)
    except BadBlob:
        return
