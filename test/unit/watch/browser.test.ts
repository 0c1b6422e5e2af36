// The page of mstar watch in headless Chromium: at the width of a desk and of a phone, light and dark, by keyboard, while the run goes
// on. Skipped where there is no Chromium (MSTAR_CHROMIUM names one). MSTAR_TEST_SCREENSHOTS=DIR keeps what it sees.
/// <reference lib="dom" />
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serveRuns, type Watching } from '../../../src/watch/server.js';
import { hostileRun } from '../views/run/hostile.js';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = process.env.MSTAR_CHROMIUM ?? places.find((place) => existsSync(place));
if (!program) console.warn('no Chromium found: the page of mstar watch is not looked at (MSTAR_CHROMIUM=PROGRAM)');

let root: string;
let run: string;
let lines: string[];
let browser: Browser;
let watching: Watching;
/** What a page said is wrong, and what it asked of other servers. */
let faults: string[];

beforeAll(async () => {
  if (!program) return;
  root = mkdtempSync(join(tmpdir(), 'mstar-watch-browser-'));
  run = await hostileRun(root);
  cpSync(run, join(root, 'other'), { recursive: true });
  lines = readFileSync(join(run, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
  watching = await serveRuns([run, join(root, 'other')], { host: '127.0.0.1', port: 0 });
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu'] });
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await watching?.close();
  if (root) rmSync(root, { recursive: true, force: true });
});
afterEach(() => {
  if (program) expect(faults).toEqual([]);
});

async function open(path: string, width = 1280, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  faults = [];
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(watching.url) && !request.url().startsWith('data:')) faults.push(request.url());
  });
  await page.goto(new URL(path, watching.url).href);
  await page.getByText('Connected: the page follows the run.').waitFor();
  return page;
}

/** Luminance of an element's text and of what is behind it, 0..1. */
const contrastOf = (page: Page, selector: string): Promise<number> =>
  page.$eval(selector, (element) => {
    const luminance = (colour: string): number => {
      const [r, g, b] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
        const channel = Number(part) / 255;
        return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
    };
    let behind: Element | null = element;
    while (behind && /, 0\)$|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const text = luminance(getComputedStyle(element).color);
    const ground = luminance(getComputedStyle(behind ?? document.body).backgroundColor);
    return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
  });

