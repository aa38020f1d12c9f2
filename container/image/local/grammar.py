"""The sentences the agent understands: a table of patterns, in which a space stands for any white space."""

import re
from collections.abc import Callable

from . import coordination, issues, runs
from .intents import Intent

Reading = Callable[["re.Match[str]"], Intent]

_LONGEST = 100_000  #: characters of one sentence; a person's message is far shorter
_GREETING = re.compile(
    r"(?:@\w+[\s,:]*)?(?:(?:hey|hi|hello|ok|okay)[\s,]+)?(?:please[\s,]+)?"
    r"(?:(?:can|could|would|will)\s+you\s+)?(?:please\s+)?",
    re.IGNORECASE,
)

_ID = r"(?P<id>[a-z][a-z0-9_]*-[a-z0-9][a-z0-9.]*)"
_KIND = r"(?P<type>issue|bead|ticket|bug|task|feature|epic|chore)"
_ISSUE = rf"(?:the )?(?:(?:issue|bead|bug|task|ticket) )?{_ID}"
_A = r"(?:an? |the |this )?"
_TEXT = r"(?:\s*[:\u2013\u2014-]\s*| )(?P<text>.+)"
_WHY = r"(?:(?:\s*[:,;-]+| (?:because|since|as|with (?:the )?reason|reason))[\s:]*(?P<reason>.+?))?"
_NAME = r"(?P<run>[^\s:,;\"]+|\"[^\"]+\")"
_RUN = rf"(?: (?:(?:of|for|in|on) )?(?:the )?(?:(?:current )?(?:run|sprint)\b)?(?:\s*{_NAME})??)?"
_FIELD = r"(?P<name>status|state|priority|prio|title|notes?|description)"
_LAST = r"(?:(?:last|latest|recent) )?"
_SHOW = (
    r"(?:(?:look up|show|list|read|get|open|view|summari[sz]e|describe|what is|what are|what's)(?: me)? )?"
)
_SPAN = r"(?:(?P<count>\d{1,4})\s*)?(?P<span>min\w*|m|h|hours?|d|days?|w|weeks?)\b"
_SINCE = rf"(?: (?:(?:in|of|for) )?(?:(?:the )?last|since|past) {_SPAN}(?: ago)?)?"

_PATH = r"(?=[^\s,:;]*[./*])[^\s,:;]+"
_PATHS = rf"(?P<paths>{_PATH}(?:(?:\s*,\s*(?:and )?| and ){_PATH}){{0,19}})"
_FOR = r"(?P<count>\d{1,4})\s*(?P<span>m(?:in\w*)?|h(?:ours?)?)\b"
_AGENT = r"(?P<agent>[^\s:\"]+(?::[^\s:\"]+)*|\"[^\"]+\")"

