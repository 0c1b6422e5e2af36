// What a request is refused with, in the form that OpenAI's clients read.
import { EngineError, Stopped, UserError } from '../core/errors.js';

export type RefusalStatus = 400 | 401 | 403 | 404 | 413 | 429 | 500 | 503 | 504;

const TYPES: Readonly<Record<RefusalStatus, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
  504: 'timeout_error',
};

/** An answer with a status other than 200. `param`: the field at fault. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: RefusalStatus;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: RefusalStatus, message: string, { param, code }: { param?: string; code?: string } = {}) {
    super(message);
    this.status = status;
    this.param = param ?? null;
    this.code = code ?? null;
  }

  get body() {
    const { message, param, code, status } = this;
    return { error: { message, type: TYPES[status], param, code } };
  }
}

/** What a failure is answered with. What is no fault of the request is told in few words. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof UserError) {
    const { message } = error;
    const param = /^(messages[^:]*): /.exec(message)?.[1];
    const isLong = param === 'messages' && message.endsWith('positions of the model');
    return new Refusal(400, message, { ...(param && { param }), ...(isLong && { code: 'context_length_exceeded' }) });
  }
  // Whoever stopped it may have said why.
  if (error instanceof Stopped)
    return error.cause instanceof Refusal ? error.cause : new Refusal(503, 'the server stops', { code: 'stopping' });
  const message = error instanceof EngineError ? error.message : String((error as Error).message ?? error);
  return new Refusal(500, `the server failed: ${message}`);
}
