// What the tests of all pages share: a browser, a page that has to be silent, and
// what is looked for in it.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

export const { FOLDER, CHROMIUM } = process.env;
export const desktop = { width: 1280, height: 900 };
export const phone = { width: 390, height: 844 };
// Of every page: the four looks that are laid out and kept as pictures.
export const looks = {
  light: {},
  dark: { scheme: "dark" },
  "phone-light": { size: phone },
  "phone-dark": { size: phone, scheme: "dark" },
};
export let context;
let profile;

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

// Opens a page; `finish` asserts that it was silent and asked for nothing.
export async function openPage(url, options = {}) {
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

// Opens a page where scripts do not run, and hands it to `look`.
export async function withoutScripts(url, size, look) {
  const browser = context.browser() ?? await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const plain = await browser.newContext({ javaScriptEnabled: false, viewport: size });
  const page = await plain.newPage();
  await page.goto(url, { waitUntil: "load" });
  await look(page);
  await plain.close();
  if (!context.browser()) await browser.close();
}

// Nothing is wider than the window, and every picture and chart has a size.
export async function assertLayout(page) {
  const layout = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    charts: [...document.querySelectorAll("figure svg[role=img]")]
      .map((svg) => svg.getBoundingClientRect().width)
      // Of a chart in two forms, one is not shown.
      .filter((width) => width > 0),
    broken: [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length,
  }));
  assert.equal(layout.wide, 0, "no horizontal scrolling");
  assert.ok(layout.charts.length >= 5, `${layout.charts.length} charts`);
  assert.ok(layout.charts.every((width) => width > 200), `${layout.charts}`);
  assert.equal(layout.broken, 0);
}

// Pairs of texts in one chart that lie over each other.
export const overlaps = (page) => page.evaluate(() => {
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

// Ids of charts and pictures without a name, and ids that are there twice.
export const nameless = (page) => page.evaluate(() => {
  const named = (svg) => (svg.getAttribute("aria-labelledby") ?? "").split(" ")
    .every((id) => document.getElementById(id)?.textContent.trim());
  const charts = [...document.querySelectorAll('svg[role="img"]')].filter((svg) => !named(svg));
  const images = [...document.images].filter((image) => !image.alt);
  const inputs = [...document.querySelectorAll("input, button")].filter((input) => !input.labels?.length && !input.textContent);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  return [...charts, ...images, ...inputs].map((element) => element.outerHTML.slice(0, 80)).concat(twice);
});

// What does not stand out. WCAG 2: 4.5 to 1 for text; 3 to 1 for lines.
export const faint = (page) => page.evaluate(() => {
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

// Everything that a page would fetch or refer to.
export function assertOneFile(html) {
  const links = [...html.matchAll(/\b(?:src|href|xlink:href)="([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual(links.filter((link) => !link.startsWith("#") && !link.startsWith("data:")), []);
  assert.doesNotMatch(html, /url\(|@import|https?:\/\/(?!www\.w3\.org\/)/);
}