_ROWS: tuple[tuple[Reading, tuple[str, ...]], ...] = (
    (runs.assist, ("help", "commands", r"what can (?:you|i) (?:do|say|ask)(?: you| here)?")),
    (runs.wait, (r"(?:wait|sleep)(?: for)? (?P<seconds>\d{1,6})\s*(?:s|secs?|seconds?)?",)),
    (runs.sprint, (
        (r"(?:(?:what(?:'s| is| are)?|show(?: me)?|which) )?(?:the )?(?:current|active|running)"
        r" (?:sprint|run|phase)(?: (?:phase|are we in|is it|right now|now))?"),
        r"(?:(?:which|what) )?(?:sprint|phase)(?: (?:are we in|is it|phase))?(?: now)?",
    )),
    (runs.following, (
        r"what (?:should|can|do|shall|must) (?:i|we) (?:work on|do)(?: (?:next|now|today|first))?",
        r"(?:what(?:'s| is) )?(?:the )?(?:next(?: (?:work|issue|task))?|ready(?: (?:issues|work))?)",
    )),
    (runs.status, (
        rf"(?:show (?:me )?)?(?:the )?(?:run )?status{_RUN}",
        (rf"how(?:'s| is| are| does| do) (?:it|things|we|(?:the )?(?:run|sprint)(?: {_NAME}?)??)"
        r"(?: (?:going|doing|look|stand))?(?: now)?"),
    )),
    (issues.create, (
        (rf"(?:create|open|file|add|make|report) (?:me )?{_A}(?P<before>(?:[\w-]+ ){{0,3}}?){_KIND}\b"
        r"(?: report)?(?P<after>(?: (?:with )?(?:priority|prio)?\s*:?\s*p?[0-4])?(?:\s*\([^()]*\))?)"
        r"(?:\s*[:\u2013\u2014-]\s*| (?:called|titled|named|to|for|about|that says)\s*:?\s+| (?=[\"']))"
        r"(?P<text>.+)"),
    )),
    (issues.close, (rf"(?:close|resolve|finish) {_ISSUE}{_WHY}",)),
    (issues.assign, (rf"(?:set|change) (?:the )?{_FIELD} of {_ID} (?:to|as|:)\s*(?P<text>.+)",)),
    (issues.update, (rf"(?:update|change|set|mark|edit|move) {_ISSUE}(?:'s)?[\s:,]+(?P<rest>.+)",)),
    (issues.note, (
        rf"(?:add|append) (?:an? )?notes? (?:to|on|for) {_ID}{_TEXT}",
        rf"(?:note|comment) (?:on|for|to) {_ID}{_TEXT}",
    )),
    (issues.rename, (rf"rename {_ISSUE} (?:to|as)\s*:?\s*(?P<text>.+)",)),
    (issues.reopen, (rf"re-?open {_ISSUE}",)),
    (runs.start, (
        (r"(?:start|begin|launch|kick off|create) (?:me )?(?:an? |the )?(?:(?:new|next) )?(?:run|sprint)"
        r"(?:\s*[:\u2013\u2014-]\s*| (?:to|for|on|about|which|that)\s*:?\s+| (?=[\"']))(?P<text>.+)"),
    )),
    (runs.gate, (
        rf"(?P<verb>approve|reject|defer|override|postpone) {_A}(?:(?:open|pending) )?gate{_RUN}{_WHY}",
    )),
    (runs.advance, (rf"(?:advance|move on)(?: the phase)?{_RUN}{_WHY}",)),
    (runs.pause, (rf"(?:pause|hold)(?: the)?{_RUN}{_WHY}",)),
    (runs.resume, (rf"(?:resume|unpause|continue)(?: the)?{_RUN}{_WHY}",)),
    (runs.cancel, (rf"(?:cancel|stop|abort|end) (?:the )?(?:current )?(?:run|sprint)(?: {_NAME})??{_WHY}",)),
    (runs.extend, (
        (rf"(?:extend|raise|increase) (?:the )?(?:token )?budget{_RUN}"
        rf"(?: by (?P<amount>[\d.,]+)\s*(?P<unit>%|percent|k|m)?(?:\s*(?:more )?tokens)?)?{_WHY}"),
    )),
    (coordination.reserve, (
        (rf"(?:reserve|lock) (?:the )?(?:(?:files?|paths?|folders?) )?{_PATHS}(?: for {_FOR})?"
        r"(?:(?:\s*[:;-]+| (?:because|since|reason|to|for))[\s:]*(?P<reason>.+?))?"),
    )),
    (coordination.release, (
        r"(?:release|unlock|give back) (?P<all>everything|all)(?P<paths>)",
        rf"(?:release|unlock|give back) (?P<all>)(?:the )?(?:(?:files?|paths?|folders?) )?{_PATHS}",
    )),
    (coordination.check, (
        r"who (?:is here|else is here|works here|holds (?:what|which files|files)|works on what)",
        rf"who (?:holds|has|reserved|locked) (?:the )?(?:(?:files?|paths?|folders?) )?{_PATHS}",
        rf"is (?:the )?(?:(?:file|path|folder) )?{_PATHS} free",
    )),
    (coordination.inbox, (
        r"(?:(?:read|check|open|show)(?: me)? )?(?:my |your |the )?inbox",
        r"(?:(?:are there|any) )?(?:new )?(?:messages|mail) (?:from|of) (?:other )?agents",
    )),
    (coordination.write, (
        rf"(?:write|say) to (?:agent )?{_AGENT}\s*:\s*(?P<text>.+)",
        rf"tell (?:agent )?{_AGENT}\s*:\s*(?P<text>.+)",
    )),
    (coordination.introduce, (
        r"(?:introduce yourself|tell (?:the )?(?:other )?agents(?: what you do)?)\s*:\s*(?P<text>.+)",
    )),
    (issues.search, (
        (r"(?:search|find|look for|look up|list|show)(?: me)?(?: (?:the|all|for|my))*"
        r"(?: (?P<status>open|closed|blocked|deferred|in[\s_-]progress|all))?"
        r" (?:issues|beads|bugs|tickets|tasks)"
        r"(?:\s*:\s*|(?: (?:for|about|with|matching|on|containing|like) (?P<text>.+))?)"),
    )),
    (issues.show, (rf"{_SHOW}{_ISSUE}", rf"what about {_ISSUE}")),
    (runs.spec, (
        rf"{_SHOW}(?:the )?(?:artifact|spec) #?(?P<artifact>\d+|[a-z0-9]+\d[a-z0-9]*)",
        rf"{_SHOW}(?:the )?(?:specs?|specification|artifacts?|plans?){_RUN}",
    )),
    (runs.reviews, (
        rf"{_SHOW}(?:the )?{_LAST}reviews?(?: summary)?{_RUN}",
        rf"what (?:did|do|does) (?:the )?{_LAST}reviews? (?:find|say|show)",
    )),
    (runs.events, (
        (rf"(?:what(?:'s| is| has| was)? (?:new|happen(?:ed|ing|s)?|going on|been happening)"
        rf"|{_SHOW}(?:the )?{_LAST}(?:events?|news|activity))"
        rf"(?: (?:lately|recently|today|here))?{_SINCE}(?: (?:of|for|in) (?:the )?run {_NAME})?"),
    )),
    (runs.changes, (
        (rf"what(?:'s| is| has|'s been| has been)? changed(?: (?:here|for me|lately|today))?"
        rf"(?: since (?:i|we) (?:last )?(?:looked|asked|was here|were here)(?: last)?)?{_SINCE}"),
    )),
    (runs.readiness, (
        rf"is (?:it|this|everything|(?:the )?(?:run|sprint)(?: {_NAME}?)??) ready(?: (?:for me|now|yet))*",
    )),
    (runs.decisions, (
        (rf"who (?:decided|approved|rejected|deferred)(?: (?:it|this|that|(?:the )?gates?|what))?"
        rf"(?: (?:about|on|of|for|in)? ?(?:the )?(?:run|sprint)(?: {_NAME}?)??)?"
        rf"(?:,?(?: when)?,?(?: and)? why)?{_SINCE}"),
        rf"{_SHOW}(?:the )?{_LAST}decisions{_RUN}{_SINCE}",
    )),
    (runs.promote, (rf"promote (?:the )?(?:discovery|finding) (?P<discovery>[^\s:,;\"]+){_WHY}",)),
    (runs.dismiss, (rf"dismiss (?:the )?(?:discovery|finding) (?P<discovery>[^\s:,;\"]+){_WHY}",)),
    (runs.research, (
        r"research\s*:?\s+(?:(?:about|on) )?(?P<text>.+)",
        (r"(?:find|search|show|list)(?: me)?(?: for)?(?: the)? (?:discover(?:ies|y)|findings?)"
        r" (?:about|on|for|of|with) (?P<text>.+)"),
        r"what (?:do|did) we (?:know|find|learn) about (?P<text>.+)",
    )),
    (runs.finding, (
        (r"(?:register|record|keep|save|note|add) (?:an? |the |this )?(?:finding|insight|discovery)"
        r"(?:\s*[:\u2013\u2014-]\s*| (?:that )?)(?P<text>.+)"),
    )),
    (runs.message, (
        (r"(?:send|post) (?:an? |the |this )?message"
        r"(?:\s*[:\u2013\u2014-]\s*| (?:saying|that says|that)?\s*:?\s*)(?P<text>.+)"),
    )),
)  # fmt: skip

