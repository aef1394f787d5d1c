import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyLayer } from '../../../src/layer/index.js';
import { hostileArchives } from '../../golden/layer/hostile.js';
import { requires } from '../../helpers/requires.js';
import { shown } from './overlay-mount.js';
import { END, member, pax, source } from './support.js';
import { look, shape, temporary } from './tree.js';

const file = (name: string, content = '', fields = {}) => member({ name, ...fields }, content);
const dir = (name: string, fields = {}) => member({ name: `${name}/`, typeflag: '5', mode: 0o755, ...fields });

/** A place with something around the target that a hostile archive could reach. */
function surroundings() {
  const outside = temporary();
  const target = path.join(outside, 'target');
  mkdirSync(target);
  writeFileSync(path.join(outside, 'evil'), 'untouched', { mode: 0o600 });
  const seen = () => {
    const { target: _, ...others } = look(outside);
    return Object.fromEntries(Object.entries(others).filter(([name]) => name !== '.' && !name.startsWith('target/')));
  };
  return { outside, target, seen };
}

describe('archives that are refused', () => {
  for (const [name, { archive, code, says, limits = {} }] of Object.entries(hostileArchives)) {
    it.each([1 << 20, 700])(`${name}, in chunks of %d bytes`, async (chunk) => {
      const { outside, target, seen } = surroundings();
      const before = seen();
      const away = ['/evil', '/tmp/evil', '/etc/evil'].map((each) => existsSync(each));
      const open = readdirSync('/proc/self/fd').length;
      const record = { skeleton: path.join(outside, 'skeleton'), replaced: path.join(outside, 'replaced') };
      const failure = expect.objectContaining({ code, message: expect.stringMatching(says) as unknown }) as unknown;
      await expect(applyLayer({ source: source(archive(), chunk), target, limits, record })).rejects.toEqual(failure);
      const { skeleton: _, replaced: __, ...after } = seen();
      expect(Object.fromEntries(Object.entries(after).filter(([each]) => !each.startsWith('replaced/')))).toEqual(
        before,
      );
      expect(away).toEqual(['/evil', '/tmp/evil', '/etc/evil'].map((each) => existsSync(each)));
      expect(['/evil', '/etc/evil'].some((each) => existsSync(each))).toBe(false);
      await expect.poll(() => readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(open);
    });
  }
});

describe('archives that look hostile, and are unpacked', () => {
  it('with absolute names: below the target', async () => {
    const { target, seen } = surroundings();
    const before = seen();
    await applyLayer({ source: source([file('/etc/passwd', 'mine'), dir('//usr'), END]), target });
    expect(shape(target)).toEqual({ etc: 'dir', 'etc/passwd': 'file', usr: 'dir' });
    expect(seen()).toEqual(before);
  });

  it('with the attributes of an overlay: they are a user’s own, and mean nothing', async () => {
    const marks = {
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.trusted.overlay.redirect': '/secret',
      'SCHILY.xattr.trusted.overlay.metacopy': '',
      'SCHILY.xattr.trusted.overlay.whiteout': 'y',
      'SCHILY.xattr.user.overlay.opaque': 'x',
      'SCHILY.xattr.user.overlay.whiteout': 'y',
    };
    const [lower, target] = [temporary(), temporary()];
    await applyLayer({
      source: source([dir('secret'), file('secret/s', 'x'), dir('d'), file('d/below', 'b'), file('f', 'lower'), END]),
      target: lower,
    });
    await applyLayer({
      source: source([pax(marks), dir('d'), pax(marks), file('d/inside', 'i'), pax(marks), file('f', 'upper'), END]),
      target,
      lower: [lower],
    });
    const kept = look(target)['d']?.xattrs ?? {};
    expect(Object.keys(kept).sort()).toEqual([
      'trusted.overlay.overlay.metacopy',
      'trusted.overlay.overlay.opaque',
      'trusted.overlay.overlay.redirect',
      'trusted.overlay.overlay.whiteout',
      'user.overlay.overlay.opaque',
      'user.overlay.overlay.whiteout',
    ]);
    const merged = shown([target, lower]);
    expect(Object.keys(merged).sort()).toEqual(['.', 'd', 'd/below', 'd/inside', 'f', 'secret', 'secret/s']);
    expect(merged['f']?.content).toBe('upper');
    expect(merged['d']?.xattrs?.['trusted.overlay.redirect']).toBe('/secret');
  });

  it('with the same PAX record twice: the later one counts', async () => {
    const target = temporary();
    const twice = member({ name: 'p', typeflag: 'x' }, '10 path=a\n10 path=b\n');
    await applyLayer({ source: source([twice, file('f'), END]), target });
    expect(shape(target)).toEqual({ b: 'file' });
  });

  it('with a NUL in a name: it ends there', async () => {
    const target = temporary();
    await applyLayer({ source: source([file('a\0/../../evil'), END]), target });
    expect(shape(target)).toEqual({ a: 'file' });
  });

  it('with set-user-ID bits on what is no file', async () => {
    const target = temporary();
    const members = [
      dir('d', { mode: 0o7755 }),
      member({ name: 'p', typeflag: '6', mode: 0o7644 }),
      member({ name: 'n', typeflag: '3', mode: 0o7666, devmajor: 1, devminor: 3 }),
      member({ name: 's', typeflag: '2', mode: 0o7777, linkname: 'd' }),
      END,
    ];
    await applyLayer({ source: source(members), target });
    const seen = look(target);
    expect(Object.values(seen).map(({ mode }) => mode)).toEqual(['755', '7755', '7666', '7644', '777']);
  });

  it('with more behind the end than would fit into memory: passed over as it comes', { timeout: 60_000 }, async () => {
    const junk = Buffer.alloc(1 << 20, 'junk');
    const from = (async function* () {
      yield await Promise.resolve(Buffer.concat([file('f', 'x'), END]));
      for (let count = 0; count < 512; count += 1) yield junk;
    })();
    const directory = temporary();
    const target = path.join(directory, 'diff');
    mkdirSync(target);
    const before = process.memoryUsage().rss;
    let most = 0;
    const { uncompressedSize } = await applyLayer({
      source: from,
      target,
      record: { skeleton: path.join(directory, 'skeleton'), replaced: path.join(directory, 'replaced') },
      onProgress: () => (most = Math.max(most, process.memoryUsage().rss)),
    });
    expect(uncompressedSize).toBe((512 << 20) + 2048);
    expect(most - before).toBeLessThan(200 << 20);
    expect(lstatSync(path.join(directory, 'skeleton')).size).toBeLessThan(4 << 20);
  });
});

const users = requires('root', 'build');

describe('devices', () => {
  it.skipIf(users.skip)(users.title('are refused to who may not make them, by name'), () => {
    const directory = temporary();
    chmodSync(directory, 0o777);
    const tar = path.join(directory, 'layer.tar');
    writeFileSync(tar, Buffer.concat([member({ name: 'dev/kmem', typeflag: '3', devmajor: 1, devminor: 2 }), END]));
    mkdirSync(path.join(directory, 'diff'));
    chownSync(path.join(directory, 'diff'), 65534, 65534);
    // Copied, for nobody may reach where we are built.
    execFileSync('cp', ['-r', path.resolve(import.meta.dirname, '../../../dist'), directory]);
    symlinkSync(path.resolve(import.meta.dirname, '../../../node_modules'), path.join(directory, 'node_modules'));
    const script = `
      import { createReadStream } from 'node:fs';
      import { applyLayer } from '${directory}/dist/layer/index.js';
      const source = createReadStream('${tar}');
      await applyLayer({ source, target: '${directory}/diff' }).catch((error) => console.log(error.code, error.message));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toMatch(/^permission tar entry 'dev\/kmem': mknod: .*EPERM/);
  });
});
