import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer commit'), () => {
  let box: Sandbox;

  beforeAll(() => {
    box = sandboxWithBase('commit');
    box.ok('create', '--name', 'work', 'base', 'make', 'it');
    const dir = box.ok('mount', 'work');
    appendFileSync(path.join(dir, 'etc/hosts'), '192.0.2.1 one\n');
    writeFileSync(path.join(dir, 'tmp/junk'), 'x'.repeat(1_500_000));
    rmSync(path.join(dir, 'usr/share/doc/a'), { recursive: true });
  }, 60_000);
  afterAll(() => box[Symbol.dispose]());

  test('shows beforehand what would be in the layer', () => {
    const preview = box.ok('commit', '--dry-run', '--exclude', '/tmp/**', 'work', 'never');
    expect(preview.split('\n')).toEqual([
      '    -  C /etc',
      '  34B  C /etc/hosts',
      '    -  C /usr',
      '    -  C /usr/share',
      '    -  C /usr/share/doc',
      '    -  D /usr/share/doc/a',
      'Excluded:',
      '    -  C /tmp',
      '1.5MB  A /tmp/junk',
      'In the layer: 6 (34B), excluded: 2 (1.5MB)',
    ]);
    const objects = box.ok('commit', '--dry-run', '--format', 'json', '--include', 'tmp', 'work').split('\n');
    const short = objects.map((line) => JSON.parse(line) as { Path: string; Excluded: boolean; Kind: string });
    expect(short.filter(({ Excluded }) => !Excluded).map(({ Kind, Path }) => `${Kind} ${Path}`)).toEqual([
      'C /tmp',
      'A /tmp/junk',
    ]);
    expect(box.ok('images', '-q', '-a').split('\n')).toHaveLength(1);
  });

  test('prints the ID, and writes it to a file', () => {
    const id = box.ok('commit', '-p', '-q', '--exclude', 'tmp/**', '--iidfile', box.at('iid'), 'work', 'small');
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(readFileSync(box.at('iid'), 'utf8')).toBe(id);
    expect(box.ok('diff', 'small', '--', 'tmp')).toBe('');
    box.check();
  });

  test('is the same with the same SOURCE_DATE_EPOCH', () => {
    const commit = (...args: string[]): string =>
      runCli(['commit', ...args, 'work'], { env: { VENEER_ROOT: box.root, SOURCE_DATE_EPOCH: '1700000001' } }).stdout;
    const first = commit('--squash');
    expect(commit('--squash', '--no-pause')).toBe(first);
    expect(box.ok('inspect', '-f', '{{.Created}} {{len .RootFS.Layers}}', first.trim())).toBe(
      '2023-11-14T22:13:21.000Z 1',
    );
    expect(commit()).not.toBe(first);
  });

  test('applies every instruction, as docker shows the result', () => {
    const changes = [
      'CMD ["nginx", "-g", "daemon off;"]',
      'ENTRYPOINT /entry "a b"',
      'ENV A=1 B="two words"',
      'EXPOSE 80 53/udp',
      'HEALTHCHECK --interval=30s --retries=2 CMD curl -f http://localhost/',
      'LABEL org.example.a="b c" d=e',
      'ONBUILD RUN make',
      'SHELL ["/bin/bash", "-c"]',
      'STOPSIGNAL SIGQUIT',
      'USER app:app',
      'VOLUME /data "/more data"',
      'WORKDIR /srv',
    ];
    const id = box.ok('commit', '--include', 'none', ...changes.flatMap((change) => ['-c', change]), 'work');
    expect(JSON.parse(box.ok('inspect', '-f', '{{json .Config}}', id))).toMatchObject({
      Cmd: ['nginx', '-g', 'daemon off;'],
      Entrypoint: ['/bin/sh', '-c', '/entry "a b"'],
      Env: ['A=1', 'B=two words'],
      ExposedPorts: { '53/udp': {}, '80/tcp': {} },
      Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost/'], Interval: 30e9, Retries: 2 },
      Labels: { 'org.example.a': 'b c', d: 'e' },
      OnBuild: ['RUN make'],
      Shell: ['/bin/bash', '-c'],
      StopSignal: 'SIGQUIT',
      User: 'app:app',
      Volumes: { '/data': {}, '/more data': {} },
      WorkingDir: '/srv',
    });
    // Nothing was taken in: no layer, as after a commit without changes.
    expect(box.ok('inspect', '-f', '{{len .RootFS.Layers}}', id)).toBe('1');
  });

  test('should-fail: what is wrong is said before anything is done', () => {
    expect(box.fails(1, 'commit', '--exclude', '/', 'work')).toContain("'/' is not a pattern of paths");
    expect(box.fails(1, 'commit', '--dry-run', 'none')).toContain('no such container: none');
    expect(box.fails(2, 'commit', '--format', 'json', 'work')).toContain('--format needs --dry-run');
    expect(box.fails(2, 'commit', '--dry-run', '--format', 'xml', 'work')).toContain("unknown format 'xml'");
    expect(box.fails(1, 'commit', '-c', 'RUN x', '--squash', 'work')).toContain("'RUN' is not a valid change command");
    expect(box.fails(1, 'commit', '--squash', 'work', 'Bad Name')).toContain('is not an image name');
    box.check();
  });
});
