"""The Model Context Protocol at /mcp: the tools, some of the user's data as resources, prompts.

`endpoint` checks who calls and what was sent, `wire` opens the protocol's own server, made in `server` from `tools`,
`resources` and `prompts`. Nothing is kept between two requests, so any server behind a load balancer answers each.
"""