#: Readings whose sentences have no free text: the sign at the end does not matter.
_PLAIN = frozenset({
    runs.assist, runs.wait, runs.sprint, runs.following, runs.status, runs.gate, runs.advance, runs.cancel,
    runs.extend, runs.spec, runs.reviews, runs.events, runs.changes, runs.readiness, runs.decisions,
    runs.pause, runs.resume, runs.promote, runs.dismiss, issues.close, issues.reopen, issues.search,
    issues.show, coordination.release, coordination.check, coordination.inbox,
})  # fmt: skip

_compiled: list[tuple["re.Pattern[str]", Reading]] = []


def read(line: str) -> Intent:
    """Understand one line. Never fails: what fits no pattern is `unknown`."""
    sentence = line.strip()[:_LONGEST]
    if greeting := _GREETING.match(sentence):
        sentence = sentence[greeting.end() :] or sentence
    plain = sentence.rstrip(" \t?!.")
    warm()
    for pattern, reading in _compiled:
        if match := pattern.fullmatch(plain if reading in _PLAIN else sentence):
            return reading(match)
    return Intent("unknown")


def warm() -> None:
    """Compile the patterns, before the first sentence needs them."""
    if not _compiled:
        for reading, patterns in _ROWS:
            _compiled.extend(
                (re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL), reading)
                for pattern in patterns
            )