async function keep(page: Page, name: string): Promise<void> {
  const folder = process.env.MSTAR_TEST_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

describe.skipIf(!program)('the page', () => {
  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('fits %i px and is readable in %s', async (width, scheme) => {
    const page = await open('runs/1/', width, scheme);
    expect(await page.locator('main > section').count()).toBe(11);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const seen = ['h2', '.state b', '.note', '.facts dt', '.filters label', 'a[href]', '.verdict'];
    const contrasts = await Promise.all(seen.map((selector) => contrastOf(page, selector)));
    expect(seen.filter((_, i) => (contrasts[i] as number) < 4.5)).toEqual([]);
    // Charts are drawn, and every one has its words.
    const charts = page.locator('svg[role=img]');
    expect(await charts.count()).toBeGreaterThan(10);
    for (const box of [await charts.first().boundingBox(), await charts.last().boundingBox()])
      expect(box?.width).toBeGreaterThan(250);
    expect(await page.locator('svg[role=img]:not([aria-labelledby])').count()).toBe(0);
    await keep(page, `run-${width}-${scheme}`);
    await page.close();
  });

  test.each([1280, 390])('of several runs fits %i px', async (width) => {
    const page = await open('runs/', width);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await page.getByRole('link', { name: 'other', exact: true }).count()).toBe(1);
    await keep(page, `runs-${width}`);
    await page.close();
  });

  test('is gone through by keyboard: the skip link, the sections, the samples and their pages', async () => {
    const page = await open('runs/1/');
    const focused = (): Promise<string> =>
      page.evaluate(() => document.activeElement?.textContent?.trim() || document.activeElement?.tagName || '');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    expect(await page.locator('.skip').boundingBox()).toMatchObject({ x: expect.closeTo(16, -1) });
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    // What has the focus is seen to have it.
    await page.locator('.filters select').first().focus();
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineWidth);
    expect(outline).toBe('3px');
    await page.keyboard.press('l');
    expect(await page.locator('select[name=show]').inputValue()).toBe('lucky');
    await page.keyboard.press('Enter');
    await page.locator('.filters button').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /lucky: right by a wrong chain$/ }).waitFor();
    expect(await focused()).toMatch(/lucky: right by a wrong chain$/);
    expect(await page.locator('#samples .tag.lucky').count()).toBeGreaterThan(0);
    expect(await page.locator('#samples .response.wrong').count()).toBe(0);
    await page.locator('select[name=show]').selectOption('all');
    await page.locator('.filters button').click();
    await page.locator('a[rel=next]').focus();
    await page.keyboard.press('Enter');
    await page.getByText('page 2 of').waitFor();
    expect(new URL(page.url()).searchParams.get('page')).toBe('2');
    // The address leads back to what was shown.
    await page.reload();
    await page.getByText('page 2 of').waitFor();
    await page.close();
  });

  test('follows the run, and keeps what the reader opened and where the focus is', async () => {
    const journal = join(run, 'journal.jsonl');
    const cut = lines.findIndex((line) => line.includes('"phase":"test-iter-0003"'));
    writeFileSync(journal, `${lines.slice(0, cut).join('\n')}\n`);
    const page = await open('runs/1/');
    await page.getByText('stopped', { exact: true }).waitFor();
    const numbers = page.locator('#result details').first();
    await numbers.locator('summary').focus();
    await page.keyboard.press('Enter');
    expect(await numbers.locator('tbody tr').count()).toBe(4);
    appendFileSync(
      journal,
      lines
        .slice(cut)
        .map((line) => `${line}\n`)
        .join(''),
    );
    await expect.poll(() => numbers.locator('tbody tr').count(), { timeout: 60_000 }).toBe(5);
    await page.getByText('finished', { exact: true }).waitFor();
    expect(await numbers.getAttribute('open')).not.toBeNull();
    expect(await page.evaluate(() => document.activeElement?.closest('#result details')?.tagName)).toBe('DETAILS');
    expect(await page.getByRole('status').textContent()).toBe('The run is finished.');
    expect(await page.title()).toBe('finished · run – mstar');
    await page.close();
  });

  test('shows a run at work with its time left and its ranks', async () => {
    const other = join(root, 'other');
    const at = Date.now() / 1000;
    const doing = {
      title: 'iter-0003: training',
      done: 30,
      total: 120,
      fraction: 0.62,
      secondsLeft: 5400,
      tokensPerSecond: 1830,
    };
    const ranks = [0, 1].map(
      (rank) => `rank ${rank}: 81,920 tokens decoded (915/s), 6 % of the time waiting, 9.31 GiB resident`,
    );
    writeFileSync(join(other, 'progress.json'), JSON.stringify({ at, ...doing, residentBytes: 9.3 * 2 ** 30, ranks }));
    writeFileSync(join(other, 'lock-elsewhere-12-34'), '');
    const page = await open('runs/2/', 390);
    await page.getByText('1 h 30 min').or(page.getByText('1 h 29 min')).waitFor();
    expect(await page.getByRole('progressbar', { name: 'share of the whole job' }).getAttribute('value')).toBe('62');
    expect(await page.locator('#now li').count()).toBe(2);
    expect(await page.title()).toBe('62 % · other – mstar');
    await keep(page, 'working-390');
    await page.close();
  });

  test('of a run that has not begun shows it once it does', async () => {
    const later = join(root, 'later');
    const alone = await serveRuns([later], { host: '127.0.0.1', port: 0 });
    const page = await browser.newPage();
    await page.goto(alone.url);
    await page.getByText('waiting for the run to begin').waitFor();
    cpSync(run, later, { recursive: true });
    await page.locator('#samples article').first().waitFor({ timeout: 60_000 });
    expect(await page.locator('main > section').count()).toBe(11);
    expect(await page.locator('#sections a').count()).toBe(11);
    faults = [];
    await page.close();
    await alone.close();
  });

  test('says when the server has gone', async () => {
    const alone = await serveRuns([run], { host: '127.0.0.1', port: 0 });
    faults = [];
    const page = await browser.newPage();
    await page.goto(alone.url);
    await page.getByText('Connected: the page follows the run.').waitFor();
    await alone.close();
    await page.getByText('The connection is lost; trying again.').waitFor();
    await page.close();
  });
});
