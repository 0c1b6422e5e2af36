// Serves pages about runs to one reader: whoever has the address, which holds a token. Every file that it reads belongs to the package
// or is found by the runs' own data; no request names a file.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { UserError } from '../core/errors.js';
import { listen } from '../core/listen.js';
import { sectionBlock } from '../page/document.js';
import { Tables } from '../record/tables.js';
import { namesApart } from '../views/compare/comparison.js';
import { Feed } from './feed.js';
import { samples, tabled } from './samples.js';
import { pageStyle, shell } from './shell.js';
import { ComparisonView, numbersOf, RunView, type View } from './views.js';

/** Sent with every answer. Style attributes are those of our own charts: no rule in one can make a request but for `data:`. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

interface Page {
  readonly name: string;
  /** Behind the token, with a slash at its end. */
  readonly path: string;
  readonly feed: Feed;
  /** Of a single run. */
  readonly dir?: string;
}

/**
 * The routes: `TOKEN/` leads to the first page; `PAGE/` is a page, `PAGE/events` tells its changes, `PAGE/samples` and `PAGE/run.json`
 * are of single runs. Without the token everything is refused with 403.
 * @param dirs one run, or several that are shown over each other as well
 */
export function routes(dirs: readonly string[], token: string, tables: Tables): Hono {
  const names = namesApart(dirs);
  const page = (name: string, path: string, view: View, dir?: string): Page => ({
    name,
    path,
    feed: new Feed(view),
    dir,
  });
  const pages = dirs.map((dir, i) => page(names[i] as string, `runs/${i + 1}/`, new RunView(dir, tables), dir));
  if (dirs.length > 1) pages.unshift(page('all over each other', 'runs/', new ComparisonView(dirs)));
  const app = new Hono();
  app.use(async (context, next) => {
    const [, given = ''] = context.req.path.split('/');
    if (isSame(given, token)) await next();
    else
      context.res = new Response('wrong or missing token, wanted the address that mstar watch printed\n', {
        status: 403,
      });
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
  });
  app.onError((error, context) => {
    if (error instanceof UserError) return context.text(`${error.message}\n`, 400);
    return context.text(`the server failed: ${error.message}\n`, 500);
  });
  app.notFound((context) => context.text('nothing here\n', 404));
  const root = app.basePath(`/${token}`);
  app.get(`/${token}/`, (context) => context.redirect(`/${token}/${pages[0]?.path}`));
  root.get('/page.css', (context) => context.body(pageStyle, 200, { 'content-type': 'text/css; charset=utf-8' }));
  root.get('/browser.js', async (context) => {
    const script = await readFile(new URL('browser.js', import.meta.url));
    return context.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8' });
  });
  for (const one of pages) addPage(root, one, pages, tables);
  return app;
}

function addPage(root: Hono, { name, path, feed, dir }: Page, pages: readonly Page[], tables: Tables): void {
  const up = '../'.repeat(path.split('/').length - 1);
  root.get(`/${path}`, async (context) => {
    const blocks = (await feed.blocks()).map(async (block) => {
      if (block.id !== 'samples' || dir === undefined) return block;
      return { ...block, html: sectionBlock(await samples(dir, tables, context.req.query())).text };
    });
    const others = pages.map((other) => ({ name: other.name, ...(other.path !== path && { path: other.path }) }));
    const document = shell({ title: name, pages: others, blocks: await Promise.all(blocks), root: up });
    return context.html(document.text);
  });
  root.get(`/${path}events`, (context) =>
    streamSSE(context, async (stream) => {
      const close = feed.open();
      const gone = new Promise<void>((resolve) => stream.onAbort(resolve));
      const sent = new Map<string, string>();
      try {
        while (!stream.aborted) {
          const blocks = await feed.blocks();
          const changed = blocks.filter(({ id, html }) => sent.get(id) !== html);
          for (const { id, html } of changed) sent.set(id, html);
          const order = blocks.map(({ id, name }) => ({ id, name }));
          const newest = dir === undefined ? undefined : (await tabled(dir))[0];
          // A message even where nothing changed: a reader that has gone is only noticed by writing.
          await stream.writeSSE({ event: 'sections', data: JSON.stringify({ order, changed, newest }) });
          await Promise.race([feed.next(), gone]);
        }
      } finally {
        close();
      }
    }),
  );
  if (dir === undefined) return;
  root.get(`/${path}samples`, async (context) =>
    context.html(sectionBlock(await samples(dir, tables, context.req.query())).text),
  );
  root.get(`/${path}run.json`, async (context) => context.json(await numbersOf(dir)));
}

/** In a time that does not tell where they differ. */
function isSame(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}

export interface Watching {
  /** With its token: whoever has it sees the runs. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves until it is closed.
 * @param port 0 takes a free one
 * @throws UserError where it cannot listen there
 */
export async function serveRuns(
  dirs: readonly string[],
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Watching> {
  const token = randomBytes(16).toString('hex');
  const tables = await Tables.open();
  const { fetch } = routes(dirs, token, tables);
  const { server, url } = await listen(fetch, { host, port }).catch((error: unknown): never => {
    tables.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    tables.close();
  };
  return { url: `${url}/${token}/`, close };
}
