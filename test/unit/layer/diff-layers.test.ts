import { describe, expect, it } from 'vitest';
import { diffLayers } from '../../../src/layer/index.js';
import { END, member } from './support.js';
import { changed, made } from './overlay-mount.js';
import { apply } from './tree.js';

const LETTERS = { added: 'A', modified: 'C', deleted: 'D' } as const;

function lines(upper: readonly string[], lower: readonly string[]): string[] {
  return [...diffLayers({ upper, lower })].map(({ kind, path }) => `${LETTERS[kind]} /${path}`);
}

const LOWER = `
  umask 022; mkdir -p etc/sub usr/share/doc/a usr/share/man; echo root > etc/passwd; echo hosts > etc/hosts; ln -s hosts etc/link
  echo 1 > usr/share/doc/a/1; echo 2 > usr/share/doc/a/2; echo m > usr/share/man/m; mkfifo etc/pipe; mknod etc/null c 1 3
  echo h > etc/h1; ln etc/h1 etc/h2; mkdir empty
  find . -exec touch -h -d '2020-01-01 00:00:00.5' {} +
`;

function diffOf(change: string): string[] {
  const lower = made(LOWER);
  return lines([changed([lower], change).upper], [lower]);
}

/** A change to a directory's content changes its time; this keeps it. */
const keep = (directory: string, change: string) => `${change}; touch -d '2020-01-01 00:00:00.5' ${directory}`;

