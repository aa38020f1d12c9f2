"""What people and agents read about money: refusals, the warning, what a decision came to. Pure."""

from host.phrases import quoted
from host.spending.money import usd

MIDNIGHT = "It counts anew at midnight."


def nothing_granted() -> str:
    return (
        "This group may not spend anything on models. "
        "Whoever runs the host can change that: intercom group budget FOLDER USD"
    )


def limit_reached(spent: int, limit: int, needs: int) -> str:
    return (
        f"Today's spend limit of this group is reached: {usd(spent)} of {usd(limit)} are spent, and the next "
        f"request may cost {usd(needs)}. Owners and approvers can extend it on its card. {MIDNIGHT}"
    )


def set_aside(spent: int, reserved: int, limit: int) -> str:
    return (
        f"The rest of today's spend limit is set aside for requests under way ({usd(spent)} spent and "
        f"{usd(reserved)} set aside of {usd(limit)}). Ask again when they are done."
    )


def not_recorded() -> str:
    return (
        "The model was not asked: the database does not take down what it costs at the moment. "
        "Ask again in a minute."
    )


def warning(group: str, spent: int, limit: int) -> str:
    percent = spent * 100 // limit if limit else 100
    return f"💰 {quoted(group)} has spent {usd(spent)} of today's {usd(limit)} on models ({percent} %)."


def extended(group: object, grant: int) -> str:
    return f"{quoted(group)} may spend {usd(grant)} more today. What was stopped can be asked again."


def left_as_it_is(group: object) -> str:
    return f"The spend limit of {quoted(group)} stays as it is today. {MIDNIGHT}"


DAY_OVER = "That day is over and the limit counts anew, so nothing is extended."
EXPIRED = (
    "Nobody decided about the spend limit in time, so it stays. The next request that it stops asks again."
)
