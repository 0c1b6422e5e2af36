// The names of what a run can report its metrics to; apart, so that a command line can refuse others without loading
// more.

/** `jsonl`: metrics.jsonl; `tensorboard`: an event file beside it. */
export const REPORT_TO = ['tensorboard', 'jsonl'] as const;
export type ReportTo = (typeof REPORT_TO)[number];
