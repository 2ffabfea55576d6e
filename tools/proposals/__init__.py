"""Proposals: stored changes with their exact difference, which the user confirms, once, or rejects.

`propose` makes one from a tool call; `confirm`, `reject` and `undo_now` are the user's acts (`claim` and `decline`
within a transaction of the caller's), `get` and `list_proposals` what clients show.
"""

from tools.proposals.decide import Applied, claim, confirm, decline, reject, supersede
from tools.proposals.errors import (
    HashMismatch,
    ProposalConflict,
    ProposalDecided,
    ProposalExpired,
    ProposalStale,
    TooManyProposals,
)
from tools.proposals.propose import propose
from tools.proposals.store import View, get, get_all, list_proposals
from tools.proposals.undo import undo_now

__all__ = [
    "Applied",
    "HashMismatch",
    "ProposalConflict",
    "ProposalDecided",
    "ProposalExpired",
    "ProposalStale",
    "TooManyProposals",
    "View",
    "claim",
    "confirm",
    "decline",
    "get",
    "get_all",
    "list_proposals",
    "propose",
    "reject",
    "supersede",
    "undo_now",
]
