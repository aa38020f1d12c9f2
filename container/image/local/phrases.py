"""The agent's own words: what it says it is doing, and the few sentences no tool gives it."""

STATUS = "looking up the run"
SPRINT = "looking up the current sprint"
NEXT = "looking up ready issues"
SEARCHING = "searching the issues"
SPEC = "looking up the artifacts"
REVIEWS = "looking up the reviews"
EVENTS = "looking up what happened"
CHANGES = "looking up what changed"
READINESS = "looking whether it is ready"
DECISIONS = "looking up who decided"
RESEARCHING = "searching the discoveries"
CREATING = "creating the issue"
STARTING = "asking to start the run"
ADVANCING = "asking to advance the run"
CANCELLING = "asking to cancel the run"
PAUSING = "asking to pause the run"
RESUMING = "asking to resume the run"
EXTENDING = "asking to extend the budget"
REGISTERING = "registering the finding"
PROMOTING = "asking to promote the discovery"
DISMISSING = "asking to dismiss the discovery"
SENDING = "sending the message"
RESERVING = "reserving the files"
RELEASING = "releasing the files"
CHECKING = "looking who holds what"
READING = "looking into the inbox"
WRITING = "writing to the agent"
INTRODUCING = "telling the other agents"

HELP = """\
I answer these sentences, several on lines of their own, by calling the project's tools:
• Where we are: what is the current sprint · status of run X · what happened lately
• For you: what changed since I last looked · is it ready for me · who decided and why
• What to do: what should I work on · search issues for WORDS · show issue iv-12 · update iv-12 priority 1
• Issues: create a P1 bug: TITLE · close iv-12 because REASON · add a note to iv-12: TEXT
• Runs: start a run to GOAL · advance, pause, resume or cancel run X · extend the budget of run X by 50 %
• Gates: approve, reject or defer the gate of run X (people confirm this on a card)
• Knowledge: look up the spec · reviews · research TOPIC · register a finding: TEXT · promote discovery X
• Others: who holds what · reserve, release PATHS · inbox · tell AGENT: TEXT · send a message: TEXT · wait 5 s
I understand only sentences like these; with a model runtime you can just talk."""

UNKNOWN = (
    "I did not understand that. I understand plain sentences such as “what is the current sprint”, "
    "“what should I work on”, “create an issue: …”, “close iv-12”, “start a run to …” and “status”; "
    "“help” lists them all."
)
NO_RUN = "There is no current run. Say which one, as in “approve the gate of run r8k2m1x0”."
GONE = "the connection to the tools ended"


def closing(issue: str) -> str:
    return f"closing {issue}"


def updating(issue: str) -> str:
    return f"updating {issue}"


def showing(issue: str) -> str:
    return f"looking up {issue}"


def gate(verb: str) -> str:
    return f"asking to {verb} the gate"


def waiting(seconds: float) -> str:
    return f"Waiting {seconds:g} seconds"


def no_tool(tool: str) -> str:
    what = tool.removeprefix("demarch_").replace("_", " ")
    return f"I cannot do that here ({what}): I may only read in this group, or /status says what is missing."


def failed(text: str) -> str:
    return f"That did not work: {text}"


def unreachable(reason: str) -> str:
    return f"I can not reach the tools: {reason}."
