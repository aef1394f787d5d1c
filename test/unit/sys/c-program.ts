// What the machine's own C headers say: expressions, evaluated by a small program.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { tempDir } from '../../helpers/tmp.js';

function compiler(): string | undefined {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no gcc';
  }
}

/** Why C cannot be asked; undefined where it can. */
export const noCompiler = compiler();

/** The value of each C expression, an integer. Throws what the compiler says. */
export function evaluate(includes: readonly string[], expressions: readonly string[]): Map<string, bigint> {
  using dir = tempDir('c');
  const program = [
    '#define _GNU_SOURCE',
    '#include <stdio.h>',
    '#include <stddef.h>',
    ...includes.map((include) => `#include <${include}>`),
    'int main(void) {',
    ...expressions.map((expression) => `  printf("%lld\\n", (long long)(${expression}));`),
    '  return 0;',
    '}',
  ].join('\n');
  writeFileSync(`${dir.path}/p.c`, program);
  execFileSync('gcc', ['-w', '-o', `${dir.path}/p`, `${dir.path}/p.c`], { encoding: 'utf8' });
  const lines = execFileSync(`${dir.path}/p`, { encoding: 'utf8' }).trimEnd().split('\n');
  return new Map(expressions.map((expression, index) => [expression, BigInt(lines[index]!)]));
}