const cases: Record<string, [string, string[]]> = {
  nothing: ['true', []],
  'an appended file': ['echo x >> etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a new file': ['echo x > etc/new', ['A /etc/new', 'C /etc'].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1))],
  'a new file in the root': ['echo x > new', ['A /new']],
  'a deleted file': ['rm etc/hosts', ['C /etc', 'D /etc/hosts']],
  'a deleted tree': ['rm -r usr/share', ['C /usr', 'D /usr/share']],
  'a new tree': ['mkdir -p n/a/b; echo x > n/a/f', ['A /n', 'A /n/a', 'A /n/a/b', 'A /n/a/f']],
  'a file that became a directory': [
    'rm etc/hosts; mkdir etc/hosts; echo x > etc/hosts/x',
    ['C /etc', 'C /etc/hosts', 'A /etc/hosts/x'],
  ],
  'a directory that became a file': ['rm -r usr/share; echo x > usr/share', ['C /usr', 'C /usr/share']],
  'a file that became a symlink': ['rm etc/hosts; ln -s x etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a changed symlink': ['ln -sfn other etc/link', ['C /etc', 'C /etc/link']],
  'a changed device': [
    'rm etc/null; mknod etc/null c 1 5; touch -d "2020-01-01 00:00:00.5" etc/null',
    ['C /etc', 'C /etc/null'],
  ],
  'a changed mode': ['chmod 600 etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a changed owner of a fifo': ['chown 5 etc/pipe', ['C /etc', 'C /etc/pipe']],
  'a changed attribute': ['setfattr -n user.a -v b etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a changed time': ['touch etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a changed nanosecond': ['touch -d "2020-01-01 00:00:00.500000001" etc/hosts', ['C /etc', 'C /etc/hosts']],
  'a changed directory': ['chmod 700 etc/sub', ['C /etc', 'C /etc/sub']],
  'a changed mode that was changed back': ['chmod 600 etc/hosts; chmod 644 etc/hosts', []],
  'a file copied up and left alone': ['exec 3>>etc/hosts', []],
  'other content with equal size and time': [
    keep('etc', 'echo HOSTS > etc/hosts; touch -d "2020-01-01 00:00:00.5" etc/hosts'),
    ['C /etc', 'C /etc/hosts'],
  ],
  'a file made and removed again': [keep('etc', 'echo x > etc/x; rm etc/x'), []],
  'a directory removed and made again (opaque)': [
    'rm -r usr/share/doc; mkdir usr/share/doc; echo n > usr/share/doc/new',
    ['C /usr', 'C /usr/share', 'C /usr/share/doc', 'D /usr/share/doc/a', 'A /usr/share/doc/new'],
  ],
  'a renamed file': ['mv etc/hosts etc/hosts2', ['C /etc', 'D /etc/hosts', 'A /etc/hosts2']],
  'a renamed directory (redirect)': [
    'mv usr/share/doc usr/share/docs',
    [
      'C /usr',
      'C /usr/share',
      'D /usr/share/doc',
      'A /usr/share/docs',
      'A /usr/share/docs/a',
      'A /usr/share/docs/a/1',
      'A /usr/share/docs/a/2',
    ],
  ],
  'a renamed directory, changed and moved away (absolute redirect)': [
    'mv usr/share/doc/a etc/sub/b; rm etc/sub/b/1; echo 3 > etc/sub/b/3',
    [
      'C /etc',
      'C /etc/sub',
      'A /etc/sub/b',
      'A /etc/sub/b/2',
      'A /etc/sub/b/3',
      'C /usr',
      'C /usr/share',
      'C /usr/share/doc',
      'D /usr/share/doc/a',
    ],
  ],
  'two directories that changed places': [
    'mv usr/share/doc t; mv usr/share/man usr/share/doc; mv t usr/share/man',
    [
      'C /usr',
      'C /usr/share',
      'D /usr/share/doc/a',
      'A /usr/share/doc/m',
      'A /usr/share/man/a',
      'A /usr/share/man/a/1',
      'A /usr/share/man/a/2',
      'D /usr/share/man/m',
      'C /usr/share/doc',
      'C /usr/share/man',
    ],
  ],
  'names that sort between a directory and what is in it': [
    'mkdir d; echo x > d/x; echo x > d-e; echo x > d.f',
    ['A /d', 'A /d-e', 'A /d.f', 'A /d/x'],
  ],
  'a name that is not UTF-8': ["echo x > $(printf 'n\\377\\nx')", ['A /n\xff\nx']],
};

describe('diffLayers', () => {
  for (const [what, [change, expected]] of Object.entries(cases)) {
    it(`lists ${what}`, () => {
      const path = (line: string) => line.slice(2);
      expect(diffOf(change)).toEqual([...expected].sort((a, b) => (path(a) < path(b) ? -1 : 1)));
    });
  }

  it('lists all of a layer that lies on nothing', () => {
    const lower = made('mkdir a; echo x > a/b');
    expect(lines([lower], [])).toEqual(['A /a', 'A /a/b']);
    expect(lines([], [lower])).toEqual([]);
  });

  it('takes several upper layers together', () => {
    const bottom = made(LOWER);
    const first = changed([bottom], 'echo x > etc/new; rm etc/hosts; echo y >> etc/passwd');
    const second = changed(
      [first.upper, bottom],
      'rm etc/new; echo again > etc/hosts; mv usr/share/man usr/share/moved',
    );
    expect(lines([second.upper, first.upper], [bottom])).toEqual([
      'C /etc',
      'C /etc/hosts',
      'C /etc/passwd',
      'C /usr',
      'C /usr/share',
      'D /usr/share/man',
      'A /usr/share/moved',
      'A /usr/share/moved/m',
    ]);
  });

  it('compares stacks that share their lowest layers, and stacks that share none', () => {
    const bottom = made(LOWER);
    const one = changed([bottom], 'echo one > etc/hosts; rm -r usr/share/man').upper;
    const other = changed([bottom], 'echo other > etc/hosts; mv usr/share/doc usr/share/docs').upper;
    const fresh = made(`${LOWER} rm -r etc/sub; touch -d '2020-01-01 00:00:00.5' etc`);
    const compare = (now: string[], before: string[]) =>
      [...diffLayers({ now, before })].map(({ kind, path }) => `${LETTERS[kind]} /${path}`);
    expect(compare([other, bottom], [one, bottom])).toEqual([
      'C /etc',
      'C /etc/hosts',
      'C /usr',
      'C /usr/share',
      'D /usr/share/doc',
      'A /usr/share/docs',
      'A /usr/share/docs/a',
      'A /usr/share/docs/a/1',
      'A /usr/share/docs/a/2',
      'A /usr/share/man',
      'A /usr/share/man/m',
    ]);
    expect(compare([bottom], [one, bottom])).toContain('A /usr/share/man/m');
    expect(compare([bottom], [fresh])).toEqual(['C /etc', 'A /etc/sub']);
    expect(compare([bottom], [])).toContain('A /etc/hosts');
    expect(compare([], [bottom])).toEqual(['D /empty', 'D /etc', 'D /usr']);
  });

  it('sees that one layer shows other things on another one', () => {
    const bottom = made(LOWER);
    const middle = changed([bottom], 'echo other > etc/hosts; echo x > usr/share/doc/a/new').upper;
    // A copy of attributes only, and a directory that points to its old place.
    const top = changed([bottom], 'chmod 600 etc/hosts; mv usr/share/doc etc/moved').upper;
    const paths = [...diffLayers({ now: [top, middle, bottom], before: [top, bottom] })].map(({ path }) => path);
    expect(paths).toEqual(['etc', 'etc/hosts', 'etc/moved', 'etc/moved/a', 'etc/moved/a/new']);
  });

  it('lists only what is asked for', () => {
    const lower = made(LOWER);
    const { upper } = changed([lower], 'rm -r usr/share/doc; echo x >> etc/hosts; mkdir -p n/a/b n/ab; rm etc/h1');
    const within = (...paths: string[]) =>
      [...diffLayers({ upper: [upper], lower: [lower], paths })].map(({ kind, path }) => `${LETTERS[kind]} /${path}`);
    expect(within('etc')).toEqual(['C /etc', 'D /etc/h1', 'C /etc/hosts']);
    expect(within('etc/hosts', 'n/a')).toEqual(['C /etc/hosts', 'A /n/a', 'A /n/a/b']);
    expect(within('usr/share/doc/a/1')).toEqual(['D /usr/share/doc']);
    expect(within('nothing')).toEqual([]);
    expect(within('')).toEqual(lines([upper], [lower]));
  });

  it('reads layers that applyLayer made', async () => {
    const lower = made(LOWER);
    const archive = [
      member({ name: 'etc/.wh.hosts' }),
      member({ name: 'etc/.wh.nothing' }),
      member({ name: 'usr/share/.wh..wh..opq' }),
      END,
    ];
    const { target } = await apply(archive, { lower: [lower] });
    expect(lines([target], [lower])).toEqual([
      'C /etc',
      'D /etc/hosts',
      'C /usr',
      'C /usr/share',
      'D /usr/share/doc',
      'D /usr/share/man',
    ]);
  });

  it('leaves no file open', async () => {
    const { readdirSync } = await import('node:fs');
    const lower = made(LOWER);
    const { upper } = changed([lower], 'rm -r usr/share/doc; mkdir usr/share/doc; mkdir -p n/a/b; echo x >> etc/hosts');
    lines([upper], [lower]);
    const before = readdirSync('/proc/self/fd').length;
    lines([upper], [lower]);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
