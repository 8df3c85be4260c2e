"""All reports that the renderers are tested on, by name."""

from .audit import audited_healthy, audited_incident
from .extreme import crowded, hostile, worst
from .incident import incident
from .sound import broken, healthy, nothing, warned

REPORTS = {
    "incident": incident,
    "healthy": healthy,
    "warned": warned,
    "broken": broken,
    "hostile": hostile,
    "nothing": nothing,
    "crowded": crowded,
    "worst": worst,
    "audited incident": audited_incident,
    "audited healthy": audited_healthy,
}
