import { execFileSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { patchLayers } from '../../../src/layer/index.js';
import type { PatchLayersOptions } from '../../../src/layer/index.js';
import { textHunks } from '../../../src/layer/text-hunks.js';
import { requires } from '../../helpers/requires.js';
import { changed, made, shown } from './overlay-mount.js';
import { look, temporary } from './tree.js';
import type { Seen } from './tree.js';

const gate = requires('git', 'patch');

async function patchOf(options: PatchLayersOptions): Promise<string> {
  let text = '';
  for await (const lines of patchLayers(options)) text += lines.map((line) => `${line.text}\n`).join('');
  return text;
}

/** The patch of a change made in a mount over a tree. */
async function patchFor(tree: string, change: string, options: { maxFileSize?: number } = {}) {
  const lower = made(`${tree}\nfind . -exec touch -h -d '2020-01-01 00:00:00.5' {} +`);
  const { upper } = changed([lower], change);
  return { lower, upper, patch: await patchOf({ upper: [upper], lower: [lower], ...options }) };
}

/** Types, contents and the permission git knows of; empty directories are not git's. */
function gitView(tree: Record<string, Seen>): Record<string, string> {
  const seen = Object.entries(tree).filter(([, { type }]) => type === 'file' || type === 'symlink');
  return Object.fromEntries(
    seen.map(([name, { type, mode, content, target }]) => [
      name,
      type === 'symlink' ? `-> ${target ?? ''}` : `${(parseInt(mode, 8) & 0o100) === 0 ? '-' : 'x'} ${content ?? ''}`,
    ]),
  );
}

const TOOLS: Record<string, readonly [string, ...string[]]> = {
  'git apply': ['git', 'apply', '--whitespace=nowarn', '-'],
  'patch -p1': ['patch', '-p1', '-s', '--no-backup-if-mismatch'],
};

function applied(tool: string, tree: string, patch: string): string {
  const copy = temporary();
  execFileSync('cp', ['-a', `${tree}/.`, copy]);
  const [program, ...args] = TOOLS[tool]!;
  execFileSync(program, args, {
    cwd: copy,
    input: Buffer.from(patch, 'latin1'),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(copy) },
  });
  return copy;
}

const LINES =
  'seq 1 100 > numbers; printf "no newline" > short; : > empty; mkdir -p d/e; echo f > d/e/f; echo g > d/g; ln -s x to';

/** Everything git has words for: each is applied by both programs. */
const texts: Record<string, string> = {
  'changed lines far apart': 'sed -i "5s/.*/five/; 50d; 90s/^/x/" numbers',
  'lines at both ends': '{ echo first; cat numbers; echo last; } > t; cat t > numbers; rm t',
  'a missing newline that comes, and one that goes': 'echo >> short; printf 101 >> numbers',
  'a file emptied and an empty one filled': ': > numbers; echo x > empty',
  'files that come and go': 'rm short; echo new > brand-new; mkdir -p n/m; echo deep > n/m/deep; rm d/g',
  'a tree that goes': 'rm -r d',
  'an empty file that comes, and one that goes': ': > none; rm empty',
  'carriage returns and bytes that are no UTF-8':
    'printf "a\\r\\nb\\r\\n\\377\\376\\n" > odd; sed -i "s/$/\\r/" numbers',
  'a mode': 'chmod 755 numbers',
  'a mode and content': 'chmod 755 numbers; echo x >> numbers',
  'a new program': 'printf "#!/bin/sh\\n" > run; chmod 755 run',
  'symlinks that come and change': 'ln -s ../x link; ln -sfn other to',
  'a file that becomes a symlink': 'rm short; ln -s numbers short',
  'names with blanks and quotes': 'echo x > "a b"; echo x > "q\\"uote"; echo y > "back\\\\slash"',
  'names with tabs, newlines and bytes that are no UTF-8': `echo x > "$(printf 't\\tab')"; echo x > "$(printf 'new\\nline')"; echo x > "$(printf 'n\\377')"`,
  'lines that look like a patch':
    'printf -- "-- a/x\\n++ b/x\\n@@ -1 +1 @@\\ndiff --git a/x b/x\\n" > odd; sed -i "3s/.*/-- x/" numbers',
  'a renamed file': 'mv numbers renamed',
  'a renamed directory': 'mv d moved',
  'a directory that becomes a file': 'rm -r d; echo x > d',
  'a file that becomes a directory': 'rm short; mkdir short; echo x > short/y',
};

