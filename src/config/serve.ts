// Settings of a server of one model: how it computes, and what requests may cost.
import { z } from 'zod';
import { keptPath, resolvePath } from './load.js';
import { count } from './numbers.js';
import { evaluateSchema } from './sample.js';

const { device, dtype, threads, deterministic, kvGib, maxImagePixels, minPixels, maxPixels, delimiter, system } =
  evaluateSchema.shape;
const seconds = (least: number) => z.number().min(least).max(86_400);

export const serveSchema = z.strictObject({
  prm: z
    .string()
    .min(1)
    .transform(keptPath)
    .optional()
    .describe('checkpoint folder of a process reward model, which POST /v1/score then asks'),
  name: z.string().min(1).optional().describe('what requests call the model; the last part of its path when left out'),
  host: z.string().min(1).default('127.0.0.1').describe('address to listen at; any but this machine wants an API key'),
  port: count(0, 65535).default(8000).describe('port to listen at; 0 takes a free one'),
  apiKey: z
    .string()
    .min(1)
    .transform(resolvePath)
    .optional()
    .describe('file that holds the key requests must bring; that in MSTAR_API_KEY when left out'),
  maxQueue: count(1, 65536)
    .default(256)
    .describe('requests that are answered or wait at a time; more are refused with 429'),
  maxImages: count(0, 1024).default(16).describe('most pictures in a request'),
  maxBodyMib: count(1, 1024)
    .default(32)
    .describe('longest request, in MiB; pictures in it are a third longer than files'),
  imageRoot: z
    .string()
    .min(1)
    .transform(resolvePath)
    .optional()
    .describe('folder whose pictures requests may name by path or as file: URLs; none when left out'),
  timeout: seconds(1).default(600).describe('longest time for a request, in seconds'),
  grace: seconds(0).default(30).describe('how long requests may go on when the server is asked to end, in seconds'),
  system,
  delimiter,
  ...{ device, dtype, threads, deterministic, kvGib, maxImagePixels, minPixels, maxPixels },
});

export type ServeSettings = z.input<typeof serveSchema>;
