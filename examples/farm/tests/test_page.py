"""The chat page in a real browser, on a phone's screen: upload, watch, ask, see the answer come with its source."""

import shutil

import pytest
from playwright.async_api import async_playwright, expect

from tests.services import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; Debian's package chromium has it")
async def test_the_page(a_farm: Service, tmp_path):
    """Works at 360 pixels, with no error in the console, and streams: text is seen to grow."""
    goat, barn = tmp_path / "goat-of-the-page.txt", tmp_path / "barn-of-the-page.md"
    goat.write_text("The goat of the farm is called Margarete. She eats clover.\n")
    barn.write_text("# Barn\n\nThe barn is painted green.\n")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 360, "height": 640})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(a_farm.url)
        await page.get_by_label("Add documents").set_input_files([goat, barn])
        await expect(page.get_by_text("goat-of-the-page.txt: stored")).to_be_visible(timeout=30_000)
        await expect(page.get_by_text("barn-of-the-page.md: stored")).to_be_visible(timeout=30_000)

        await page.evaluate(
            """() => { window.lengths = []; new MutationObserver(() => {
                const text = document.querySelector('.answer p')?.textContent ?? '';
                if (text.length > (window.lengths.at(-1) ?? 0)) window.lengths.push(text.length);
            }).observe(document.querySelector('#talk'), {subtree: true, childList: true, characterData: true}); }"""
        )
        await page.get_by_label("Question").fill("What is the name of the goat?")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.locator(".answer:not(.streaming)")).to_be_visible(timeout=60_000)
        await expect(page.locator(".answer summary").first).to_have_text("[1] goat-of-the-page.txt")
        await page.locator(".answer summary").first.click()
        await expect(page.locator(".answer blockquote").first).to_contain_text("Margarete")
        assert len(await page.evaluate("window.lengths")) > 3
        assert await page.evaluate("document.documentElement.scrollWidth") == 360

        await page.get_by_label("Question").fill("Tell me much about clover")
        await page.get_by_role("button", name="Ask").click()
        await page.get_by_role("button", name="Stop").click()
        await expect(page.get_by_text("Stopped.")).to_be_visible()
        assert problems == []

        (tmp_path / "empty.txt").write_text("")
        await page.get_by_label("Add documents").set_input_files(tmp_path / "empty.txt")
        await expect(page.get_by_text("empty.txt: the file is empty")).to_be_visible()
        await page.screenshot(path=tmp_path / "page.png")
        await browser.close()
