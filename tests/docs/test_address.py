"""Where taxcheck is published stands in one place, from which README and pages take it."""

from __future__ import annotations

import re

import pytest
import yaml

from docs.generate import address
from taxcheck import __version__

PAGES = {path.name: path.read_text(encoding="utf-8") for path in address.pages()}
GITHUB = "https://github.com/some-owner/taxcheck.py"


def test_pages_are_as_the_setting_says():
    assert PAGES.keys() == {"README.md", "integrations.md", "push-from-ci.md"}
    for name, text in PAGES.items():
        assert address.filled(text, address.address()) == text, f"{name}: see docs/generate/address"
        assert not re.search(r"OWNER/|@REF\b|rev: REF", text)


@pytest.mark.parametrize("repository", [None, GITHUB, "https://git.example.org/taxcheck"])
def test_every_example_is_whole_wherever_it_is_published(repository):
    text = "".join(address.filled(text, repository) for text in PAGES.values())
    examples = [
        yaml.safe_load(one) for one in re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    ]
    assert len(examples) == 4
    used = re.findall(r"uses: (\S*taxcheck\S*)", text)
    clone = f"$ git clone {repository} taxcheck\n" in text
    hook = f"- repo: {repository or 'local'}\n" in text
    assert (clone, hook) == (repository is not None, True)
    if repository == GITHUB:
        assert used == [f"some-owner/taxcheck.py@v{__version__}"] * 2
    else:
        assert used == ["./taxcheck"] * 2
    assert ("published at no address" in text) == (repository != GITHUB)
