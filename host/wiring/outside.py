"""What an agent can reach beyond its sandbox: its model's provider, and the hosts its group may."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from container.broker.broker import Broker
from container.egress.proxy import Egress
from host.egress.record import EgressRecord
from host.wiring.ground import Ground
from host.wiring.models import bounds, providers


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    broker: Broker
    egress: Egress
    record: EgressRecord  #: of who wanted out, and what became of it


@asynccontextmanager
async def open_outside(ground: Ground) -> AsyncIterator[Outside]:
    """Serve until leave; what is under way then is cut."""
    models = ground.settings.models
    record = EgressRecord(database=ground.db, audit=ground.audit, meter=ground.metrics, clock=ground.clock)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(
            Broker.open(
                providers(models, ground.clock.now),
                sleep=ground.clock.sleep,
                bounds=bounds(models),
                meter=ground.metrics,
            )
        )
        egress = await stack.enter_async_context(Egress.running(record.watch))
        yield Outside(broker=broker, egress=egress, record=record)
