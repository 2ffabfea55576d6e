"""Why a decision on a proposal is refused."""

from __future__ import annotations

from domain.errors import Conflict


class ProposalConflict(Conflict):
    """The proposal cannot be applied; `details["proposal"]` is the one that counts now, if any."""


class HashMismatch(ProposalConflict):
    """The hash is not this proposal's: what the user saw is not what would be applied."""

    code = "hash_mismatch"


class ProposalExpired(ProposalConflict):
    """Its time was over before it was decided."""

    code = "proposal_expired"


class ProposalDecided(ProposalConflict):
    """It was rejected, or applied when it was to be rejected."""

    code = "proposal_decided"


class ProposalStale(ProposalConflict):
    """The rows changed after it was made; `details["proposal"]` is a new one for the same intention, if it still makes
    sense."""

    code = "proposal_stale"


class TooManyProposals(Conflict):
    """This turn has made as many proposals as one turn may."""

    code = "too_many_proposals"
