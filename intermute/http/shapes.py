"""The shape of a refusal in the document, and what each status says."""

from typing import NotRequired

from typing_extensions import TypedDict

#: statuses every endpoint may answer
REFUSALS = (400, 401, 403, 404, 405, 413, 429, 500, 503)

WORDS = {
    200: "Done",
    201: "Made",
    202: "Taken down, and not done yet",
    204: "Gone",
    400: "The request is wrong",
    401: "There is no key, or none we know",
    403: "The credential is not good for this",
    404: "There is no such thing in this project",
    405: "The path is good for other methods only",
    409: "Something that is there already is in the way",
    413: "The request is too large",
    429: "Too much, or too often",
    500: "A fault of the service",
    503: "The database does not answer, or cannot keep anything, just now",
}


class Refusal(TypedDict):
    """`error` is for programs, `message` for people. Some errors say more in further members."""

    error: str
    message: str
    retry_after: NotRequired[int]
    field: NotRequired[str]
