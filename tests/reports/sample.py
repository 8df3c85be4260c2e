"""All reports that the renderers are tested on, by name."""

from .audit import audited_healthy, audited_incident
from .extreme import crowded, hostile, odd, worst
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
    "odd": odd,
    "audited incident": audited_incident,
    "audited healthy": audited_healthy,
}
# the pages that are made of them: projections, and comparisons of two reports
PROJECTED = ("audited incident", "incident")
COMPARED = {
    "comparison": ("audited incident", "audited healthy"),
    "hostile comparison": ("healthy", "hostile"),
}
PAGES = (*REPORTS, *COMPARED, *(f"projection of {name}" for name in PROJECTED))
