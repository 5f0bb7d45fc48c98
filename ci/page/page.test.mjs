// The page of `biglittle report` in a real browser: ci/report runs this with
// REPORT (the page), FOLDER (for screenshots) and CHROMIUM (the browser).
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  FOLDER, assertLayout, assertOneFile, desktop, faint, looks, nameless, openPage, overlaps, withoutScripts,
} from "./browser.mjs";

const { REPORT } = process.env;
const url = pathToFileURL(REPORT).href;
const open = (options) => openPage(url, options);

const reading = (page, name) => page.locator(`dl.readings [data-out="${name}"]`).textContent();
const readings = async (page) => {
  const names = ["threshold", "accuracy", "escalation", "bad", "macs", "cpu"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await reading(page, name)])));
};

for (const [name, options] of Object.entries(looks)) {
  test(`${name}: laid out, silent and without a request`, async () => {
    const { page, finish } = await open(options);
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(paper, options.scheme === "dark" ? "rgb(20, 23, 27)" : "rgb(255, 255, 255)");
    await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage: true });
    await assertLayout(page);
    assert.deepEqual(await overlaps(page), []);
    await finish();
  });
}

test("the slider moves the numbers and the charts, by keyboard too", async () => {
  const { page, finish } = await open();
  const steps = JSON.parse(await page.locator("#steps").textContent());
  const slider = page.getByLabel("Threshold of");
  const before = await readings(page);
  const percent = (share, digits) => `${(100 * share).toFixed(digits)}\u00a0%`;
  const at = async (index) => {
    const [, escalated, right, bad] = steps.steps[index];
    const now = await readings(page);
    assert.equal(now.escalation, percent(escalated / steps.rows, 2));
    assert.equal(now.accuracy, percent(right / steps.rows, 2));
    assert.equal(now.bad, `${bad} of ${steps.rows}`);
    return now;
  };
  assert.deepEqual(await at(steps.current), before, "the script says what the page said without it");
  const mark = () => page.locator('svg[data-mark="escalation"] .mark').first().getAttribute("cx");
  const place = await mark();

  await slider.focus();
  await page.keyboard.press("End");
  const careful = await at(steps.steps.length - 1);
  assert.equal(careful.escalation, "100.00\u00a0%");
  assert.equal(careful.bad, `0 of ${steps.rows}`, "with big alone there is no harm");
  assert.notEqual(await mark(), place);
  assert.match(await slider.getAttribute("aria-valuetext"), /100\.00\s% escalated/);
  await page.keyboard.press("Home");
  const cheap = await at(0);
  assert.equal(cheap.escalation, "0.00\u00a0%");
  assert.notEqual(cheap.accuracy, before.accuracy);
  await page.keyboard.press("ArrowRight");
  await at(1);

  // With a mouse, in the middle.
  const box = await slider.boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const middle = Number(await slider.inputValue());
  assert.ok(middle > 1 && middle < steps.steps.length - 1);
  await at(middle);
  await page.screenshot({ path: join(FOLDER, "slider-moved.png") });
  await page.getByRole("button", { name: /threshold in use/ }).click();
  assert.deepEqual(await readings(page), before);
  await finish();
});

test("every chart, picture and control has a name", async () => {
  const { page, finish } = await open();
  assert.deepEqual(await nameless(page), []);
  await finish();
});

for (const scheme of ["light", "dark"]) {
  test(`${scheme}: texts and lines stand out`, async () => {
    const { page, finish } = await open({ scheme });
    assert.deepEqual(await faint(page), []);
    await finish();
  });
}

test("it prints", async () => {
  const { page, finish } = await open({ scheme: "dark" });
  const pdf = await page.pdf({ format: "A4", printBackground: true });
  await writeFile(join(FOLDER, "print.pdf"), pdf);
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b(?!s)/g)?.length ?? 0;
  assert.ok(pages >= 2 && pages <= 12, `${pages} pages`);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(paper, "rgb(255, 255, 255)", "paper is white whatever the screen is");
  assert.equal(await page.locator("#threshold").isVisible(), false);
  await page.setViewportSize({ width: 720, height: 1000 });
  await page.screenshot({ path: join(FOLDER, "print.png"), fullPage: true });
  await finish();
});

test("without JavaScript it is a page all the same", async () => {
  await withoutScripts(url, desktop, async (page) => {
    assert.equal(await page.locator("#threshold").isVisible(), false);
    assert.match(await reading(page, "accuracy"), /^\d+\.\d\d\s%$/);
    assert.ok(await page.getByText("Without JavaScript").isVisible());
    await page.screenshot({ path: join(FOLDER, "no-script.png") });
  });
});

test("it is one file", async () => assertOneFile(await readFile(REPORT, "utf8")));
