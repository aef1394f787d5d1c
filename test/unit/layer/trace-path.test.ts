import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { tracePath } from '../../../src/layer/index.js';
import { END, member } from './support.js';
import { changed, made } from './overlay-mount.js';
import { apply, look } from './tree.js';

const LOWER = `
  umask 022; mkdir -p etc/sub usr/share/doc/a usr/share/man; echo root > etc/passwd; echo hosts > etc/hosts; ln -s hosts etc/link
  echo 1 > usr/share/doc/a/1; echo m > usr/share/man/m; ln -s usr/share share; ln -s /etc usr/absolute; ln -s loop loop
  ln -s ../../../../etc/sub/.. usr/share/up
`;

/** Each entry as `layer status path`, layers counted from the top. */
function trace(directories: readonly string[], name: string): string[] | undefined {
  return tracePath(directories, name)?.entries.map(({ layer, status, path: at }) => `${layer} ${status} ${at}`);
}

function over(lower: readonly string[], change: string): string[] {
  return [changed(lower, change).upper, ...lower];
}

describe('tracePath', () => {
  it('tells the layer of a file and those it hides', () => {
    const bottom = made(LOWER);
    const stack = over(over([bottom], 'echo 2 >> etc/hosts'), 'echo 3 >> etc/hosts; echo x > new');
    expect(trace(stack, 'etc/hosts')).toEqual(['0 shown etc/hosts', '1 hidden etc/hosts', '2 hidden etc/hosts']);
    expect(trace(stack, '/etc//passwd')).toEqual(['2 shown etc/passwd']);
    expect(trace(stack, 'new')).toEqual(['0 shown new']);
    expect(trace(stack, 'nothing')).toBeUndefined();
    expect(trace(stack, 'etc/hosts/below')).toBeUndefined();
    expect(tracePath(stack, 'etc/hosts')?.entries[0]?.facts).toMatchObject({ type: 'file', size: 10 });
  });

  it('tells all layers of a directory', () => {
    const stack = over([made(LOWER)], 'chmod 700 etc/sub; echo x > usr/share/man/new');
    expect(trace(stack, 'etc/sub')).toEqual(['0 shown etc/sub', '1 merged etc/sub']);
    expect(trace(stack, 'usr/share/doc')).toEqual(['1 shown usr/share/doc']);
    expect(trace(stack, '')).toEqual(['0 shown ', '1 merged ']);
  });

  it('tells who deleted a path, or a directory it was in', () => {
    const stack = over(over([made(LOWER)], 'echo 2 >> etc/hosts'), 'rm etc/hosts; rm -r usr/share');
    expect(trace(stack, 'etc/hosts')).toEqual(['0 deleted etc/hosts', '1 hidden etc/hosts', '2 hidden etc/hosts']);
    expect(trace(stack, 'usr/share/doc/a/1')).toEqual(['0 deleted usr/share', '2 hidden usr/share/doc/a/1']);
    expect(trace(stack, 'usr/share/none')).toBeUndefined();
  });

  it('tells what an opaque directory, or one that took the place of something, hides', () => {
    const bottom = made(LOWER);
    const opaque = over([bottom], 'rm -r usr/share/doc; mkdir usr/share/doc; echo n > usr/share/doc/n');
    expect(trace(opaque, 'usr/share/doc')).toEqual([
      '0 shown usr/share/doc',
      '0 cut usr/share/doc',
      '1 hidden usr/share/doc',
    ]);
    expect(trace(opaque, 'usr/share/doc/a/1')).toEqual(['0 cut usr/share/doc', '1 hidden usr/share/doc/a/1']);
    const replaced = over([bottom], 'rm -r usr/share; echo x > usr/share');
    expect(trace(replaced, 'usr/share')).toEqual(['0 shown usr/share', '1 hidden usr/share']);
    expect(trace(replaced, 'usr/share/doc/a/1')).toEqual(['0 cut usr/share', '1 hidden usr/share/doc/a/1']);
  });

  it('follows renamed directories and copies of attributes alone', () => {
    const stack = over([made(LOWER)], 'mv usr/share/doc usr/share/docs; mv usr/share/man etc/man; chmod 600 etc/hosts');
    expect(trace(stack, 'usr/share/docs/a/1')).toEqual(['1 shown usr/share/doc/a/1']);
    expect(trace(stack, 'usr/share/docs')).toEqual(['0 shown usr/share/docs', '1 merged usr/share/doc']);
    expect(trace(stack, 'etc/man/m')).toEqual(['1 shown usr/share/man/m']);
    expect(trace(stack, 'usr/share/man/m')).toEqual(['0 deleted usr/share/man', '1 hidden usr/share/man/m']);
    expect(trace(stack, 'etc/hosts')).toEqual(['0 attributes etc/hosts', '1 content etc/hosts']);
  });

  it('resolves symlinks on the way inside the tree, and not the last one', () => {
    const stack = over([made(LOWER)], 'true');
    expect(trace(stack, 'share/man/m')).toEqual(['1 shown usr/share/man/m']);
    expect(trace(stack, 'usr/absolute/passwd')).toEqual(['1 shown etc/passwd']);
    expect(trace(stack, 'usr/share/up/passwd')).toEqual(['1 shown etc/passwd']);
    expect(trace(stack, 'usr/../../etc/./passwd')).toEqual(['1 shown etc/passwd']);
    expect(trace(stack, 'etc/link')).toEqual(['1 shown etc/link']);
    expect(trace(stack, 'loop/x')).toBeUndefined();
  });

  it('reads the marks of unpacked archives', async () => {
    const bottom = made(LOWER);
    const archive = [member({ name: 'etc/.wh.hosts' }), member({ name: 'usr/share/.wh..wh..opq' }), END];
    const { target } = await apply(archive, { lower: [bottom] });
    expect(trace([target, bottom], 'etc/hosts')).toEqual(['0 deleted etc/hosts', '1 hidden etc/hosts']);
    const raw = made('mkdir -p usr/share etc; : > usr/share/.wh..wh..opq; : > etc/.wh.hosts');
    expect(trace([raw, bottom], 'etc/hosts')).toEqual(['0 deleted etc/hosts', '1 hidden etc/hosts']);
    expect(trace([raw, bottom], 'usr/share/doc')).toEqual(['0 cut usr/share', '1 hidden usr/share/doc']);
  });

  it('names, for every path of a mount, a layer file with what the mount shows', () => {
    const first = over([made(LOWER)], 'mv usr/share/doc etc/doc; echo x >> etc/hosts; rm etc/passwd; mkdir -p a/b/c');
    const { upper, seen } = changed(first, 'mv etc/doc/a moved; chmod 640 etc/hosts; rm -r usr; mkdir usr; mv a/b b');
    const stack = [upper, ...first];
    for (const [name, { type, size, content }] of Object.entries(seen)) {
      const { entries } = tracePath(stack, name === '.' ? '' : name)!;
      const answer = entries[0]!;
      expect([name, answer.status]).toEqual([name, expect.stringMatching(/^(shown|attributes)$/)]);
      expect(answer.facts?.type).toBe(type === 'dir' ? 'directory' : type);
      if (content === undefined) continue;
      const holder = entries.find(({ status }) => status === 'content') ?? answer;
      expect(readFileSync(path.join(stack[holder.layer]!, holder.path), 'latin1')).toBe(content);
      expect(answer.facts?.size).toBe(size);
    }
    const known = new Set(Object.keys(seen));
    for (const layer of stack) {
      for (const [name, { device }] of Object.entries(look(layer))) {
        if (known.has(name) || device !== undefined) continue;
        const answer = tracePath(stack, name)?.entries;
        expect(answer?.[0]?.status).toMatch(/^(deleted|cut)$/);
        expect(answer?.some(({ status }) => status === 'hidden')).toBe(true);
      }
    }
  });
});
