// The kinds of numbers that settings are: counts, shares, temperatures.
import { z } from 'zod';
import { LEAST_TEMPERATURE } from '../core/types.js';

export const count = (least: number, most = 1e9) => z.number().int().min(least).max(most);
export const share = () => z.number().min(0).max(1);
export const temperature = (most = 10) =>
  z
    .number()
    .min(0)
    .max(most)
    .refine((value) => value === 0 || value >= LEAST_TEMPERATURE, `above 0, wanted 0 or at least ${LEAST_TEMPERATURE}`);
export const temperatures = () =>
  z
    .array(temperature().gt(0))
    .min(1)
    .max(100)
    .refine((list) => new Set(list).size === list.length, 'a temperature is listed twice, wanted each once');
