"""Opens a page in headless Chromium and does what a task says; prints what was seen, as JSON.

A task has `url`, and any of `width`, `theme`, `shot` (a file), `move` (sliders: `op`, `side`, and
`to`, a number from 0 to 1 along the slider), `until` (a text to wait for), `pdf` (a file: the page is
printed).
"""

import json
import sys
from typing import Any

from playwright.sync_api import Dialog, Page, sync_playwright

# What a page must have for people who do not see it or use no mouse.
ACCESS = """() => {
  const faults = [];
  document.querySelectorAll('svg[role=img]').forEach((one) => { if (!one.getAttribute('aria-label')) faults.push('a chart without a label'); });
  document.querySelectorAll('input').forEach((one) => { if (!one.labels.length) faults.push(`an input without a label: ${one.id}`); });
  document.querySelectorAll('table').forEach((one) => { if (!one.caption || !one.querySelector('th[scope=col]')) faults.push('a table without a caption or headers'); });
  document.querySelectorAll('section').forEach((one) => { if (!document.getElementById(one.getAttribute('aria-labelledby'))) faults.push('a section without a title'); });
  const ids = Array.from(document.querySelectorAll('[id]')).map((one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => faults.push(`the id ${id} twice`));
  if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
  if (!document.documentElement.lang) faults.push('no language');
  return faults;
}"""


# What is on paper of what should not be, or is wider than it.
PRINTED = """() => {
  const all = (what) => Array.from(document.querySelectorAll(what)).filter((one) => one.getClientRects().length > 0);
  const wide = all('section *').filter((one) => one.closest('svg') === null && one.getBoundingClientRect().right > innerWidth + 1);
  return {
    controls: all('input, button, nav, details:not([open]) > summary').length,
    charts: all('svg[role=img]').length,
    tall: all('svg[role=img]').filter((one) => one.getBoundingClientRect().height > 980).length,
    tables: all('table').length,
    wide: wide.map((one) => one.tagName),
    ground: getComputedStyle(document.documentElement).backgroundColor,
    ink: getComputedStyle(document.body).color,
  };
}"""


def move(page: Page, how: dict[str, Any]) -> dict[str, Any]:
    """Moves a slider with the keyboard; returns the value it has then, and what the page says."""
    slider = page.locator(f"input[data-op='{how['op']}'][data-side='{how['side']}']")
    slider.focus()
    most = int(slider.get_attribute("max") or 0)
    page.keyboard.press("Home")
    for _ in range(round(how["to"] * most)):
        page.keyboard.press("ArrowRight")
    article = page.locator("article.stat").filter(has=slider)
    return {
        "value": slider.get_attribute("aria-valuetext"),
        "says": article.locator("output[aria-live]").inner_text(),
        "stays": article.locator("output[aria-live] strong").first.inner_text(),
        "recipe": article.locator("output[aria-live] code").all_inner_texts(),
    }


def main(task: dict[str, Any]) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=task["chromium"], args=["--no-sandbox"])
        size = {"width": task.get("width", 1200), "height": 900}
        context = browser.new_context(color_scheme=task.get("theme", "light"), viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        errors: list[str] = []
        requests: list[str] = []
        page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: errors.append(str(e)))

        def refuse(dialog: Dialog) -> None:
            errors.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", refuse)
        page.on("request", lambda r: requests.append(r.url))
        page.goto(task["url"])
        if "until" in task:
            page.get_by_text(task["until"], exact=True).first.wait_for(timeout=60_000)
        seen = {
            "moved": [move(page, how) for how in task.get("move", [])],
            "faults": page.evaluate(ACCESS),
            "too_wide": page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"),
            "ground": page.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
            "scripts": page.evaluate("document.scripts.length"),
            "hostile": page.evaluate("typeof window.hostile"),
            "titles": page.locator("h2").all_inner_texts(),
            "text": page.locator("body").text_content(),
        }
        if "pdf" in task:
            page.pdf(path=task["pdf"], format="A4")
            page.emulate_media(media="print")
            page.set_viewport_size({"width": 700, "height": 1000})
            page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
            seen["printed"] = page.evaluate(PRINTED)
            page.emulate_media(media="screen")
            page.evaluate("window.dispatchEvent(new Event('afterprint'))")
            seen["unfolded"] = page.evaluate("document.querySelectorAll('details[open]').length")
        if "shot" in task:
            page.screenshot(path=task["shot"], full_page=True)
        browser.close()
        return {**seen, "errors": errors, "requests": requests}


print(json.dumps(main(json.loads(sys.argv[1]))))
