// How a data set is read: one set of settings for every verb that reads data, and for `data` and `data.outOfDomain` of
// a recipe.
import { z } from 'zod';

/** The settings as one checks them; `path` is the type of a path. */
export function readingSettings<T extends z.ZodType<string, string>>(path: () => T) {
  return {
    imageRoot: path()
      .optional()
      .describe('folder that holds the pictures, none outside it is read; the folder of the data when left out'),
    linkRoot: z
      .union([path(), z.array(path()).min(1)])
      .transform((roots) => [roots].flat() as string[])
      .optional()
      .describe(
        'another folder that links under the image root may lead to, as in a cache of Hugging Face; as often as needed',
      ),
    format: z
      .string()
      .min(1)
      .optional()
      .describe('format of the data, as mstar data --help lists them; told by the contents when left out'),
    columns: z
      .union([z.string().min(1), z.record(z.string(), z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]))])
      .transform(toColumns)
      .optional()
      .describe('columns of a flat table by what they hold: question=prompt,answer=label,image=img (docs/data.md)'),
    hints: z
      .enum(['kept', 'none', 'mathvista'])
      .optional()
      .describe(
        "hint line of a question, which names the kind of its answer; kept: as the data has it (the default), none: taken out, mathvista: MathVista's for every question",
      ),
  };
}

/** What a column holds to the names of the columns. */
function toColumns(
  given: string | Readonly<Record<string, string | readonly string[]>>,
  context: z.RefinementCtx,
): Record<string, string[]> {
  if (typeof given !== 'string')
    return Object.fromEntries(Object.entries(given).map(([role, names]) => [role, [names].flat()]));
  const columns: Record<string, string[]> = {};
  for (const pair of given.split(',')) {
    const [role = '', ...name] = pair.split('=');
    const column = name.join('=').trim();
    if (role.trim() === '' || column === '') {
      const message = `${JSON.stringify(pair)}, wanted pairs like question=prompt,answer=label`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    columns[role.trim()] = [...(columns[role.trim()] ?? []), column];
  }
  return columns;
}
