// The two kinds of failure that the program distinguishes: the user's input is at fault, or the engine failed.
// Leaves printing and exit codes to the CLI.

/** The input is at fault. The message is one line: `file[:line]: field: found, wanted`. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** A native call failed. `code` is ERR_ENGINE, ERR_DISPOSED, ERR_CANCELLED or ERR_ARGUMENT. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
