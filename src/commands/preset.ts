// `mstar preset list|show NAME`: the recipes that come with mstar.
import { stringify } from 'yaml';
import { readPreset } from '../config/load.js';
import { describePreset, listPresets, listScales } from '../config/presets.js';
import { UserError } from '../core/errors.js';
import { printResult, verb } from './result.js';

export default verb({
  command: 'preset <action> [name]',
  describe: 'list the recipes that come with mstar, or show one',
  builder: (yargs) =>
    yargs
      .positional('action', { choices: ['list', 'show'] as const, describe: 'what to do' })
      .positional('name', { type: 'string', describe: 'recipe to show' })
      .example('$0 preset list', 'names, and what each is')
      .example('$0 preset show paper', 'its settings, to read or to begin a file of your own')
      .example('$0 evolve --preset paper-rest-em --set model.path=DIR --set data.file=FILE', 'runs one')
      .example('$0 evolve --preset tiny-rest-em', 'the same row on the embedded model and problems'),
  async handler({ action, name, ...flags }) {
    if (action === 'show') {
      if (name === undefined) throw new UserError('name: missing, wanted a preset as mstar preset list names them');
      const about = (await describePreset(name)).map((line) => `# ${line}\n`).join('');
      const settings = await readPreset(name);
      return printResult(flags, settings, [`${about}${stringify(settings, { lineWidth: 0 }).trimEnd()}`]);
    }
    const scales = await listScales();
    const names = await listPresets();
    const width = Math.max(...names.map((preset) => preset.length));
    const presets: { name: string; about: string }[] = [];
    for (const preset of names) {
      const lines = await describePreset(preset);
      // What the scale is stands with the scale.
      const about = scales.includes(preset) ? lines : lines.slice(-1);
      presets.push({ name: preset, about: about.join(' ') });
    }
    printResult(
      flags,
      presets,
      presets.map(({ name: preset, about }) => `${preset.padEnd(width)}  ${about}`),
    );
  },
});
