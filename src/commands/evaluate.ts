// `mstar evaluate`: one greedy answer to every problem of a data set, graded.
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { type EvaluateSettings, evaluateSchema } from '../config/sample.js';
import { describeSeconds, openDisplay } from '../run/terminal.js';
import { percent } from './recipe.js';
import { describeOutcomes, schemaFlags, settingsOf } from './sample-flags.js';
import { stopSignal } from './stop.js';

const command: CommandModule<object, Record<string, unknown>> = {
  command: 'evaluate',
  describe: 'answer every problem of a data set greedily and grade the answers',
  builder: (yargs) =>
    schemaFlags(yargs, evaluateSchema)
      .example(
        'mstar evaluate --model DIR --data problems.json --image-root data_images --out runs/eval',
        'all problems',
      )
      .example(
        'mstar evaluate --model DIR --data problems.json --out runs/quick --limit 50 --max-tokens 64',
        'a quick look',
      ) as never,
  async handler(flags) {
    const settings = settingsOf<EvaluateSettings>(flags, evaluateSchema);
    const display = openDisplay(process.stderr);
    const { evaluate } = await import('../jobs.js');
    const { outcomes, all, bySource, seconds } = await evaluate(settings, { display, signal: stopSignal(display) });
    const print = (line: string): unknown => process.stdout.write(`${line}\n`);
    print(describeOutcomes(`${all.problems} problems`, outcomes));
    print(
      `accuracy ${percent(all.accuracy)} (${percent(all.low)} to ${percent(all.high)}) in ${describeSeconds(seconds)}`,
    );
    for (const [source, { problems, accuracy }] of Object.entries(bySource)) {
      print(`  ${source.padEnd(20)} ${String(problems).padStart(6)}  ${percent(accuracy)}`);
    }
    print(`files: ${join(settings.out, 'responses.jsonl')}, ${join(settings.out, 'summary.json')}`);
  },
};

export default command;
