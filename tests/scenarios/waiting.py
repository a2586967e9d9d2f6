"""`@waits_for("media")`: that scenario, or a part of it, cannot be played yet."""

import pytest

CAPABILITIES = {
    "analytics": "figures of how people talk",
    "automation": "reminders, deadlines, suggested first words",
    "calls": "signalling of calls",
    "client": "what the shipped client does not do by itself",
    "cluster": "several processes",
    "degradation": "circuit breakers, alerts, shedding of load",
    "encryption": "content encrypted at rest, or from end to end",
    "feeds": "what a new connection follows by itself",
    "long polling": "clients without WebSockets",
    "media": "uploads, scans, thumbnails, downloads",
    "latency": "figures of how long deliveries take",
    "moderation": "masking, spam, links, reports, the queue",
    "notifications": "push, e-mail, SMS, in the app",
    "retention": "archiving, purging, export, anonymised users",
    "REST": "commands by HTTP",
    "vocabularies": "the product's own names, paths and shapes",
}


def waits_for(*capabilities: str) -> pytest.MarkDecorator:
    """The test is run as far as it goes, then skipped with these for a reason. KeyError: there is
    no such capability."""
    for each in capabilities:
        CAPABILITIES[each]
    return pytest.mark.waits_for(*capabilities)
