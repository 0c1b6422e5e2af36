// Signals by which users and schedulers ask a process to end.

/** All that end a process unless it listens, and that it may listen to: schedulers send several of them before a limit. */
export const ENDING = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGIO',
  'SIGPWR',
  'SIGSTKFLT',
  'SIGXCPU',
] as const satisfies readonly NodeJS.Signals[];

/** Exit code that a scheduler takes for "start it again": EX_TEMPFAIL of sysexits.h. */
export const TEMPORARY_FAILURE = 75;
