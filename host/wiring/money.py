"""What models cost: the ledger, what people are told of it, and the page that shows it."""

from host.decisions.approvals_store import Approvals
from host.decisions.desk import Desk
from host.decisions.settling import Settling
from host.news.pictures import Painter
from host.spending.page import SpendPage
from host.spending.reports import Reports
from host.spending.spending import Spending
from host.spending.telling import SpendTelling
from host.wiring.decision_ground import Ground


def build_spending(ground: Ground) -> Spending:
    return Spending(
        database=ground.database,
        clock=ground.clock,
        zone=ground.zone,
        new_id=ground.new_id,
        registry=ground.registry,
        meter=ground.meter,
        rules=ground.spend,
    )


def build_telling(
    ground: Ground,
    approvals: Approvals,
    settling: Settling,
    desk: Desk,
    painter: Painter,
    spending: Spending,
    reports: Reports,
) -> SpendTelling:
    return SpendTelling(
        database=ground.database,
        desk=desk,
        settling=settling,
        approvals=approvals,
        outbox=ground.outbox,
        registry=ground.registry,
        spending=spending,
        reports=reports,
        painter=painter,
        clock=ground.clock,
        zone=ground.zone,
        seconds=ground.timeout,
        percent=ground.extend_percent,
        picture_patience=ground.picture_patience,
    )


def build_page(ground: Ground, spending: Spending, reports: Reports, painter: Painter) -> SpendPage:
    return SpendPage(
        spending=spending,
        reports=reports,
        registry=ground.registry,
        painter=painter,
        clock=ground.clock,
        picture_patience=ground.picture_patience,
    )
