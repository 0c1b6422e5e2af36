// Stopping a job on request: at the next safe point, leaving everything committed whole.

/** The job was asked to stop and did; the same command goes on from here. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  constructor() {
    super('stopped; the same command goes on from here');
  }
}

/** Call at safe points. @throws Stopped once the signal is aborted */
export function stopIfAsked(signal: AbortSignal): void {
  if (signal.aborted) throw new Stopped();
}
