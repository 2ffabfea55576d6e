"""No unverified number: the figures of a reply, each matched to a fact that a tool returned or that the user said."""
