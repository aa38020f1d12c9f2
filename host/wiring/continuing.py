"""Puts together what keeps conversations going: sessions that load again, history, archive, folders."""

from dataclasses import dataclass

from host.conversation.archive import Archive
from host.conversation.carrying import Carrying
from host.conversation.continuity import Continuity
from host.conversation.conversations import Conversations
from host.conversation.history import History
from host.conversation.workspace import Workspace
from host.wiring.ground import Ground
from host.wiring.mounting import admission


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuing:
    conversations: Conversations
    workspace: Workspace
    continuity: Continuity


def build_continuing(ground: Ground) -> Continuing:
    settings = ground.settings
    conversations = Conversations(ground.db, ground.clock, ground.new_id)
    history = History(ground.db)
    workspace = Workspace(
        settings.home,
        admission=admission(settings, ground.registry),
        project=settings.project,
        projects=settings.folders() if settings.kernel == "cli" else (),
    )
    continuity = Continuity(
        conversations=conversations,
        history=history,
        carrying=Carrying(conversations=conversations, history=history),
        transcripts=Archive(ground.db, workspace.transcripts, ground.clock, agent=settings.assistant_name),
        global_memory=workspace.global_memory,
    )
    return Continuing(conversations=conversations, workspace=workspace, continuity=continuity)
