import { linkSync, mkdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { Origins } from '../../../src/overlay/origin.js';
import { LayerDir, RealDir } from '../../../src/stack/index.js';
import { AT_FDCWD, Stat, getxattr, mount, must, setxattr, statx, umount2 } from '../../../src/sys/index.js';
import { TRUSTED, USER } from '../../../src/whiteout/index.js';
import { mountKernelOverlay } from '../../helpers/kernel-overlay.js';
import { requires } from '../../helpers/requires.js';
import { tempDir } from '../../helpers/tmp.js';

const gate = requires('root', 'trusted-xattr', 'kernel-overlay');
const scratch = tempDir('origin');
const stat = new Stat();
afterAll(() => {
  scratch.remove();
});

function inoOf(path: string): bigint {
  const own = new Stat();
  must(statx(AT_FDCWD, path, own), 'stat', path);
  return own.ino;
}

/** ext4 here has no uuid, tmpfs always has one. */
describe.skipIf(gate.skip).each(['tmpfs', 'default'])(gate.title('an origin on %s'), (kind) => {
  const base = `${scratch.path}/${kind}`;
  const at = (name: string): string => `${base}/${name}`;
  mkdirSync(base);
  if (kind === 'tmpfs') must(mount({ source: 't', target: base, type: 'tmpfs', flags: 0, data: '' }), 'mount', base);
  for (const name of ['lower', 'upper', 'work', 'mnt']) mkdirSync(at(name));
  writeFileSync(at('lower/file'), 'content');
  mkdirSync(at('lower/dir'));
  linkSync(at('lower/file'), at('lower/link'));
  const lower = new LayerDir(at('lower'), 1);
  const dir = new RealDir(lower);
  afterAll(() => {
    lower.close();
  });
  const origins = new Origins([lower], TRUSTED);

  test.each(['file', 'dir'])('of a %s leads back to it, also after a rename', (name) => {
    const encoded = origins.encode(dir, name);
    writeFileSync(at('upper/copy'), '');
    must(setxattr(at('upper/copy'), 'trusted.overlay.origin', encoded!), 'setxattr');
    expect(origins.resolve(at('upper/copy'), stat)).toBe(true);
    expect(stat.ino).toBe(inoOf(at(`lower/${name}`)));
    renameSync(at(`lower/${name}`), at('lower/renamed'));
    expect(origins.resolve(at('upper/copy'), stat)).toBe(true);
    renameSync(at('lower/renamed'), at(`lower/${name}`));
    expect(origins.readHex(at('upper/copy'))).toBe(encoded!.toString('hex'));
  });

  test('is the same for all hard links of a file', () => {
    expect(origins.encode(dir, 'link')).toEqual(origins.encode(dir, 'file'));
    expect(origins.encode(dir, 'dir')).not.toEqual(origins.encode(dir, 'file'));
    expect(origins.encode(dir, 'missing')).toBeUndefined();
  });

  test('is what the kernel writes at its own copy-up, byte by byte', () => {
    const data = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')},index=on`;
    mountKernelOverlay(at('mnt'), data);
    onTestFinished(() => {
      umount2(at('mnt'));
    });
    writeFileSync(at('mnt/file'), 'more', { flag: 'a' });
    const written = getxattr(at('upper/file'), 'trusted.overlay.origin');
    expect(written).toEqual(origins.encode(dir, 'file'));
    expect(origins.resolve(at('upper/file'), stat)).toBe(true);
    expect(stat.ino).toBe(inoOf(at('lower/file')));
  });

  test('of a file that is gone leads nowhere', () => {
    writeFileSync(at('lower/gone'), '');
    writeFileSync(at('upper/of-gone'), '');
    setxattr(at('upper/of-gone'), 'trusted.overlay.origin', origins.encode(dir, 'gone')!);
    unlinkSync(at('lower/gone'));
    expect(origins.resolve(at('upper/of-gone'), stat)).toBe(false);
  });

  test('is kept in the namespace of the mount', () => {
    writeFileSync(at('upper/user'), '');
    setxattr(at('upper/user'), 'user.overlay.origin', origins.encode(dir, 'file')!);
    expect(origins.resolve(at('upper/user'), stat)).toBe(false);
    expect(new Origins([lower], USER).resolve(at('upper/user'), stat)).toBe(true);
  });

  const encoded = (): Buffer => Buffer.from(origins.encode(dir, 'file')!);
  test.each<[string, (origin: Buffer) => Uint8Array]>([
    ['nothing', () => Buffer.alloc(0)],
    ['a header alone', (o) => o.subarray(0, 21)],
    ['another version', (o) => (o.writeUInt8(1, 0), o)],
    ['another magic', (o) => (o.writeUInt8(0, 1), o)],
    ['another file system', (o) => (o.writeUInt8(o[5]! ^ 1, 5), o)],
    ['a length that ends within the header', (o) => (o.writeUInt8(3, 2), o)],
    ['a handle of 200 bytes', (o) => Buffer.concat([(o.writeUInt8(221, 2), o.subarray(0, 21)), Buffer.alloc(200, 1)])],
    ['text', () => Buffer.from('x'.repeat(60))],
  ])('of %s is not followed', (_what, spoil) => {
    writeFileSync(at('upper/spoiled'), '');
    must(setxattr(at('upper/spoiled'), 'trusted.overlay.origin', spoil(encoded())), 'setxattr');
    expect(origins.resolve(at('upper/spoiled'), stat)).toBe(false);
  });

  // tmpfs does not look at the type.
  if (kind === 'tmpfs') return;
  test('of an unknown type of handle is not followed', () => {
    const unknown = encoded();
    unknown.writeUInt8(0x77, 4);
    writeFileSync(at('upper/unknown'), '');
    must(setxattr(at('upper/unknown'), 'trusted.overlay.origin', unknown), 'setxattr');
    expect(origins.resolve(at('upper/unknown'), stat)).toBe(false);
  });
});
