from __future__ import annotations

import pytest

from touchline.engines.vpn.providers import provider_name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("mullvad", "Mullvad"),
        ("pia", "Private Internet Access"),
        ("perfectprivacy", "Perfect Privacy"),
        ("my own", "My Own"),
        ("", None),
        (None, None),
    ],
)
def test_providers_are_named_as_they_name_themselves(word: str | None, name: str | None) -> None:
    assert provider_name(word) == name
