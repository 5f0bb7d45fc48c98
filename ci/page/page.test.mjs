// The page of `biglittle report` in a real browser: ci/report runs this with
// REPORT (the page), FOLDER (for screenshots) and CHROMIUM (the browser).
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const { REPORT, FOLDER, CHROMIUM } = process.env;
const url = pathToFileURL(REPORT).href;
const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
let context, profile;

before(async () => {
  profile = await mkdtemp(join(tmpdir(), "report-profile-"));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    viewport: desktop,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
});

after(async () => {
  await context?.close();
  await rm(profile, { recursive: true, force: true });
});

// Opens the page; `finish` asserts that it was silent and asked for nothing.
async function open(options = {}) {
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) requests.push(request.url());
  });
  await page.setViewportSize(options.size ?? desktop);
  await page.emulateMedia({ colorScheme: options.scheme ?? "light", media: "screen" });
  await page.goto(url, { waitUntil: "load" });
  const finish = async () => {
    await page.close();
    assert.deepEqual(complaints, []);
    assert.deepEqual(requests, []);
  };
  return { page, finish };
}

const reading = (page, name) => page.locator(`dl.readings [data-out="${name}"]`).textContent();
const readings = async (page) => {
  const names = ["threshold", "accuracy", "escalation", "bad", "macs", "cpu"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await reading(page, name)])));
};

// Nothing is wider than the window, and every picture and chart has a size.
async function assertLayout(page) {
  const layout = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    charts: [...document.querySelectorAll("figure svg[role=img]")].map((svg) => svg.getBoundingClientRect().width),
    broken: [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length,
  }));
  assert.equal(layout.wide, 0, "no horizontal scrolling");
  assert.ok(layout.charts.length >= 5, `${layout.charts.length} charts`);
  assert.ok(layout.charts.every((width) => width > 200), `${layout.charts}`);
  assert.equal(layout.broken, 0);
}

// Pairs of texts in one chart that lie over each other.
const overlaps = (page) => page.evaluate(() => {
  const found = [];
  for (const svg of document.querySelectorAll("figure svg[role=img]")) {
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim()).map((text) => [text.textContent.trim(), text.getBoundingClientRect()]);
    for (let a = 0; a < texts.length; a += 1) {
      for (let b = 0; b < a; b += 1) {
        const [p, q] = [texts[a][1], texts[b][1]];
        const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
        const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
        // A line's box is higher than its letters.
        if (across > 0.5 && down > 0.35 * Math.min(p.height, q.height)) found.push(`${texts[a][0]} / ${texts[b][0]}`);
      }
    }
    const box = svg.getBoundingClientRect();
    for (const [text, rect] of texts) {
      if (rect.left < box.left - 1 || rect.right > box.right + 1 || rect.bottom > box.bottom + 2) found.push(`${text} leaves its chart`);
    }
  }
  return found;
});

for (const [name, options] of Object.entries({
  light: {},
  dark: { scheme: "dark" },
  "phone-light": { size: phone },
  "phone-dark": { size: phone, scheme: "dark" },
})) {
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
  const nameless = await page.evaluate(() => {
    const named = (svg) => (svg.getAttribute("aria-labelledby") ?? "").split(" ")
      .every((id) => document.getElementById(id)?.textContent.trim());
    const charts = [...document.querySelectorAll('svg[role="img"]')].filter((svg) => !named(svg));
    const images = [...document.images].filter((image) => !image.alt);
    const inputs = [...document.querySelectorAll("input, button")].filter((input) => !input.labels?.length && !input.textContent);
    return charts.length + images.length + inputs.length;
  });
  assert.equal(nameless, 0);
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((element) => element.id));
  assert.equal(new Set(ids).size, ids.length, "no id is there twice");
  await finish();
});

// WCAG 2: 4.5 to 1 for text; 3 to 1 for lines.
for (const scheme of ["light", "dark"]) {
  test(`${scheme}: texts and lines stand out`, async () => {
    const { page, finish } = await open({ scheme });
    const low = await page.evaluate(() => {
      const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
      const light = (colour) => {
        const [r, g, b] = numbers(colour).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
      const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const colour = getComputedStyle(at).backgroundColor;
          if (numbers(colour)[3] !== 0) return colour;
        }
        return getComputedStyle(document.body).backgroundColor;
      };
      const found = [];
      for (const element of document.querySelectorAll("p, dt, dd, li, th, td, small, span, a, h1, h2, h3, figcaption, caption, label, b, button")) {
        const ratio = contrast(getComputedStyle(element).color, behind(element));
        if (ratio < 4.5) found.push(`${element.tagName} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
      }
      for (const line of document.querySelectorAll("figure svg polyline, figure svg circle")) {
        const style = getComputedStyle(line);
        const colour = line.tagName === "polyline" ? style.stroke : style.fill;
        const isGrid = line.getAttribute("stroke") === "#DDDDDD";
        if (!isGrid && colour !== "none" && contrast(colour, behind(line)) < 3) found.push(`${line.tagName}: ${colour}`);
      }
      for (const text of document.querySelectorAll("figure svg text")) {
        if (contrast(getComputedStyle(text).fill, behind(text)) < 4.5) found.push(text.textContent);
      }
      return found;
    });
    assert.deepEqual(low, []);
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
  const browser = context.browser() ?? await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: desktop });
  const page = await plain.newPage();
  await page.goto(url, { waitUntil: "load" });
  assert.equal(await page.locator("#threshold").isVisible(), false);
  assert.match(await reading(page, "accuracy"), /^\d+\.\d\d\s%$/);
  assert.ok(await page.getByText("Without JavaScript").isVisible());
  await page.screenshot({ path: join(FOLDER, "no-script.png") });
  await plain.close();
  if (!context.browser()) await browser.close();
});

test("it is one file", async () => {
  const html = await readFile(REPORT, "utf8");
  const links = [...html.matchAll(/\b(?:src|href|xlink:href)="([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual(links.filter((link) => !link.startsWith("#") && !link.startsWith("data:")), []);
  assert.doesNotMatch(html, /url\(|@import|https?:\/\/(?!www\.w3\.org\/)/);
});