describe.skipIf(gate.skip)(gate.title('a patch'), () => {
  for (const [what, change] of Object.entries(texts)) {
    it(`of ${what} is applied by git and patch`, async () => {
      const { lower, upper, patch } = await patchFor(LINES, change);
      const expected = gitView(shown([upper, lower]));
      // patch(1) takes no file in a directory's place, also from git.
      const tools = /directory that becomes|becomes a directory/.test(what) ? ['git apply'] : Object.keys(TOOLS);
      for (const tool of tools) expect(gitView(look(applied(tool, lower, patch)))).toEqual(expected);
    });
  }

  it('passes over what git has no words for, and applies the rest', async () => {
    const { lower, upper, patch } = await patchFor(
      `${LINES}; head -c 3000 /dev/zero > zeros; seq 1 9 > mixed; mkdir h; head -c 5000 /dev/urandom > h/large; cp h/large large`,
      `chown 5:6 numbers; setfattr -n user.a -v 'b"c' numbers; sed -i '3d' mixed; chown 1:1 mixed; chmod 4750 mixed; chmod 600 large
       echo x >> zeros; head -c 70 /dev/zero > bin; mkfifo pipe; mknod dev c 1 3; mkdir -m 700 dir; rm h/large
       touch short; chmod 711 d/e; echo s > secret; chmod 600 secret; chown 7:8 secret`,
      { maxFileSize: 4096 },
    );
    for (const tool of Object.keys(TOOLS)) {
      const { zeros: _z, bin: _b, 'h/large': _l, ...expected } = gitView(shown([upper, lower]));
      const { zeros: _y, 'h/large': _k, ...actual } = gitView(look(applied(tool, lower, patch)));
      expect(actual).toEqual(expected);
    }
    const told = patch.split('\n').filter((line) => line !== '' && !/^(?:[-+ ]\d|@@|new time)/.test(line));
    expect(told).toEqual([
      'diff --veneer a/bin b/bin',
      'new file mode 0644',
      'Binary files /dev/null and b/bin differ',
      'diff --veneer a/d/e b/d/e',
      'old mode 0755',
      'new mode 0711',
      'diff --veneer a/dev b/dev',
      'new char device 1:3 mode 0644',
      'diff --veneer a/dir b/dir',
      'new directory mode 0700',
      'diff --veneer a/h/large b/h/large',
      'deleted file mode 0644',
      'Large files a/h/large and /dev/null differ',
      'diff --veneer a/large b/large',
      'old mode 0644',
      'new mode 0600',
      'diff --veneer a/mixed b/mixed',
      'old mode 0644',
      'new mode 4750',
      'old owner 0:0',
      'new owner 1:1',
      'diff --git a/mixed b/mixed',
      'old mode 100644',
      'new mode 100755',
      '--- a/mixed',
      '+++ b/mixed',
      'diff --veneer a/numbers b/numbers',
      'old owner 0:0',
      'new owner 5:6',
      'new xattr user.a="b\\"c"',
      'diff --veneer a/pipe b/pipe',
      'new fifo mode 0644',
      'diff --veneer a/secret b/secret',
      'new mode 0600',
      'new owner 7:8',
      'diff --git a/secret b/secret',
      'new file mode 100644',
      '--- /dev/null',
      '+++ b/secret',
      '+s',
      'diff --veneer a/short b/short',
      'old time 1577836800.500000000',
      'diff --veneer a/zeros b/zeros',
      'Binary files a/zeros and b/zeros differ',
    ]);
  });
});

describe('a patch', () => {
  it('is the same for the same trees, and empty for equal ones', async () => {
    const { lower, upper, patch } = await patchFor(LINES, 'sed -i 5d numbers; rm -r d');
    expect(await patchOf({ upper: [upper], lower: [lower] })).toBe(patch);
    expect(await patchOf({ now: [upper, lower], before: [upper, lower] })).toBe('');
  });
});

describe('the hunks of two texts', () => {
  const text = (lines: readonly string[], ending: string) =>
    lines
      .map((line) => `${line}\n`)
      .join('')
      .replace(/\n$/, ending);
  const line = fc.constantFrom('a', 'b', 'c', '', '-a', '\r');
  const content = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('', '\n'))
    .map(([lines, end]) => text(lines, end));

  /** By the definition of the format, without looking at the context of other hunks. */
  function patched(before: string, now: string): string {
    const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    const out: string[] = [];
    let at = 0;
    let last = '';
    for (const { kind, text: hunkLine } of textHunks(before, now)) {
      if (kind === 'hunk') {
        const [, start = '', count = '1'] = /^@@ -(\d+)(?:,(\d+))?/.exec(hunkLine) ?? [];
        const from = Number(start) - (count === '0' ? 0 : 1);
        out.push(...old.slice(at, from));
        at = from;
      } else if (kind === 'note') {
        if (last !== '-') out.push(out.pop()!.replace(/\n$/, ''));
      } else {
        if (kind !== 'added') {
          expect(old[at]?.replace(/\n$/, '')).toBe(hunkLine.slice(1));
          at += 1;
        }
        if (kind !== 'removed') out.push(`${hunkLine.slice(1)}\n`);
      }
      last = hunkLine.charAt(0);
    }
    return [...out, ...old.slice(at)].join('');
  }

  it('turn one into the other', () => {
    fc.assert(
      fc.property(content, content, (before, now) => {
        expect(patched(before, now)).toBe(now);
      }),
    );
  });

  it('replace all between the first and the last change where too much differs', () => {
    const numbers = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `${from + at}\n`).join('');
    const before = `head\n${numbers(0, 5000)}tail`;
    const now = `head\n${numbers(10_000, 15_500)}tail`;
    expect(textHunks(before, now)[0]?.text).toBe('@@ -1,5002 +1,5502 @@');
    expect(patched(before, now)).toBe(now);
    expect(patched(numbers(0, 5000), numbers(9000, 14_000))).toBe(numbers(9000, 14_000));
  });
});
