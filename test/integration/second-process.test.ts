// What one process does, another sees at once: no cache of the kernel's may hide it.

import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendGate, mountStaged } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { link } from '../helpers/layer-spec.js';
import { OtherProcess } from '../helpers/other-process.js';
import { Scenario } from '../helpers/scenario.js';
import { withDeadline } from '../helpers/tmp.js';

const gate = backendGate('veneer');

describe.skipIf(gate.skip)(gate.title('a second process'), () => {
  let scenario: Scenario;
  let mounted: Mounted;
  let other: OtherProcess;
  let root: string;

  beforeAll(async () => {
    const lower = { f: 'lower', g: 'lower', h: 'lower', 'd/x': 'x', 'd/y': 'y', 'e/z': 'z', a: 'one', b: link('a') };
    scenario = new Scenario('second', { lower: [lower], upper: {} });
    mounted = await mountStaged('veneer', scenario.staged);
    ({ root } = mounted);
    other = new OtherProcess(root);
    await other.ask('cat f g h d/* e/* a b; ls -lR');
  });
  afterAll(async () => {
    await other.end();
    await mounted.unmount();
    scenario.remove();
  });

  const CHANGES: readonly (readonly [string, (root: string) => void, string, string])[] = [
    ['an append to a lower file', (at) => appendFileSync(`${at}/f`, '+'), 'cat f', 'lower+'],
    ['a new size', (at) => truncateSync(`${at}/f`, 2), 'stat -c %s f', '2'],
    ['a new mode', (at) => chmodSync(`${at}/g`, 0o600), 'stat -c %a g', '600'],
    ['a new file', (at) => writeFileSync(`${at}/new`, 'new'), 'cat new; ls new', 'newnew'],
    ['a file where it just missed one', (at) => writeFileSync(`${at}/missed`, 'm'), 'cat missed', 'm'],
    ['a removal', (at) => rmSync(`${at}/d/x`), 'ls d', 'y'],
    ['a rename', (at) => renameSync(`${at}/g`, `${at}/g2`), 'test -e g || cat g2', 'lower'],
    ['a rename of a directory', (at) => renameSync(`${at}/e`, `${at}/e2`), 'test -e e || cat e2/z', 'z'],
    ['a write through another hard link', (at) => appendFileSync(`${at}/a`, '+two'), 'cat b; stat -c %s b', 'one+two7'],
    ['a new link', (at) => linkSync(`${at}/h`, `${at}/h2`), 'stat -c %h h', '2'],
    [
      'a directory emptied and filled again',
      (at) => {
        rmSync(`${at}/d`, { recursive: true });
        mkdirSync(`${at}/d`);
        writeFileSync(`${at}/d/fresh`, '');
      },
      'ls d',
      'fresh',
    ],
  ];

  test.each(CHANGES)('sees %s', async (_name, change, command, answer) => {
    await other.ask('test -e missed');
    withDeadline('change', 5000, () => change(root));
    expect((await other.ask(command)).replaceAll('\n', '')).toBe(answer);
  });

  const ITS_CHANGES: readonly (readonly [string, string, (root: string) => string, string])[] = [
    ['an append', 'printf more >> h', (at) => readFileSync(`${at}/h`, 'utf8'), 'lowermore'],
    ['a new file', 'printf x > from-other', (at) => readFileSync(`${at}/from-other`, 'utf8'), 'x'],
    ['a mode', 'chmod 640 h', (at) => (statSync(`${at}/h`).mode & 0o777).toString(8), '640'],
    ['a removal', 'rm -r d', (at) => String(readdirSync(at).includes('d')), 'false'],
    ['a rename', 'mv e2 e3', (at) => readFileSync(`${at}/e3/z`, 'utf8'), 'z'],
  ];

  test.each(ITS_CHANGES)('makes %s that is seen here', async (_name, command, look, answer) => {
    await other.ask(command);
    expect(withDeadline('look', 5000, () => look(root))).toBe(answer);
  });
});
