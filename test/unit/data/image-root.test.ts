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
  it('finds a folder that was missing before', () => {
    expect(root.resolve('late/in.png')).toMatchObject({ found: 'no such file' });
    mkdirSync(path.join(folder, 'root/late'));
    writeFileSync(path.join(folder, 'root/late/in.png'), 'x');
    expect(root.resolve('late/in.png')).toBe(path.join(folder, 'root/late/in.png'));
  });

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

describe('a cache of Hugging Face, and folders that are links', () => {
  let hub: string;
  beforeAll(() => {
    hub = realpathSync(mkdtempSync(path.join(tmpdir(), 'mstar-hub-')));
    for (const name of ['blobs', 'snapshots/abc/images', 'elsewhere/coco', 'other'])
      mkdirSync(path.join(hub, name), { recursive: true });
    for (const name of ['blobs/9f3', 'elsewhere/coco/1.jpg', 'other/2.jpg']) writeFileSync(path.join(hub, name), 'x');
    symlinkSync('../../../blobs/9f3', path.join(hub, 'snapshots/abc/images/1.png'));
    symlinkSync('../../elsewhere/coco', path.join(hub, 'snapshots/abc/coco'));
    symlinkSync('../../other', path.join(hub, 'snapshots/abc/other'));
    symlinkSync('elsewhere', path.join(hub, 'elsewhere-link'));
  });
  afterAll(() => rmSync(hub, { recursive: true }));
  const snapshot = () => path.join(hub, 'snapshots/abc');

  it('are refused with the flag that lets them in, and read with it', () => {
    const refused = new ImageRoot(snapshot()).resolve('images/1.png');
    expect(refused).toMatchObject({
      found: 'a link out of the image root',
      wanted: expect.stringMatching(/--link-root/),
    });
    const one = new ImageRoot(snapshot(), [path.join(hub, 'blobs')]);
    expect(one.resolve('images/1.png')).toBe(path.join(hub, 'blobs/9f3'));
    expect(one.resolve('coco/1.jpg')).toMatchObject({ found: 'a link out of the image root' });
    const both = new ImageRoot(snapshot(), [path.join(hub, 'blobs'), path.join(hub, 'elsewhere-link')]);
    expect(both.resolve('coco/1.jpg')).toBe(path.join(hub, 'elsewhere/coco/1.jpg'));
    expect(both.resolve('other/2.jpg')).toMatchObject({ found: 'a link out of the image root' });
    expect(both.resolve('../../other/2.jpg')).toMatchObject({ found: 'leaves the image root' });
  });

  it('absolute paths are read below the root or a link root, by either of its names', () => {
    const plain = new ImageRoot(path.join(hub, 'elsewhere-link'));
    const real = path.join(hub, 'elsewhere/coco/1.jpg');
    expect(plain.resolve(real)).toBe(real);
    expect(plain.resolve(path.join(hub, 'elsewhere-link/coco/1.jpg'))).toBe(real);
    expect(plain.resolve(path.join(hub, 'elsewhere/../other/2.jpg'))).toMatchObject({
      found: expect.stringMatching(/absolute/),
    });
    expect(plain.resolve(path.join(hub, 'other/2.jpg'))).toMatchObject({ found: expect.stringMatching(/absolute/) });
    expect(new ImageRoot(snapshot(), [path.join(hub, 'elsewhere')]).resolve(real)).toBe(real);
  });

  it('a link root that is not a folder is refused by its own name', () => {
    expect(() => new ImageRoot(snapshot(), [path.join(hub, 'none')])).toThrow(
      'none: link root: no such file, wanted a folder',
    );
  });
});
