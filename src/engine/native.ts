// Calls into the addon: errors become EngineError with the caller's stack, an AbortSignal becomes the addon's cancel flag.
// Leaves the surface itself to binding.ts.
import { EngineError, UserError } from '../core/errors.js';
import { addon, type CancelFlag } from './binding.js';

/** Runs a native call. Throws EngineError with the native code; the native error is its cause. */
export async function guarded<T>(call: () => T | Promise<T>): Promise<T> {
  // Made before the call: afterwards the stack would not show who called.
  const place = new EngineError('ERR_ENGINE', '');
  try {
    return await call();
  } catch (error) {
    throw engineError(error, place);
  }
}

/** As `guarded`, for a call that answers at once. */
export function guardedNow<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw engineError(error, new EngineError('ERR_ENGINE', ''));
  }
}

function engineError(error: unknown, place: EngineError): Error {
  if (error instanceof UserError) return error; // the addon was refused at load for a reason the user can mend
  const { code, message } = error as { code?: unknown; message?: unknown };
  const wrapped = new EngineError(
    typeof code === 'string' && code.startsWith('ERR_') ? code : place.code,
    String(message ?? error),
  );
  wrapped.cause = error;
  const frames = (place.stack ?? '').split('\n').slice(1);
  wrapped.stack = [`${wrapped.name} [${wrapped.code}]: ${wrapped.message}`, ...frames].join('\n');
  return wrapped;
}

/** As `guarded`, for a call that can be cancelled. Rejects with the signal's reason once it was aborted. */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (flag: CancelFlag) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const flag = new (addon().CancelFlag)();
  const cancel = (): void => flag.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await guarded(() => call(flag));
  } catch (error) {
    if (signal?.aborted && (error as EngineError).code === 'ERR_CANCELLED') throw signal.reason;
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
