// `mstar preset list|show NAME`: the recipes that come with mstar.
// Leaves reading them to config/load.ts.
import { readFile } from 'node:fs/promises';
import type { CommandModule } from 'yargs';
import { listPresets, presetFile } from '../config/load.js';
import { UserError } from '../core/errors.js';

interface Arguments {
  readonly action: 'list' | 'show';
  readonly name?: string;
}

const command: CommandModule<object, Arguments> = {
  command: 'preset <action> [name]',
  describe: 'list the recipes that come with mstar, or show one',
  builder: (yargs) =>
    yargs
      .positional('action', { choices: ['list', 'show'] as const, demandOption: true, describe: 'what to do' })
      .positional('name', { type: 'string', describe: 'recipe to show' })
      .example('$0 preset list', 'names, and what each is')
      .example('$0 preset show paper', 'its file, to read or to begin one of your own')
      .example('$0 evolve --preset paper --set model.path=DIR --set data.file=FILE', 'runs it') as never,
  async handler({ action, name }) {
    if (action === 'show') {
      if (name === undefined) throw new UserError('name: missing, wanted a preset as mstar preset list names them');
      process.stdout.write(await readFile(await presetFile(name), 'utf8'));
      return;
    }
    const names = await listPresets();
    const width = Math.max(...names.map((preset) => preset.length));
    for (const preset of names) {
      const [first = ''] = (await readFile(await presetFile(preset), 'utf8')).split('\n');
      console.log(`${preset.padEnd(width)}  ${first.replace(/^# ?/, '')}`);
    }
  },
};

export default command;
