// Confinement of picture paths.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageRoot } from '../../../src/data/image-root.js';

let folder: string;
let root: ImageRoot;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'mstar-images-')));
  mkdirSync(path.join(folder, 'root/a'), { recursive: true });
  mkdirSync(path.join(folder, 'root-twin'));
  writeFileSync(path.join(folder, 'root/a/in.png'), 'x');
  writeFileSync(path.join(folder, 'outside.png'), 'x');
  writeFileSync(path.join(folder, 'root-twin/twin.png'), 'x');
  symlinkSync('in.png', path.join(folder, 'root/a/link.png'));
  symlinkSync('../../outside.png', path.join(folder, 'root/a/escape.png'));
  symlinkSync('../root-twin', path.join(folder, 'root/twin'));
  symlinkSync('gone.png', path.join(folder, 'root/a/dangling.png'));
  symlinkSync('loop.png', path.join(folder, 'root/a/loop.png'));
  symlinkSync('root', path.join(folder, 'linked-root'));
  root = new ImageRoot(path.join(folder, 'root'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('ImageRoot', () => {
  it('resolves files and links that stay inside to their real path', () => {
    const real = path.join(folder, 'root/a/in.png');
    expect(root.resolve('a/in.png')).toBe(real);
    expect(root.resolve('./a/../a/in.png')).toBe(real);
    expect(root.resolve('a/link.png')).toBe(real);
    expect(new ImageRoot(path.join(folder, 'linked-root')).resolve('a/in.png')).toBe(real);
  });

  it.each([
    ['../outside.png', 'leaves the image root'],
    ['a/../../root-twin/twin.png', 'leaves the image root'],
    ['..', 'leaves the image root'],
    ['.', 'leaves the image root'],
    ['/etc/hostname', 'an absolute path out of the image root'],
    ['a/escape.png', 'a link out of the image root'],
    ['twin/twin.png', 'a link out of the image root'],
    ['a/none.png', 'no such file'],
    ['none/in.png', 'no such file'],
    ['a/dangling.png', 'no such file'],
    ['a/loop.png', 'ELOOP'],
    ['a', 'not a regular file'],
    ['a/in.png\0.jpg', 'a NUL byte'],
  ])('refuses %j', (image, found) => {
    expect(root.resolve(image)).toMatchObject({ found });
  });

  it('refuses a root that is missing or no folder', () => {
    expect(() => new ImageRoot(path.join(folder, 'none'))).toThrow('image root: no such file, wanted a folder');
    expect(() => new ImageRoot(path.join(folder, 'outside.png'))).toThrow('image root: not a folder');
  });
});
