// Reads numbers written in Chinese or Japanese characters.
import type { NumberRead } from './number.js';

const DIGITS = new Map<string, number>([
  ...Array.from('零一二三四五六七八九', (sign, i): [string, number] => [sign, i]),
  ['〇', 0],
  ['两', 2],
  ['兩', 2],
]);
const UNITS = new Map([
  ['十', 10],
  ['百', 100],
  ['千', 1000],
]);
const GROUPS = new Map([
  ['万', 1e4],
  ['萬', 1e4],
  ['亿', 1e8],
  ['億', 1e8],
]);

/** Signs of a number; `一` in a word such as `一共` is none. */
const NUMBER = /(?:(?:负|負|マイナス)の?)?[零〇一二两兩三四五六七八九十百千万萬亿億]{1,24}(?![共些样樣般直起定种種])/g;

/** The numbers in Chinese signs, in order: `十二`, `两百零五`, `三万`, `负三`. */
export function findCjkNumbers(text: string): NumberRead[] {
  if (!/[〇\u4e00-\u9fff]/.test(text)) return [];
  return Array.from(text.matchAll(NUMBER), ({ 0: signs, index }) => ({
    value: /^[负負マ]/.test(signs) ? -readSigns(signs.replace(/^.*[负負のス]/, '')) : readSigns(signs),
    percent: false,
    scale: 1,
    start: index,
    end: index + signs.length,
  }));
}

function readSigns(signs: string): number {
  let [total, group, digit] = [0, 0, 0];
  for (const sign of signs) {
    const unit = UNITS.get(sign);
    const big = GROUPS.get(sign);
    if (unit !== undefined) {
      group += (digit || 1) * unit;
      digit = 0;
    } else if (big !== undefined) {
      total += (group + digit || 1) * big;
      [group, digit] = [0, 0];
    } else digit = 10 * digit + (DIGITS.get(sign) as number);
  }
  return total + group + digit;
}
