// The examples of src/library/README.md: they compile against the package as others see it, and run.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, startRegistry } from '../helpers/registry/index.js';
import type { TestRegistry } from '../helpers/registry/index.js';
import { requires, runProgram } from '../helpers/requires.js';
import { tempDir } from '../helpers/tmp.js';
import type { TempDir } from '../helpers/tmp.js';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(PROJECT, file), 'utf8');

interface Example {
  readonly title: string;
  readonly code: string;
}

/** The blocks of TypeScript, each under the heading it stands below. */
function examplesOf(markdown: string): Example[] {
  return markdown.split(/^## /m).flatMap((section) => {
    const title = section.slice(0, section.indexOf('\n'));
    return [...section.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => ({ title, code }));
  });
}

const EXAMPLES = examplesOf(read('src/library/README.md'));
/** They would use the store of whoever runs the tests. */
const ONLY_COMPILED = examplesOf(read('README.md'));

const TREES = `
mkdir -p rootfs/etc rootfs/bin rootfs/usr/share/doc && cd rootfs
echo 127.0.0.1 localhost > etc/hosts; echo root:x:0:0:root:/root:/bin/sh > etc/passwd
printf '#!/bin/sh\\n' > bin/sh; chmod 755 bin/sh; head -c 300000 /dev/zero > usr/share/doc/zeros
tar -cf ../rootfs.tar . && echo 192.0.2.1 example >> etc/hosts && rm etc/passwd && tar -cf ../changed.tar .
`;

const gate = requires('build', 'root', 'fuse', 'tar', 'docker-registry', 'skopeo', 'setpriv');

describe.skipIf(gate.skip)(gate.title('the examples of the library'), () => {
  let temp: TempDir;
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await startRegistry();
    await fill(registry, 'team/app:1.0');
    temp = tempDir('examples');
    mkdirSync(path.join(temp.path, 'node_modules'));
    symlinkSync(PROJECT, path.join(temp.path, 'node_modules/veneer'));
    writeFileSync(path.join(temp.path, 'package.json'), '{"type":"module"}');
    runProgram('sh', ['-euc', `cd '${temp.path}' && ${TREES}`]);
    [...EXAMPLES, ...ONLY_COMPILED].forEach(({ code }, index) =>
      writeFileSync(path.join(temp.path, `${String(index)}.ts`), code),
    );
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    temp.remove();
  });

  test('there are some', () => {
    expect(EXAMPLES.length).toBeGreaterThan(5);
    expect(ONLY_COMPILED.length).toBeGreaterThan(0);
  });

  test('compile', () => {
    const files = [...EXAMPLES, ...ONLY_COMPILED].map((_, index) => path.join(temp.path, `${String(index)}.ts`));
    const program = ts.createProgram(files, {
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: ['node'],
      typeRoots: [path.join(PROJECT, 'node_modules/@types')],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      outDir: temp.path,
    });
    const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
      return `${file?.fileName ?? ''}:${String(line)} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
    expect(complaints).toEqual([]);
    expect(program.emit().emitSkipped).toBe(false);
  });

  test.each(EXAMPLES.map(({ title, code }, index) => ({ title, code, index })))('$index: $title', ({ code, index }) => {
    // Its own store, removed with the rest; the trees are only read.
    runProgram('rm', ['-rf', path.join(temp.path, 'store'), path.join(temp.path, 'other')]);
    const child = spawnSync(process.execPath, [`${String(index)}.js`], {
      cwd: temp.path,
      encoding: 'utf8',
      timeout: 60_000,
      env: { ...process.env, REGISTRY: registry.host },
    });
    expect({ code: child.status, stderr: child.stderr }).toEqual({ code: 0, stderr: '' });
    // What a comment at the end of a line says was printed.
    const promised = [...code.matchAll(/^\s*.*console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
    for (const text of promised) expect(child.stdout.split('\n')).toContain(text);
  });
});
