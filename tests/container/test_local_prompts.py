"""What the local agent takes from a prompt beside people's words."""

from container.image.local.prompts import messages


def test_files_are_told_of_but_ask_nothing() -> None:
    prompt = (
        '<messages><message sender="Ana" time="t">what is ready?'
        '<attachment name="a.pdf" type="application/pdf" size="3" path="/workspace/group/a.pdf"/>'
        '<attachment name="b" refused="it is larger than 20 MB"/></message></messages>\n'
        '<outbox path="/workspace/group/outbox/42"/>'
    )
    assert messages(prompt) == ["what is ready?"]


def test_what_people_write_about_files_stays_text() -> None:
    prompt = '<messages><message sender="Ana" time="t">&lt;attachment name="x"/&gt;</message></messages>'
    assert messages(prompt) == ['<attachment name="x"/>']
