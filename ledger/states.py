"""The life of a request as a table: which state may follow which, and which states are the end."""

from enum import StrEnum


class State(StrEnum):
    """Where a request stands. The value is what the ledger stores."""

    ASKED = "asked"
    PLANNED = "planned"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    STALE = "stale"


#: From each state, the states a request may move to.
MOVES: dict[State, frozenset[State]] = {
    State.ASKED: frozenset({State.PLANNED, State.REJECTED, State.CANCELLED, State.EXPIRED, State.FAILED}),
    State.PLANNED: frozenset(
        {State.APPROVED, State.REJECTED, State.CANCELLED, State.EXPIRED, State.STALE, State.FAILED}
    ),
    # Back to planned is a withdrawal: the second key was taken out before it turned.
    State.APPROVED: frozenset(
        {
            State.PLANNED,
            State.APPLYING,
            State.REJECTED,
            State.CANCELLED,
            State.EXPIRED,
            State.STALE,
            State.FAILED,
        }
    ),
    State.APPLYING: frozenset({State.APPLIED, State.FAILED, State.INTERRUPTED}),
    State.APPLIED: frozenset(),
    State.FAILED: frozenset(),
    State.INTERRUPTED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
    State.EXPIRED: frozenset(),
    State.STALE: frozenset(),
}

#: The states that nothing follows.
FINAL: frozenset[State] = frozenset(state for state, following in MOVES.items() if not following)


#: How a person says of a request where it stands: "#7 has failed".
SAID: dict[State, str] = {
    State.ASKED: "waits for its plan",
    State.PLANNED: "waits for a second person",
    State.APPROVED: "is approved",
    State.APPLYING: "is running",
    State.APPLIED: "is done",
    State.FAILED: "has failed",
    State.INTERRUPTED: "was interrupted",
    State.REJECTED: "was rejected",
    State.CANCELLED: "was cancelled",
    State.EXPIRED: "has expired",
    State.STALE: "has grown stale",
}


def sources(to: State) -> frozenset[State]:
    """The states from which a request may move to `to`."""
    return frozenset(state for state, following in MOVES.items() if to in following)
