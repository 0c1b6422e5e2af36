// Calls from rank 0 to the other ranks: gRPC carries them (framing, flow control, deadlines, TLS), MessagePack writes
// plain data, typed arrays and bytes. A call names a verb and gets one answer, and progress before it.
import { timingSafeEqual } from 'node:crypto';
import {
  ChannelCredentials,
  Client,
  type handleServerStreamingCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { decode, Encoder, ExtensionCodec } from '@msgpack/msgpack';
import { ENGINE_ERROR_CODES, EngineError, type EngineErrorCode, Stopped, UserError } from '../core/errors.js';

export interface Call {
  readonly verb: string;
  readonly args: readonly unknown[];
}

/** What a rank does with a call: its answer is plain data. `progress` may be called before it. */
export type Answerer = (call: Call, progress: (value: unknown) => void, signal: AbortSignal) => Promise<unknown>;

/** How ranks know each other, and whether others can read what they say. */
export interface Trust {
  /** Every call carries it; a call without it is refused. */
  readonly secret: string;
  /** TLS on both sides; without it what is said travels in the clear. */
  readonly server?: ServerCredentials;
  readonly channel?: ChannelCredentials;
}

/** An answer on its way: any number of `progress`, then a `value` or an `error`. */
type Message =
  | { readonly progress: unknown }
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly code: EngineErrorCode; readonly message: string } };

// Typed arrays keep their kind; bytes (Uint8Array) are MessagePack's own.
const codec = new ExtensionCodec();
for (const [type, Kind] of [Int32Array, Uint32Array, Float32Array, Float64Array].entries()) {
  codec.register({
    type,
    encode: (value) =>
      value instanceof Kind ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null,
    decode: (bytes) => new Kind(new Uint8Array(bytes).buffer),
  });
}
const encoder = new Encoder({ extensionCodec: codec, ignoreUndefined: true });
const write = (value: unknown): Buffer => Buffer.from(encoder.encode(value));
const read = (bytes: Buffer): unknown => decode(Uint8Array.from(bytes), { extensionCodec: codec });

const PATH = '/mstar.Rank/call';
const service: ServiceDefinition = {
  call: {
    path: PATH,
    requestStream: false,
    responseStream: true,
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  },
};

// A chunk of problems with pictures in memory is larger than gRPC's default of 4 MiB.
const limits = { 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': -1 };

export interface RankServer {
  readonly port: number;
  /** Takes no more calls; resolves when those under way are answered. */
  end(): Promise<void>;
  /** Ends the calls under way. */
  close(): void;
}

/** Serves calls at `address` (a host or IP) on a port of the system's choice. */
export async function serveRank(address: string, trust: Trust, answer: Answerer): Promise<RankServer> {
  const server = new Server(limits);
  const call: handleServerStreamingCall<Call, Message> = async (stream) => {
    if (!sameSecret(stream.metadata.get('secret')[0], trust.secret)) {
      stream.emit('error', { code: status.UNAUTHENTICATED, details: 'another job: the secret differs' });
      return;
    }
    const gone = new AbortController();
    stream.on('cancelled', () => gone.abort());
    try {
      const value = await answer(stream.request, (progress) => stream.write({ progress }), gone.signal);
      stream.write({ value: value ?? null });
    } catch (error) {
      const { name, code, message } = error as EngineError;
      stream.write({ error: { name, code, message } });
    }
    stream.end();
  };
  server.addService(service, { call });
  const credentials = trust.server ?? ServerCredentials.createInsecure();
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`${address}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  return {
    port,
    end: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    close: () => server.forceShutdown(),
  };
}

export interface RankClient {
  /** Of the rank, for messages. */
  readonly name: string;
  call(call: Call, hooks?: { onProgress?(value: unknown): void; readonly signal?: AbortSignal }): Promise<unknown>;
  close(): void;
}

/**
 * Calls the rank that serves at `address` (`host:port`). An answer that is an error rejects with the error's own kind; a
 * rank that is gone or refuses the secret rejects with EngineError ERR_RANK naming it by `name`.
 */
export function connectRank(name: string, address: string, trust: Trust): RankClient {
  const client = new Client(address, trust.channel ?? ChannelCredentials.createInsecure(), limits);
  const metadata = new Metadata();
  metadata.set('secret', trust.secret);
  return {
    name,
    call: (call, { onProgress, signal } = {}) =>
      new Promise((resolve, reject) => {
        const stream = client.makeServerStreamRequest<Call, Message>(
          PATH,
          write,
          read as () => Message,
          call,
          metadata,
        );
        const cancel = (): void => stream.cancel();
        signal?.addEventListener('abort', cancel);
        let last: Message | undefined;
        stream.on('data', (message: Message) => {
          if ('progress' in message) onProgress?.(message.progress);
          else last = message;
        });
        const settle = (failed?: ServiceError): void => {
          signal?.removeEventListener('abort', cancel);
          if (signal?.aborted) reject(new Stopped(signal.reason));
          else if (failed) reject(new EngineError('ERR_RANK', `${name} ${reasonOf(failed)}`));
          else if (last && 'value' in last) resolve(last.value);
          else
            reject(
              last && 'error' in last ? errorOf(last.error) : new EngineError('ERR_RANK', `${name} gave no answer`),
            );
        };
        stream.on('error', settle);
        stream.on('end', () => settle());
      }),
    close: () => client.close(),
  };
}

function reasonOf({ code, details }: ServiceError): string {
  const isGone = code === status.UNAVAILABLE || code === status.CANCELLED;
  return isGone ? 'has ended, or its machine cannot be reached' : `refuses: ${details}`;
}

function errorOf({ name, code, message }: Pick<EngineError, 'code' | 'message'> & { readonly name: string }): Error {
  if (name === 'UserError') return new UserError(message);
  if (name === 'AbortError') return new Stopped();
  return new EngineError(ENGINE_ERROR_CODES.includes(code) ? code : 'ERR_ENGINE', message);
}

function sameSecret(given: unknown, wanted: string): boolean {
  const [a, b] = [Buffer.from(String(given ?? '')), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
