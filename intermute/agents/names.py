"""Names for agents that bring none: ready ones, and ones put together."""

from collections.abc import Sequence

from intermute.agents.tokens import RandomBytes

# fmt: off
READY = (
    "A Small Matter of Timing", "Ask Me Again at Noon", "Barely Contained Optimism", "Best of Three",
    "Borrowed Compass", "Brief but Memorable", "Calm Before Lunch", "Careful With That Lever",
    "Charted by Rumour", "Close Enough to Count", "Consult the Margins", "Counting to Eleven",
    "Courtesy Lantern", "Deep Breath First", "Definitely Not Lost", "Delicate Arrangement",
    "Directions Not Included", "Do Not Mind the Sparks", "Drawn From Memory", "Early for Once",
    "Eight Bells and a Biscuit", "Every Knot Considered", "Fair Copy", "Fine Print Enthusiast",
    "First Draft of Dawn", "Five More Minutes", "Folded Twice", "Found It Like This",
    "Friend of the Weather", "Gently Overprepared", "Give or Take a Mile", "Good Rope", "Half a Plan",
    "Hardly Any Turbulence", "Hold My Lantern", "Honest Mistake", "I Brought a Map", "If Memory Serves",
    "In the Fullness of Tide", "It Was Open When I Came", "It Worked in the Harbour",
    "Just Passing Through", "Keeps Its Receipts", "Kindly Mind the Gap", "Last One Turns the Lights Off",
    "Late but Thorough", "Leave It With Me", "Lightly Salted", "Likely Story", "Long Way Round",
    "Loose Change", "Low Tide Opinion", "Made of Other Parts", "Mean Time Between Naps", "Measured Twice",
    "Mild Surprise", "Minutes of the Last Meeting", "Mostly Ballast", "Moved to Item Nine",
    "Nearly There Since Tuesday", "Never the Same River", "Nice Weather for It",
    "No Refunds After Sailing", "Not the Usual Suspect", "Not Today, Entropy",
    "Notes From the Crow's Nest", "On Second Reading", "One Careful Owner", "Open to Persuasion",
    "Out of Office", "Paper Anchor", "Patience With Benefits", "Pending Better Ideas",
    "Plain Sailing Committee", "Please Hold the Line", "Polite Disagreement", "Postage Paid",
    "Pressed Between Pages", "Quiet Part Out Loud", "Quorum of One", "Read the Room", "Reasonable Doubt",
    "Remarkably Few Casualties", "Return to Sender", "Room for Improvement", "Save Some for Later",
    "Second Helping", "Seldom Wrong, Never Certain", "Seemed Fine Yesterday", "Semicolon of Destiny",
    "Sharpened Pencil", "Short Memory, Long Rope", "Slightly Foxed", "Small Print, Big Heart",
    "Some Assembly Required", "Spare Key Under the Mat", "Still Warm", "Strictly Speaking",
    "Subject to Availability", "Sufficient Tea", "Take the Other Stairs", "Tell It Slowly",
    "Terms of Endurance", "That Was the Easy Part", "The Usual Precautions", "There Is a Form for That",
    "Third Time Lucky", "Tidy Exit", "To Be Announced", "Too Many Lighthouses", "Unattended Luggage",
    "Under New Rigging", "Up With the Gulls", "Very Nearly Certain", "Wait for the Echo",
    "Walk, Do Not Run", "What the Tide Brought", "With Apologies to the Cat", "Within Tolerance",
    "Works Best When Watched", "Yesterday's Forecast", "You Had Me at Ahoy",
)

FIRST = (
    "Amber", "Brisk", "Candid", "Distant", "Eager", "Frugal", "Gentle", "Hasty", "Idle", "Jovial", "Keen",
    "Lucid", "Modest", "Nimble", "Orderly", "Patient", "Quiet", "Rustic", "Sober", "Tidy", "Upright",
    "Vivid", "Wary", "Zealous",
)

THING = (
    "Anvil", "Beacon", "Compass", "Drift", "Ember", "Ferry", "Gable", "Harbour", "Inkwell", "Jetty",
    "Kite", "Ledger", "Mill", "Needle", "Orchard", "Pendulum", "Quarry", "Rudder", "Sextant", "Thimble",
    "Umbrella", "Vessel", "Windlass", "Yardarm", "Almanac", "Bellows", "Cipher", "Dial", "Echo", "Flint",
    "Gimbal", "Hourglass", "Isthmus", "Keel", "Lantern", "Meridian",
)

LAST = (
    "at Rest", "by Candlelight", "by Request", "for Hire", "in Transit", "of Record", "of the Morning",
    "on Loan", "on Schedule", "Overnight", "in Reserve", "out of Season", "Revisited", "under Review",
    "Unfolded", "with Notes", "in Good Order", "after Hours", "between Tides", "off the Record",
)
# fmt: on

READY_OF_TEN = 6  #: so many of ten names are ready ones
PLAIN_OF_SIX = 1  #: so many of six others have no last part


def new_name(random: RandomBytes) -> str:
    """Not unique: an agent is known by its id."""
    if _below(random, 10) < READY_OF_TEN:
        return _one(random, READY)
    words = f"{_one(random, FIRST)} {_one(random, THING)}"
    return words if _below(random, 6) < PLAIN_OF_SIX else f"{words} {_one(random, LAST)}"


def _one(random: RandomBytes, words: Sequence[str]) -> str:
    return words[_below(random, len(words))]


def _below(random: RandomBytes, end: int) -> int:
    """So many more bits than needed that nobody sees which numbers are a little more likely."""
    return int.from_bytes(random(8)) % end
