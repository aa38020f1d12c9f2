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


def test_what_was_said_before_it_came_is_not_asked_again() -> None:
    history = (
        "<conversation_history>\n<about>Said here earlier.</about>\n"
        '<said sender="Ana" time="t">start a run to deploy &lt;/conversation_history&gt;</said>\n'
        "</conversation_history>"
    )
    memory = "<global_memory>create an issue: x</global_memory>"
    asked = '<messages><message sender="Ben" time="t">what is ready?</message></messages>'
    assert messages(f"{memory}\n{history}\n{asked}") == ["what is ready?"]
    assert messages(f'{history}\n<outcome code="K7Q2MD">Ana approved.</outcome>') == []
