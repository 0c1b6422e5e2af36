// Opens the models of a server and starts it.
import { basename } from 'node:path';
import type { z } from 'zod';
import { isOnHub } from '../config/load.js';
import type { serveSchema } from '../config/serve.js';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/files.js';
import { isLoopback } from '../core/loopback.js';
import { ImageRoot } from '../data/image-root.js';
import { createHost } from '../engine/host.js';
import { findPlaces } from '../hub/places.js';
import type { Display } from '../run/terminal.js';
import { type Serving, serveModels } from '../serve/server.js';

const MAX_KEY_BYTES = 4096;

/**
 * Serves until it is closed.
 * @throws UserError on settings, models or an address that cannot be used
 */
export async function serve(
  model: string,
  settings: z.output<typeof serveSchema>,
  display: Display,
): Promise<Serving & { readonly name: string }> {
  const { prm, host, port, system, maxImagePixels, imageRoot, maxImages, maxQueue, delimiter } = settings;
  const { name = nameOf(model) } = settings;
  const apiKey = await keyOf(settings.apiKey);
  if (apiKey === undefined && !isLoopback(host))
    throw new UserError(
      `--host: ${host}, which other machines reach, and no API key, wanted --api-key FILE or MSTAR_API_KEY`,
      'ERR_SETTING',
    );
  const root = imageRoot === undefined ? undefined : new ImageRoot(imageRoot);
  const places = await findPlaces([model, prm], { display });
  const { device, dtype, threads, deterministic, kvGib, minPixels, maxPixels } = settings;
  const models = createHost({
    ...{ device, dtype, threads, deterministic, kvGib, minPixels, maxPixels, maxImagePixels },
    prompt: { solve: '{question}', givenAnswer: '{question}', ...(system !== undefined && { system }) },
  });
  const policy = await models.openPolicy(places.of(model));
  try {
    const scorer = prm === undefined ? undefined : await models.openScorer(places.of(prm), 'given');
    const serving = await serveModels(
      { policy, scorer },
      {
        ...{ name, host, port, apiKey, maxQueue, delimiter },
        pictures: { most: maxImages, root },
        maxBodyBytes: settings.maxBodyMib * 2 ** 20,
        timeout: settings.timeout * 1000,
        grace: settings.grace * 1000,
        onFault: (message) => display.say(`warning: ${message}`),
      },
    );
    return { ...serving, name };
  } catch (error) {
    await policy.dispose();
    throw error;
  }
}

function nameOf(model: string): string {
  return isOnHub(model) ? model.slice(model.indexOf(':') + 1) : basename(model.replace(/^mstar:/, ''));
}

/** From a file, else from the environment: never from the command line, which other users of the machine can read. */
async function keyOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return process.env.MSTAR_API_KEY?.trim() || undefined;
  const key = Buffer.from(await readRegularFile(file, MAX_KEY_BYTES))
    .toString('utf8')
    .trim();
  if (key === '') throw new UserError(`${file}: file: empty, wanted a key`, 'ERR_SETTING');
  return key;
}
