import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeLayer } from '../../../src/layer/index.js';
import type { WriteLayerOptions } from '../../../src/layer/index.js';
import { assembled } from './assembled.js';
import { unpack } from './support.js';
import { changed, made, shown } from './overlay-mount.js';
import { apply, look, temporary } from './tree.js';

async function written(options: WriteLayerOptions) {
  const chunks: Buffer[] = [];
  const result = await writeLayer({ ...options, sink: (chunk) => void chunks.push(Buffer.from(chunk)) });
  return { ...result, tar: Buffer.concat(chunks) };
}

const LOWER = `
  umask 022; mkdir -p etc/sub usr/share/doc usr/share/man; echo root > etc/passwd; echo hosts > etc/hosts
  echo 1 > usr/share/doc/1; echo 2 > usr/share/doc/2; echo m > usr/share/man/m; echo h > h1; ln h1 h2
  find . -exec touch -h -d '2020-01-01 00:00:00.5' {} +
`;

const changes: Record<string, string> = {
  'all types with all attributes': `
    mkdir -p n/d; chmod 2711 n/d; chown 3000000:7 n/d
    echo x > n/f; chown 5:6 n/f; chmod 4755 n/f; setfattr -n user.a -v b n/f; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 n/f
    ln -s '../etc/passwd' n/l; mkfifo n/p; mknod n/c c 1 3; mknod n/b b 259 300; ln n/f n/hard; touch -d '1960-01-01 00:00:00.25' n/p
    setfattr -n trusted.mine -v 1 n/d; : > n/empty; truncate -s 100000 n/sparse; echo end >> n/sparse`,
  deletions: 'rm etc/hosts; rm -r usr/share/doc; rm h1',
  replacements:
    'rm -r usr/share/doc; echo x > usr/share/doc; rm etc/passwd; mkdir etc/passwd; echo y > etc/passwd/y; ln -sfn x etc/hosts',
  'an opaque directory': 'rm -r usr/share; mkdir usr/share; echo n > usr/share/n',
  'renamed directories':
    'mv usr/share/doc usr/share/docs; mv usr/share/man etc/sub/man; echo 3 > etc/sub/man/3; rm usr/share/docs/1',
  'directories that changed places': 'mv usr/share/doc t; mv usr/share/man usr/share/doc; mv t usr/share/man',
  'metadata-only changes of files':
    'chmod 600 etc/passwd; chown 5 etc/hosts; touch etc/hosts; mv usr/share/doc/1 usr/share/one; chmod 1 usr/share/one',
  'linked files': 'echo x >> h1; ln h1 h3; echo y >> etc/passwd; ln etc/passwd etc/sub/passwd',
  'names of every kind':
    "echo x > $(printf 'n\\377\\nx'); mkdir caf$(printf '\\303\\251'); echo y > .hidden; echo z > $(printf 'l%.0s' $(seq 255)); mkdir -p $(printf 'd%.0s' $(seq 200))/$(printf 'e%.0s' $(seq 200))",
  nothing: 'true',
};

