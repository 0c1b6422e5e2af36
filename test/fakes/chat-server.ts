// A local server with the surface of an OpenAI-compatible endpoint; what it answers is given by the test.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatRequest {
  readonly model: string;
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Content of the reply, or the whole body where `status` is not 200. */
  readonly text?: string;
  /** The body as it stands. */
  readonly body?: string;
  readonly delayMs?: number;
  /** The body goes on until the connection is closed. */
  readonly endless?: boolean;
}

export interface ChatServer {
  readonly url: string;
  /** Bytes of endless bodies so far. */
  sent(): number;
  readonly requests: readonly {
    readonly headers: IncomingHttpHeaders;
    readonly body: ChatRequest;
    readonly path: string;
  }[];
  /** Most requests that were open at a time. */
  most(): number;
  close(): Promise<void>;
}

/** @param answer told the request and its number, from 0 */
export async function chatServer(answer: (request: ChatRequest, number: number) => Answer): Promise<ChatServer> {
  const requests: { headers: IncomingHttpHeaders; body: ChatRequest; path: string }[] = [];
  let [open, most, sent] = [0, 0, 0];
  const goOn = (response: ServerResponse): void => {
    const piece = Buffer.alloc(1 << 16, 'x');
    const send = (): void => {
      if (response.destroyed) return;
      sent += piece.length;
      if (response.write(piece)) setImmediate(send);
    };
    response.on('drain', send);
    send();
  };
  const server = createServer((request, response) => {
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as ChatRequest;
      const number = requests.push({ headers: request.headers, body, path: request.url ?? '' }) - 1;
      const { status = 200, headers = {}, text = '', body: whole, delayMs = 5, endless = false } = answer(body, number);
      const usage = { prompt_tokens: 100, completion_tokens: 2 };
      const reply = JSON.stringify({ choices: [{ message: { role: 'assistant', content: text } }], usage });
      setTimeout(() => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        if (endless) goOn(response);
        else response.end(whole ?? (status === 200 ? reply : text));
      }, delayMs);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    most: () => most,
    sent: () => sent,
    close: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  };
}
