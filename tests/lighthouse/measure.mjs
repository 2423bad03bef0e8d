// Measures pages with Lighthouse in one Chromium: a plan as JSON on standard input, one line of JSON a page on standard output.
//
//   {chromium, enough, pages: [{url, tries, skip}], looks: [{url, cookie}]}
//
// `pages` are loaded as a visitor's phone loads them first, and get all four scores. One is loaded again, up to `tries` times, while a score
// is under `enough`: figures of a busy machine wobble, and the best is nearest to what the page costs. `skip` names audits that are no
// fault of that page. `looks` are looked at as they stand, signed in, for accessibility alone.
import { readFileSync } from 'node:fs';
import lighthouse, { snapshot } from 'lighthouse';
import puppeteer from 'puppeteer-core';

const plan = JSON.parse(readFileSync(0, 'utf8'));
const args = ['--no-sandbox', '--disable-dev-shm-usage', '--hide-scrollbars', '--mute-audio'];
const browser = await puppeteer.launch({ executablePath: plan.chromium, headless: true, args });
const quiet = { output: 'json', logLevel: 'error', disableFullPageScreenshot: true };
const short = { pauseAfterFcpMs: 250, pauseAfterLoadMs: 250, networkQuietThresholdMs: 250, cpuQuietThresholdMs: 250, maxWaitForLoad: 20000 };
const unmeasured = ['screenshot-thumbnails', 'final-screenshot', 'bf-cache'];

function place(item) {
  return item.node?.snippet || item.url || item.description || JSON.stringify(item).slice(0, 200);
}

function report({ lhr }, url) {
  const categories = Object.values(lhr.categories);
  const counted = new Set(categories.flatMap((category) => category.auditRefs.filter((ref) => ref.weight > 0).map((ref) => ref.id)));
  const failed = Object.values(lhr.audits).filter((audit) => counted.has(audit.id) && audit.score !== null && audit.score < 0.9);
  return {
    url,
    scores: Object.fromEntries(categories.map((category) => [category.id, Math.round((category.score ?? 0) * 100)])),
    error: lhr.runtimeError?.message || '',
    failed: failed.map((audit) => `${audit.id} ${audit.displayValue || ''} ${(audit.details?.items || []).slice(0, 5).map(place).join(' | ')}`),
  };
}

const lowest = (found) => (found.error ? -1 : Math.min(...Object.values(found.scores)));

async function load({ url, tries, skip }) {
  let best;
  for (let attempt = 0; attempt < (tries || 1) && (!best || lowest(best) < plan.enough); attempt += 1) {
    const page = await browser.newPage();
    const options = { ...quiet, ...short, throttlingMethod: 'simulate', skipAudits: [...unmeasured, ...(skip || [])] };
    const found = report(await lighthouse(url, options, undefined, page), url);
    await page.close();
    if (!best || lowest(found) > lowest(best)) best = found;
  }
  return best;
}

async function look({ url, cookie }) {
  const page = await browser.newPage();
  await page.setViewport({ width: 412, height: 823, isMobile: true, hasTouch: true });
  await page.setCookie({ ...cookie, url });
  const answer = await page.goto(url, { waitUntil: 'load' });
  const found = report(await snapshot(page, { flags: { ...quiet, onlyCategories: ['accessibility'] } }), url);
  await page.close();
  return answer.status() < 400 ? found : { ...found, error: `answered ${answer.status()}` };
}

try {
  for (const page of plan.pages) console.log(JSON.stringify(await load(page)));
  for (const page of plan.looks) console.log(JSON.stringify(await look(page)));
} finally {
  await browser.close();
}
