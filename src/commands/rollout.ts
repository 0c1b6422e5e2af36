// `mstar rollout`: n sampled answers to every problem of a data set, graded.

import { join } from 'node:path';
import { type RolloutSettings, rolloutSchema } from '../config/sample.js';
import { percent } from '../page/format.js';
import { describeSeconds } from '../run/terminal.js';
import { Computed } from './computed.js';
import { linesOf, overRanks, rankFlags } from './ranks.js';
import { displayOf, printResult, verb } from './result.js';
import { describeOutcomes, failOn, schemaFlags, settingsOf } from './sample-flags.js';
import { stopSignal } from './stop.js';

export default verb({
  command: 'rollout',
  describe: 'sample responses to every problem of a data set and grade them',
  builder: (yargs) =>
    rankFlags(schemaFlags(yargs, rolloutSchema))
      .example(
        'mstar rollout --model DIR --data problems.json --image-root data_images --out runs/roll --n 16',
        '16 each',
      )
      .example(
        'mstar rollout --model DIR --data problems.json --out runs/hot --temperature 1.3 --top-p 0.95',
        'more varied',
      ),
  async handler(flags) {
    await overRanks(flags, async ({ host, usage }) => {
      const settings = settingsOf<RolloutSettings>(flags, rolloutSchema);
      const display = displayOf(flags, usage);
      const computed = new Computed();
      const { rollout } = await import('../jobs/jobs.js');
      const summary = await rollout(settings, {
        display,
        signal: stopSignal(display),
        onRollout: computed.add,
        ...(host && { host }),
      });
      printResult(flags, summary, [
        describeOutcomes(`${summary.problems} problems, ${summary.responses} responses`, summary.outcomes),
        `${percent(summary.solved)} of the problems solved at least once, ${summary.tokens} tokens in ${describeSeconds(summary.seconds)}`,
        ...computed.line(),
        ...(await linesOf(usage)),
        `files: ${join(settings.out, 'rollouts.parquet')}, ${join(settings.out, 'rollouts.jsonl')}`,
      ]);
      failOn(summary.outcomes.error);
    });
  },
});
