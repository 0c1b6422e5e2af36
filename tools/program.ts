// How the tools end: a fault that the user can mend is one line and exit code 1.
import { UserError } from '#src/core/errors.js';

/** Runs `main` with the arguments of the command line. */
export async function runProgram(main: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
