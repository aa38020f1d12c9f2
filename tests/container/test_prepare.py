"""What is prepared in an image while it is built."""

from pathlib import Path

from container.image.prepare import account, certificates


def test_the_agent_gets_an_account_once_beside_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    for _ in range(2):
        account(tmp_path)
    assert (tmp_path / "passwd").read_text().splitlines() == [
        "root:x:0:0::/root:/bin/sh",
        "agent:x:10001:10001::/home/agent:/bin/sh",
    ]
    assert (tmp_path / "group").read_text() == "agent:x:10001:\n"


def test_the_certificates_of_the_distribution_become_one_file(tmp_path: Path) -> None:
    found, bundle, link = tmp_path / "found", tmp_path / "etc" / "all.crt", tmp_path / "ssl" / "cert.pem"
    (found / "mozilla").mkdir(parents=True)
    certificates(found, bundle, link)
    assert not bundle.exists()
    for name in "ab":
        (found / "mozilla" / f"{name}.crt").write_text(f"certificate {name}")
    certificates(found, bundle, link)
    assert link.read_text() == "certificate a\ncertificate b\n"
    bundle.write_text("as the base has it")
    certificates(found, bundle, link)
    assert bundle.read_text() == "as the base has it"