describe('writeLayer', () => {
  for (const [what, change] of Object.entries(changes)) {
    it(`writes a layer that shows the same tree: ${what}`, async () => {
      const lower = made(LOWER);
      const { upper, seen } = changed([lower], change);
      const record = { skeleton: path.join(temporary(), 'skeleton') };
      const { tar, diffId, size } = await written({ upper: [upper], lower: [lower], record });
      expect(diffId).toBe(`sha256:${createHash('sha256').update(tar).digest('hex')}`);
      expect(size).toBe(tar.length);
      const { target, diffId: applied } = await apply(tar, { lower: [lower] });
      expect(applied).toBe(diffId);
      expect(shown([target, lower])).toEqual(seen);
      // Metadata-only copies and renamed directories have their content below.
      const again = await assembled({ ...record, replaced: '/nonexistent', directories: [upper, lower], diffId });
      expect(again.equals(tar)).toBe(true);
      // Writing what was unpacked gives the same bytes: apply and write are inverse.
      expect((await written({ upper: [target], lower: [lower] })).diffId).toBe(diffId);
    });
  }

  it('writes a whole tree when there is nothing below', async () => {
    const tree = made(LOWER);
    const { target } = await apply((await written({ upper: [tree], lower: [] })).tar);
    expect(look(target)).toEqual(look(tree));
  });

  it('puts parents first, then whiteouts, then the other names, and links after what they link to', async () => {
    const lower = made(LOWER);
    const { upper } = changed(
      [lower],
      'rm etc/passwd; echo x > etc/a; ln etc/a etc/b; rm -r usr/share/man; touch -r h1 etc usr/share',
    );
    const entries = await unpack((await written({ upper: [upper], lower: [lower] })).tar);
    expect(entries.map(({ path: name, type, linkTarget }) => [name, type, linkTarget])).toEqual([
      ['etc/', 'directory', ''],
      ['etc/.wh.passwd', 'file', ''],
      ['etc/a', 'file', ''],
      ['etc/b', 'hardlink', 'etc/a'],
      ['usr/', 'directory', ''],
      ['usr/share/', 'directory', ''],
      ['usr/share/.wh.man', 'file', ''],
    ]);
  });

  it('counts what it writes', async () => {
    const lower = made(LOWER);
    const { upper } = changed([lower], 'echo four > etc/sub/n; ln etc/sub/n etc/sub/o; touch -r h1 etc/sub');
    expect(await writeLayer({ upper: [upper], lower: [lower] })).toMatchObject({ entries: 4, contentSize: 5 });
    expect(await writeLayer({ upper: [lower], lower: [lower] })).toMatchObject({ entries: 0, size: 1024 });
  });

  it('gives equal bytes for equal trees, whatever the order they were made in', async () => {
    const make = (names: string[]) =>
      made(`for f in ${names.join(' ')}; do echo $f > $f; done; find . -exec touch -d @5 {} +`);
    const [one, other] = [make(['a', 'b', 'c']), make(['c', 'a', 'b'])];
    const id = async (directory: string) => (await writeLayer({ upper: [directory], lower: [] })).diffId;
    expect(await id(one)).toBe(await id(other));
  });

  it('dates what is later than SOURCE_DATE_EPOCH to it', async () => {
    const tree = made("echo x > old; echo x > new; touch -d '@100.5' old; touch -d '@200.5' new; touch -d @100 .");
    const entries = await unpack((await written({ upper: [tree], lower: [], sourceDateEpoch: 150 })).tar);
    expect(entries.map(({ path: name, mtime }) => [name, mtime])).toEqual([
      ['./', { sec: 100, nsec: 0 }],
      ['new', { sec: 150, nsec: 0 }],
      ['old', { sec: 100, nsec: 500_000_000 }],
    ]);
  });

  it('copies a file that has got a second name, where the first has not changed', async () => {
    const lower = made(LOWER);
    const { upper } = changed([lower], 'ln etc/passwd etc/sub/passwd');
    const entries = await unpack((await written({ upper: [upper], lower: [lower] })).tar);
    expect(entries.find(({ path: name }) => name === 'etc/sub/passwd')).toMatchObject({
      type: 'file',
      content: 'root\n',
    });
    expect(entries.map(({ path: name }) => name)).toEqual(['etc/', 'etc/sub/', 'etc/sub/passwd']);
  });

  it('leaves sockets out', async () => {
    const tree = made('python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'s\')"; echo x > f');
    expect((await unpack((await written({ upper: [tree], lower: [] })).tar)).map((entry) => entry.path)).toEqual([
      './',
      'f',
    ]);
  });

  it('escapes no attribute and shows no mark of the overlay', async () => {
    const lower = made(LOWER);
    const { upper } = changed(
      [lower],
      'mv usr/share/doc etc/doc; chmod 700 etc/hosts; rm -r usr/share/man; mkdir usr/share/man',
    );
    execFileSync('setfattr', ['-n', 'trusted.overlay.overlay.opaque', '-v', 'mine', path.join(upper, 'etc/hosts')]);
    const entries = await unpack((await written({ upper: [upper], lower: [lower] })).tar);
    const attributes = entries
      .filter(({ xattrs }) => xattrs.size > 0)
      .map(({ path: name, xattrs }) => [name, Object.fromEntries(xattrs)]);
    expect(attributes).toEqual([['etc/hosts', { 'trusted.overlay.opaque': Buffer.from('mine') }]]);
  });

  it('waits for its sink, and passes its error on', async () => {
    const tree = made('head -c 5000000 /dev/zero > f');
    let busy = false;
    const { size } = await writeLayer({
      upper: [tree],
      lower: [],
      sink: async () => {
        expect(busy).toBe(false);
        busy = true;
        await new Promise((resolve) => setTimeout(resolve, 1));
        busy = false;
      },
    });
    expect(size).toBeGreaterThan(5_000_000);
    await expect(
      writeLayer({ upper: [tree], lower: [], sink: () => Promise.reject(new Error('disk full')) }),
    ).rejects.toThrow('disk full');
  });

  it('writes what GNU tar unpacks to the same tree', async () => {
    const tree = made(`${LOWER}${changes['all types with all attributes']!}`);
    const out = temporary();
    const archive = path.join(out, 'layer.tar');
    writeFileSync(archive, (await written({ upper: [tree], lower: [] })).tar);
    const target = path.join(out, 'target');
    mkdirSync(target);
    execFileSync('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', archive, '-C', target]);
    expect(look(target)).toEqual(look(tree));
  });

  it('reads what GNU tar packs, in all its formats', async () => {
    const tree = made(
      `${LOWER}echo x > $(printf 'l%.0s' $(seq 200)); chown 12345:54321 etc/hosts; find . -exec touch -h -d @1000 {} +`,
    );
    for (const format of ['posix', 'gnu', 'ustar', 'v7'].map((name) => `--format=${name}`)) {
      const skip = /ustar|v7/.test(format) ? ['--exclude=lll*'] : [];
      const tar = execFileSync('tar', [format, ...skip, '--numeric-owner', '-C', tree, '-c', '.'], { maxBuffer: 1e8 });
      const seen = look((await apply(tar)).target);
      const { ['l'.repeat(200)]: long, ...others } = look(tree);
      const expected = skip.length > 0 ? others : { ...others, ['l'.repeat(200)]: long };
      expect(seen).toEqual(expected);
    }
  });
});
