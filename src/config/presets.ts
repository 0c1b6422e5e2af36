// The recipes that come with this package: whole ones (assets/presets), and each row of the paper's tables
// (assets/rows) at each scale (assets/scales); what a row needs otherwise at one of them is in assets/rows/SCALE.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/errors.js';

/** Folder that holds package.json, assets/ and the addon, whether this runs from src/ or from dist/. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Names: `demo`, `SCALE`, `SCALE-ROW`. */
export async function listPresets(): Promise<string[]> {
  const { presets, scales, rows } = await names();
  return [...presets, ...scales.flatMap((scale) => [scale, ...rows.map((row) => `${scale}-${row}`)])];
}

/** Names of the scales. */
export async function listScales(): Promise<string[]> {
  return (await names()).scales;
}

/** Recipe files of a preset, the later over the earlier. Throws UserError naming those that there are. */
export async function presetFiles(name: string): Promise<string[]> {
  const { presets, scales, rows } = await names();
  const file = (folder: string, name: string): string => join(packageRoot, 'assets', folder, `${name}.yaml`);
  if (presets.includes(name)) return [file('presets', name)];
  if (scales.includes(name)) return [file('scales', name)];
  const scale = scales.find((one) => name.startsWith(`${one}-`));
  const row = scale && name.slice(scale.length + 1);
  if (scale && row && rows.includes(row)) {
    const own = file(`rows/${scale}`, row);
    return [file('scales', scale), file('rows', row), ...(existsSync(own) ? [own] : [])];
  }
  const all = [...presets, ...scales].join(', ');
  throw new UserError(
    `--preset: ${JSON.stringify(name)}, wanted one of ${all}, or of ${scales.join(' and ')} with one of ${rows.join(', ')}, like ${scales[0]}-${rows[0]}`,
    'ERR_SETTING',
  );
}

/** What a preset is: the first line of each of its files. */
export async function describePreset(name: string): Promise<string[]> {
  const texts = await Promise.all((await presetFiles(name)).map((path) => readFile(path, 'utf8')));
  return texts.map((text) => (text.split('\n')[0] as string).replace(/^# ?/, ''));
}

async function names(): Promise<Record<'presets' | 'scales' | 'rows', string[]>> {
  const namesIn = async (folder: string): Promise<string[]> => {
    const files = await readdir(join(packageRoot, 'assets', folder));
    return files.flatMap((name) => (name.endsWith('.yaml') ? basename(name, '.yaml') : [])).sort();
  };
  return { presets: await namesIn('presets'), scales: await namesIn('scales'), rows: await namesIn('rows') };
}
