// A local server with as much of the Hugging Face hub's surface as a download needs: revisions, lists of files, files behind a
// redirect, ranges of them. Faults are given by the test.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Contents of files by path; `commit` names this state of the repository. */
export interface HubRepository {
  readonly commit: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

export interface HubServer {
  readonly url: string;
  /** By `models/ORG/NAME` or `datasets/ORG/NAME`: what its branch main stands for; earlier states are kept. */
  publish(repo: string, state: HubRepository): void;
  /** Token that requests must bear; none where it is undefined. */
  token: string | undefined;
  /** Told before a file is sent: what becomes of it. */
  fault: (path: string, range: string | undefined) => Fault | undefined;
  /** `METHOD PATH RANGE` of each request. */
  readonly requests: string[];
  close(): Promise<void>;
}

export interface Fault {
  readonly status?: number;
  /** Bytes after which the connection is cut. */
  readonly cutAfter?: number;
  /** Sends these instead. */
  readonly bytes?: Uint8Array;
  /** Answers with the whole file whatever range is asked for. */
  readonly withoutRanges?: boolean;
  /** Bytes after which nothing more comes. */
  readonly stallAfter?: number;
}

/** Files from this size on are stored apart and named by SHA-256, as large ones are on the hub. */
const LARGE = 1000;

export async function hubServer(): Promise<HubServer> {
  const states = new Map<string, HubRepository>();
  const requests: string[] = [];
  const hub: HubServer = {
    url: '',
    publish(repo, state) {
      for (const revision of ['main', state.commit]) states.set(`${repo}@${revision}`, state);
    },
    token: undefined,
    fault: () => undefined,
    requests,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', url);
    const { range, authorization } = request.headers;
    requests.push([request.method, pathname, ...(range === undefined ? [] : [range])].join(' '));
    const json = (value: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const api = /^\/api\/((?:models|datasets)\/[^/]+\/[^/]+)\/(revision|tree|paths-info)\/([^/]+)\/?(.*)$/.exec(
      pathname,
    );
    const file = /^\/(stored\/)?(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    // What lies behind a redirect is elsewhere, where the token is not to be sent.
    const isStored = file?.[1] !== undefined;
    if (hub.token !== undefined && !isStored && authorization !== `Bearer ${hub.token}`)
      return json({ error: 'Invalid credentials in Authorization header' }, 401);
    if (api) {
      const [, repo, verb, revision = '', path = ''] = api;
      const state = states.get(`${repo}@${decodeURIComponent(revision)}`);
      if (!state) return json({ error: 'Repository not found' }, 404);
      if (verb === 'revision') return json({ _id: '1', id: repo, sha: state.commit, lastModified: '2026-01-01' });
      if (verb === 'tree') return json(listed(state, path, request.url?.includes('recursive=true') === true));
      let body = '';
      for await (const piece of request) body += String(piece);
      const { paths } = JSON.parse(body) as { paths: string[] };
      const isFolder = (one: string): boolean => Object.keys(state.files).some((name) => name.startsWith(`${one}/`));
      return json(
        paths.flatMap((one) =>
          one in state.files
            ? [entryOf(state, one)]
            : isFolder(one)
              ? [{ type: 'directory', path: one, size: 0, oid: '0'.repeat(40) }]
              : [],
        ),
      );
    }
    const [, , datasets, repo, revision, path = ''] = file ?? [];
    const bytes = bytesOf(states.get(`${datasets ?? 'models/'}${repo}@${revision}`), decodeURIComponent(path));
    if (!bytes) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      return;
    }
    if (bytes.length >= LARGE && !isStored) {
      response.writeHead(302, { location: `${url.replace('127.0.0.1', 'localhost')}/stored${pathname}` }).end();
      return;
    }
    const fault = hub.fault(path, range) ?? {};
    if (fault.status !== undefined) return json({ error: 'fault' }, fault.status);
    send(response, fault.bytes ?? bytes, range, fault);
  }
  return Object.assign(hub, { url });
}

function send(response: ServerResponse, bytes: Uint8Array, range: string | undefined, fault: Fault): void {
  const [from = 0, to = bytes.length - 1] =
    /(\d+)-(\d+)/
      .exec(range ?? '')
      ?.slice(1)
      .map(Number) ?? [];
  const isPart = range !== undefined && !(fault.withoutRanges && range !== 'bytes=0-0');
  const part = isPart ? bytes.subarray(from, to + 1) : bytes;
  response.writeHead(isPart ? 206 : 200, {
    etag: '"x"',
    'content-length': part.length,
    ...(isPart && { 'content-range': `bytes ${from}-${to}/${bytes.length}` }),
  });
  const most = fault.cutAfter ?? fault.stallAfter;
  if (most === undefined || part.length <= most) return void response.end(part);
  response.write(part.subarray(0, most), () => {
    // What was written reaches the client before the end does.
    if (fault.cutAfter !== undefined) setTimeout(() => response.destroy(), 30);
  });
}

function bytesOf(state: HubRepository | undefined, path: string): Uint8Array | undefined {
  const contents = state?.files[path];
  return typeof contents === 'string' ? Buffer.from(contents) : contents;
}

function entryOf(state: HubRepository, path: string): object {
  const bytes = bytesOf(state, path) as Uint8Array;
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const lfs = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 130 };
  return { type: 'file', path, size: bytes.length, oid, ...(bytes.length >= LARGE && { lfs }) };
}

/** Files of a folder, or of all folders below it, and the folders themselves. */
function listed(state: HubRepository, folder: string, isRecursive: boolean): object[] {
  const start = folder === '' ? '' : `${folder}/`;
  const names = Object.keys(state.files).filter((name) => name.startsWith(start));
  const folders = new Set(names.filter((name) => name.slice(start.length).includes('/')));
  const own = names.filter((name) => isRecursive || !folders.has(name));
  const below = [...new Set([...folders].map((name) => start + name.slice(start.length).split('/')[0]))];
  return [
    ...own.map((name) => entryOf(state, name)),
    ...below.map((path) => ({ type: 'directory', path, size: 0, oid: '0'.repeat(40) })),
  ];
}
