"""A page that is used by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

MOST_STOPS = 150


def tab_to(page: Page, control: Locator) -> None:
    """Reach a control with the Tab key; it can be seen that it has the focus."""
    expect(control).to_be_visible()
    for _ in range(MOST_STOPS):
        if control.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(control).to_be_focused()
    assert control.evaluate("each => each.matches(':focus-visible')")
