"""What a card shows on request and stays as it is: the results of a run, the details of a request."""

from bridges.messages import Content, Person
from bridges.splitting import shorten, units
from demarch.calls import parse
from demarch.errors import DemarchError
from demarch.projects import Projects
from host.decisions.approvals import Approval
from host.decisions.codes import Verb
from host.decisions.deciding import Answer, Deciding
from host.decisions.followups import details
from host.outgoing.outbox import Outbox, PostKind
from host.phrases import sentence
from storage.database import Database

SHORT = 190  #: UTF-16 units that fit a pop-up
LONG = 16_000  #: of a post; the sender splits it


class Looking:
    def __init__(self, *, database: Database, outbox: Outbox, projects: Projects, deciding: Deciding) -> None:
        self._database = database
        self._outbox = outbox
        self._projects = projects
        self._deciding = deciding

    async def look(
        self, approval: Approval, verb: Verb, person: Person, address: str, ref: str | None
    ) -> Answer:
        """Show it to whoever has a role: in a pop-up when it is short, else below the card."""
        if not self._deciding.entitled(approval, verb, person.address):
            return await self._deciding.refuse(approval, verb, person, address)
        try:
            text = details(approval) if verb is Verb.DETAILS else await self._results(approval)
        except DemarchError as error:
            return Answer(text=f"Not shown: {sentence(error, 150)} Tap again to retry.", alert=True)
        if units(text) <= SHORT:
            return Answer(text=text, alert=True)
        async with self._database.transaction() as conn:
            await self._outbox.put(
                conn,
                address=address,
                kind=PostKind.ANSWER,
                content=Content(text=shorten(text, LONG), silent=True, reply_to=ref),
                folder=approval.folder,
            )
        self._outbox.wake(address)
        return Answer(text="It stands below the card.")

    async def _results(self, approval: Approval) -> str:
        about = {"run_id": approval.run}
        kernel = self._projects.of(approval.project)
        status = await kernel.read(parse("run_status", about))
        review = await kernel.read(parse("review_summary", about))
        return f"{status.text}\n\n{review.text}".strip()
