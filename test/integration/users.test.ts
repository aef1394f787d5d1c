// Real programs as real users inside the mount: su, cp, mv, tar, sqlite, git.

import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backendGate, mountStaged } from '../helpers/backends.js';
import type { Mounted } from '../helpers/backends.js';
import { dir, file } from '../helpers/layer-spec.js';
import { run, runWell } from '../helpers/other-process.js';
import { requires } from '../helpers/requires.js';
import { Scenario } from '../helpers/scenario.js';

const gate = backendGate('veneer').skip ? backendGate('veneer') : requires('su', 'kernel-overlay');
const NOBODY = 65534;

describe.skipIf(gate.skip)(gate.title('a user inside the mount'), () => {
  let scenario: Scenario;
  let mounted: Mounted;
  let root: string;
  const asNobody = (command: string): ReturnType<typeof run> =>
    run('su', ['nobody', '-s', '/bin/sh', '-c', command], { cwd: root });

  beforeAll(async () => {
    const lower = {
      home: dir({ mode: 0o777 }),
      'home/public': file('public', { mode: 0o666 }),
      'etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
      'etc/shadow': file('secret', { mode: 0o600 }),
      'usr/share/doc/a': 'a',
    };
    scenario = new Scenario('users', { lower: [lower], upper: {} });
    mounted = await mountStaged('veneer', scenario.staged);
    ({ root } = mounted);
  });
  afterAll(async () => {
    await mounted.unmount();
    scenario.expectLowersUnchanged();
    scenario.remove();
  });

  test('owns what it makes', async () => {
    expect((await asNobody('umask 022; echo x > home/mine; mkdir home/d; ln -s x home/l')).status).toBe(0);
    for (const name of ['mine', 'd']) expect(statSync(`${root}/home/${name}`)).toMatchObject({ uid: NOBODY });
  });

  test('writes a lower file it may write, which keeps its owner', async () => {
    expect((await asNobody('echo more >> home/public')).status).toBe(0);
    expect(statSync(`${root}/home/public`)).toMatchObject({ uid: 0, size: 11 });
  });

  test('may not do what it may not', async () => {
    expect((await asNobody('cat etc/shadow')).stderr).toMatch(/Permission denied/);
    expect((await asNobody('echo x >> etc/passwd')).status).not.toBe(0);
    expect((await asNobody('rm -rf usr/share/doc')).status).not.toBe(0);
    expect((await asNobody('chmod 666 etc/shadow')).status).not.toBe(0);
  });

  test('runs a program, and may not write it meanwhile', async () => {
    await runWell('cp', ['/bin/sleep', `${root}/home/sleep`]);
    chmodSync(`${root}/home/sleep`, 0o777);
    const busy = await runWell('sh', ['-c', './home/sleep 5 & p=$!; sleep 0.2; (echo x >> home/sleep) 2>&1; kill $p'], {
      cwd: root,
    });
    expect(busy).toMatch(/Text file busy/);
  });

  test.skipIf(requires('sqlite3').skip)(
    'keeps a SQLite database whole over copy-up and many small writes',
    async () => {
      const db = `${root}/home/db.sqlite`;
      const insert = 'insert into t select hex(randomblob(50)) from generate_series(1, 3000);';
      await runWell('sqlite3', [db], { input: `pragma journal_mode=wal; create table t(x); ${insert}` });
      await mounted.unmount();
      mounted = await mountStaged('veneer', scenario.staged);
      await runWell('sqlite3', [db], {
        input: `${insert} update t set x = 'y' where rowid % 7 = 0; delete from t where rowid % 5 = 0;`,
      });
      expect(await runWell('sqlite3', [db], { input: 'pragma integrity_check; select count(*) from t;' })).toBe(
        'ok\n4800\n',
      );
    },
  );

  test.skipIf(requires('git').skip)('works in a git repository', async () => {
    const git = (...args: string[]): Promise<string> =>
      runWell('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'safe.directory=*', ...args], {
        cwd: `${root}/home/repo`,
      });
    mkdirSync(`${root}/home/repo`);
    await git('init', '-q');
    await runWell('sh', ['-c', 'for i in $(seq 200); do echo $i > file-$i; done'], { cwd: `${root}/home/repo` });
    await git('add', '.');
    await git('commit', '-qm', 'one');
    await git('mv', 'file-1', 'moved');
    await git('commit', '-qam', 'two');
    await git('checkout', '-q', 'HEAD~1');
    expect(await git('status', '--porcelain')).toBe('');
    await git('gc', '-q');
    await git('fsck', '--full');
  });
});
