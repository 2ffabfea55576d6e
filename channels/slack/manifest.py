"""The manifest from which Slack makes the app: what it may do, what it is told, and where."""

from __future__ import annotations

from typing import Any, Final

from channels.slack.parse import View
from channels.texts import Texts

EVENTS: Final = ("app_mention", "message.im")
SCOPES: Final = ("app_mentions:read", "chat:write", "commands", "files:write", "im:history", "im:write")
"""For the events; chat.*, assistant.threads.setStatus; the command; charts; direct messages, and those of a person who
has not written yet."""

PANE_EVENTS: Final = ("assistant_thread_context_changed", "assistant_thread_started")
PANE_SCOPE: Final = "assistant:write"
"""Titles of threads and what might be asked; for both views of agents."""


def scopes_of(view: View) -> tuple[str, ...]:
    """What the app may do, for people to see Penny so."""
    return tuple(sorted(SCOPES if view == "messages" else (*SCOPES, PANE_SCOPE)))


def manifest(public_url: str, view: View, say: Texts) -> dict[str, Any]:
    """The manifest for a service at `public_url`, as Slack's page *From an app manifest* takes it."""
    url = f"{public_url.rstrip('/')}/webhooks/slack"
    events: tuple[str, ...] = EVENTS
    features: dict[str, Any] = {
        "app_home": {
            "home_tab_enabled": False,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "Penny", "always_online": True},
        "slash_commands": [
            {
                "command": "/penny",
                "url": url,
                "description": say.say("slack.command"),
                "usage_hint": say.say("slack.hint"),
                "should_escape": False,
            }
        ],
    }
    if view != "messages":
        prompts = [{"title": prompt, "message": prompt} for prompt in say.prompts()]
        features[f"{view}_view"] = {f"{view}_description": say.say("slack.about"), "suggested_prompts": prompts}
    if view == "assistant":
        events = (*events, *PANE_EVENTS)
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {"name": "Penny", "description": say.say("slack.short")},
        "features": features,
        "oauth_config": {"scopes": {"bot": list(scopes_of(view))}},
        "settings": {
            "event_subscriptions": {"request_url": url, "bot_events": sorted(events)},
            "interactivity": {"is_enabled": True, "request_url": url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
