// Keeping, taking back, branching off and committing containers that run, with the built command.

import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore } from '../helpers/containers/index.js';
import type { BoxStore } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';

const gate = requires('build', 'root', 'fuse', 'containers', 'busybox');

/** Writes a number a line to a file that stays open, and has a second one that always says the last of them. */
const WRITER = 'exec 3>/log; i=0; while :; do i=$((i+1)); echo $i >&3; echo $i >/last; done';

const sh = (script: string): string => execFileSync('sh', ['-euc', script], { encoding: 'utf8' });

describe.skipIf(gate.skip)('a container that runs', () => {
  let box: BoxStore;
  beforeAll(async () => {
    box = await boxStore();
  });
  afterAll(async () => {
    await box[Symbol.asyncDispose]();
  });

  afterEach(() => {
    box.empty();
  });

  const run = (name: string, script: string): void => {
    box.ok('create', '--name', name, '--network', 'none', '--entrypoint', 'sh', 'box', '-c', script);
    box.ok('start', name);
  };
  const read = (name: string, file: string): string => {
    const root = box.ok('mount', name).trim();
    return sh(`cat "${root}/${file}"`);
  };
  const until = (name: string, file: string): void => {
    const root = box.ok('mount', name).trim();
    sh(`while ! [ -s "${root}/${file}" ]; do sleep 0.01; done`);
  };

  test('is kept as it is at one moment, and goes on', async () => {
    run('writer', WRITER);
    until('writer', 'last');
    expect(box.ok('snapshot', 'writer')).toBe('snapshot-1');
    box.ok('snapshot', 'writer', 'two');
    const states = ['snapshot-1', 'two'].map((snapshot) => {
      box.ok('branch', `writer@${snapshot}`, `b-${snapshot}`);
      const log = read(`b-${snapshot}`, 'log').trim().split('\n');
      const last = read(`b-${snapshot}`, 'last').trim();
      box.ok('umount', `b-${snapshot}`);
      expect(log.map(Number)).toEqual(log.map((_, index) => index + 1));
      // It stood between two of its writes: the file is cut before it says the next number.
      expect([Number(last), Number(last) + 1, 1]).toContain(last === '' ? 1 : log.length);
      return log.length;
    });
    expect(states[1]).toBeGreaterThan(states[0]!);
    expect(box.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('writer running');
    expect(box.ok('snapshots', '-q', 'writer')).toBe('snapshot-1\ntwo');
    expect(box.run('rollback', 'writer', 'two').stderr).toMatch(/is running.*veneer rollback --force writer two/s);
    expect(box.fails(1, 'rollback', '--force', 'writer', 'three')).toContain("no snapshot 'three'");
    expect(box.ok('rollback', '--force', '-t', '0', 'writer', 'snapshot-1')).toBe('before-rollback-1');
    expect(box.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('writer running');
    expect(box.ok('snapshots', '--format', '{{.Name}}{{.Current}}', 'writer')).toMatch(/^snapshot-1\*$/m);
    box.ok('stop', '-t', '0', 'writer');
    box.ok('rollback', '--no-keep', 'writer@snapshot-1');
    expect(box.fails(2, 'rollback', 'writer')).toContain('to which snapshot of writer?');
    expect(box.fails(2, 'branch', '-s', 'two', 'writer@two')).toContain('two snapshots are named');
    expect(read('writer', 'log').trim().split('\n')).toHaveLength(states[0]!);
    box.ok('umount', 'writer');
    box.ok('start', 'writer');
    await box.expectNoLeaks();
  });

  test('of an image without them has what is mounted in it, and that is no change', async () => {
    box.ok('create', '--name', 'bare', 'box');
    const root = box.ok('mount', 'bare');
    sh(`rm -rf "${root}/etc" "${root}/proc" "${root}/sys" "${root}/dev"`);
    box.ok('umount', 'bare');
    const bare = box.ok('commit', '--squash', 'bare', 'bare');
    box.ok(
      'create',
      '--name',
      'run',
      '--network',
      'none',
      '--entrypoint',
      '/usr/bin/sh',
      'bare',
      '-c',
      'echo $0 >/made',
    );
    box.ok('start', 'run');
    box.ok('wait', 'run');
    expect(box.ok('diff', 'run')).toBe('A /made');
    await box.expectNoLeaks();
    box.ok('rmi', bare);
  });

  test('is committed as it is at one moment, without what the runtime puts in it', async () => {
    run('writer', `echo changed >>/etc/passwd; ${WRITER}`);
    until('writer', 'last');
    const image = box.ok('commit', 'writer', 'written').trim();
    expect(box.ok('diff', 'writer')).toBe('C /etc\nC /etc/passwd\nA /last\nA /log');
    expect(box.ok('diff', image)).toBe('C /etc\nC /etc/passwd\nA /last\nA /log');
    expect(box.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('writer running');
    await box.expectNoLeaks();
    box.ok('rmi', 'written');
  });
});
