// The pages of `biglittle simulate` in a real browser: ci/report runs this with DAY
// and POLICIES (the pages), FOLDER (for screenshots) and CHROMIUM (the browser).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  FOLDER, assertLayout, assertOneFile, faint, looks, nameless, openPage, overlaps, phone, withoutScripts,
} from "./browser.mjs";

const { DAY, POLICIES } = process.env;

for (const [kind, path, headings] of [
  ["day", DAY, ["Battery", "Thermal level", "Thermal headroom", "Level of saving", "Threshold", "Escalated to big", "Accuracy", "Saved so far"]],
  ["policies", POLICIES, ["Battery (modelled)", "Temperature (modelled)", "Threshold", "Saved so far"]],
]) {
  const url = pathToFileURL(path).href;

  for (const [name, options] of Object.entries(looks)) {
    test(`${kind}, ${name}: laid out, silent and without a request`, async () => {
      const { page, finish } = await openPage(url, options);
      await page.screenshot({ path: join(FOLDER, `${kind}-${name}.png`), fullPage: true });
      await assertLayout(page);
      assert.deepEqual(await overlaps(page), []);
      assert.deepEqual(await faint(page), []);
      assert.deepEqual(await nameless(page), []);
      const titles = await page.locator("figure h3").allTextContents();
      assert.deepEqual(headings.filter((heading) => !titles.includes(heading)), []);
      await finish();
    });
  }

  test(`${kind}: all charts share one axis of time`, async () => {
    for (const size of [undefined, phone]) {
      const { page, finish } = await openPage(url, { size });
      const ends = await page.evaluate(() => [...document.querySelectorAll(".day")].map((day) => {
        const shown = [...day.querySelectorAll("svg[role=img]")].filter((svg) => svg.getBoundingClientRect().width > 0);
        return shown.map((svg) => {
          const first = [...svg.querySelectorAll("text")].find((text) => /^(0 (s|min|h)|0:00 h|day 0)$/.test(text.textContent.trim()));
          return Math.round(first.getBoundingClientRect().left);
        });
      }));
      for (const lefts of ends) assert.ok(Math.max(...lefts) - Math.min(...lefts) <= 1, `${lefts}`);
      await finish();
    }
  });

  test(`${kind}: needs no JavaScript and is one file`, async () => {
    const html = await readFile(path, "utf8");
    assert.doesNotMatch(html, /<script/);
    assertOneFile(html);
    await withoutScripts(url, phone, async (page) => {
      assert.ok(await page.getByRole("heading", { level: 1 }).isVisible());
      assert.match(await page.locator(".card b").first().textContent(), /\d/);
      await page.screenshot({ path: join(FOLDER, `${kind}-no-script.png`) });
    });
  });
}
