// The kinds of numbers that settings are: counts, shares, temperatures.
import { z } from 'zod';

export const count = (least: number, most = 1e9) => z.number().int().min(least).max(most);
export const share = () => z.number().min(0).max(1);
export const temperature = () => z.number().min(0).max(10);
export const temperatures = () =>
  z
    .array(temperature().gt(0))
    .min(1)
    .max(100)
    .refine((list) => new Set(list).size === list.length, 'a temperature is listed twice, wanted each once');
