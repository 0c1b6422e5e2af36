// Calls into the addon: errors become EngineError with the caller's stack, an AbortSignal becomes the addon's cancel
// flag.
import { ENGINE_ERROR_CODES, EngineError, Stopped, stopIfAsked, UserError } from '../core/errors.js';
import { addon, type CancelFlag } from './binding.js';

/** Runs a native call. Throws EngineError with the native code; the native error is its cause. A UserError passes: there is no addon. */
export async function guarded<T>(call: () => T | Promise<T>): Promise<T> {
  // Made before the call: afterwards the stack would not show who called.
  const place = callerOf(guarded);
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
    throw engineError(error, callerOf(guardedNow));
  }
}

/** An error whose stack begins above a function: V8 keeps ten frames, and none is to be spent on ours. */
function callerOf(own: (...given: never[]) => unknown): EngineError {
  const place = new EngineError('ERR_ENGINE', '');
  Error.captureStackTrace(place, own);
  return place;
}

function engineError(error: unknown, place: EngineError): EngineError | UserError {
  if (error instanceof UserError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = ENGINE_ERROR_CODES.find((one) => one === code);
  const wrapped = new EngineError(known ?? place.code, String(message ?? error));
  wrapped.cause = error;
  const frames = (place.stack ?? '').split('\n').slice(1);
  wrapped.stack = [`${wrapped.name} [${wrapped.code}]: ${wrapped.message}`, ...frames].join('\n');
  return wrapped;
}

/** A hook that the addon may call from the event loop, where nothing would catch what it throws. */
type Shield = <A extends unknown[]>(hook: (...given: A) => unknown) => (...given: A) => void;

/**
 * As `guarded`, for a call that can be cancelled. Rejects with Stopped once the signal was aborted, and with what a
 * shielded hook throws, after which none is called.
 */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (flag: CancelFlag, shielded: Shield) => Promise<T>,
): Promise<T> {
  stopIfAsked(signal);
  const flag = new (addon().CancelFlag)();
  const cancel = (): void => flag.cancel();
  const thrown: unknown[] = [];
  const fail = (error: unknown): void => {
    thrown.push(error);
    cancel();
  };
  const shielded: Shield =
    (hook) =>
    (...given) => {
      if (thrown.length > 0) return;
      try {
        Promise.resolve(hook(...given)).catch(fail);
      } catch (error) {
        fail(error);
      }
    };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const result = await guarded(() => call(flag, shielded));
    if (thrown.length > 0) throw thrown[0];
    return result;
  } catch (error) {
    if (thrown.length > 0) throw thrown[0];
    if (signal?.aborted && (error as EngineError).code === 'ERR_CANCELLED') throw new Stopped(signal.reason);
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
