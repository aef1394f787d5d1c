import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer inspect'), () => {
  test('inspect prints an array of what it finds', () => {
    using box = sandboxWithBase('inspect');
    box.ok('create', '--name', 'work', '-l', 'k=v', 'base', 'sleep', '1');
    const [container, image] = JSON.parse(box.ok('inspect', 'work', 'base')) as Record<string, unknown>[];
    expect(container).toMatchObject({
      Name: '/work',
      Image: image?.['Id'],
      State: { Status: 'created' },
      Config: { Image: 'base', Cmd: ['sleep', '1'], Labels: { k: 'v' } },
    });
    expect(image).toMatchObject({ RepoTags: ['base:latest'], Os: 'linux', RootFS: { Type: 'layers' } });
    expect(box.ok('inspect', '--format', '{{.State.Status}}', 'work')).toBe('created');
    expect(box.ok('image', 'inspect', '--format', 'json', 'base').split('\n')).toHaveLength(1);
  });

  test('inspect goes on after a failure, and tells kinds apart', () => {
    using box = sandboxWithBase('inspect');
    const { code, stdout, stderr } = box.run('inspect', 'none', 'base');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toHaveLength(1);
    expect(stderr).toContain("inspect 'none': no such container, image or layer");
    expect(box.run('inspect', '--type', 'container', 'base').stderr).toContain('no such container');
    expect(box.run('container', 'inspect', 'base').code).toBe(1);
    box.fails(2, 'inspect', '--type', 'volume', 'base');
    box.fails(2, 'inspect');
  });

  test("has docker's fields, set or not", () => {
    using box = sandboxWithBase('inspect');
    const changes = [
      'CMD ["sh"]',
      'ENV A=1 B=2',
      'LABEL k=v',
      'EXPOSE 80',
      'USER me',
      'STOPSIGNAL SIGINT',
      'ONBUILD RUN x',
    ];
    box.ok('import', ...changes.flatMap((change) => ['-c', change]), '-m', 'said', box.at('base.tar'), 'full:1');
    const [image] = JSON.parse(box.ok('image', 'inspect', 'full:1')) as Record<string, unknown>[];
    expect(Object.keys(image ?? {})).toEqual([
      ...['Id', 'RepoTags', 'RepoDigests', 'Parent', 'Comment', 'Created', 'DockerVersion', 'Author', 'Config'],
      ...['Architecture', 'Os', 'Size', 'VirtualSize', 'GraphDriver', 'RootFS', 'Metadata'],
    ]);
    expect(image).toMatchObject({
      RepoTags: ['full:1'],
      RepoDigests: [],
      Comment: 'said',
      Config: {
        Cmd: ['sh'],
        Env: ['A=1', 'B=2'],
        Labels: { k: 'v' },
        ExposedPorts: { '80/tcp': {} },
        User: 'me',
        Entrypoint: null,
        Volumes: null,
        WorkingDir: '',
        StopSignal: 'SIGINT',
        OnBuild: ['RUN x'],
      },
      Metadata: { LastTagTime: expect.stringMatching(/^20/) as unknown },
    });
    const format = (template: string): string => box.ok('inspect', '-f', template, 'full:1');
    expect(format('{{range .Config.Env}}{{println .}}{{end}}')).toBe('A=1\nB=2\n');
    expect(format('{{range $port, $_ := .Config.ExposedPorts}}{{$port}}{{end}}')).toBe('80/tcp');
    expect(format('{{.Config.Entrypoint}} {{json .Config.Entrypoint}} {{len .RootFS.Layers}}')).toBe('[] null 1');
    expect(format('{{if .Config.Healthcheck}}yes{{else}}no{{end}}')).toBe('no');
    expect(format('{{index .Config.Labels "k"}} {{.Config.Labels.none}}')).toBe('v <no value>');
    expect(box.fails(2, 'inspect', '-f', '{{.Nope}}', 'full:1')).toContain("there is no field 'Nope'");
  });

  test('--format json is one line, and nothing found is an empty list', () => {
    using box = sandboxWithBase('inspect');
    const [list] = box.ok('inspect', '--format', 'json', 'base', 'base').split('\n');
    expect(JSON.parse(list ?? '')).toHaveLength(2);
    expect(box.run('inspect', 'none')).toMatchObject({ code: 1, stdout: '[]\n' });
  });

  test("gives an image's configuration byte for byte", () => {
    using box = sandboxWithBase('inspect');
    const config = box.run('inspect', '--oci', 'config', 'base').stdout;
    const digest = createHash('sha256').update(config).digest('hex');
    expect(box.ok('images', '-q', '--no-trunc')).toBe(`sha256:${digest}`);
    expect(JSON.parse(config)).toMatchObject({ os: 'linux', rootfs: { type: 'layers' } });
    expect(box.fails(1, 'inspect', '--oci', 'manifest', 'base')).toContain('did not come with a manifest');
    box.fails(2, 'inspect', '--oci', 'config', 'base', 'base');
    box.fails(2, 'inspect', '--oci', 'index', 'base');
    box.fails(1, 'inspect', '--oci', 'config', 'none');
  });

  test('shows layers, by the start of their ChainID or DiffID', () => {
    using box = sandboxWithBase('inspect');
    const diffId = box.ok('inspect', '-f', '{{index .RootFS.Layers 0}}', 'base');
    const [layer] = JSON.parse(box.ok('inspect', '--type', 'layer', diffId.slice(0, 20))) as Record<string, unknown>[];
    expect(layer).toMatchObject({ DiffId: diffId, Id: diffId, Parent: '', Images: ['base:latest'] });
    expect(box.ok('inspect', '-f', '{{.DiffId}}', diffId.slice(7, 19))).toBe(diffId);
    expect(box.run('inspect', '--type', 'layer', 'base').stderr).toContain('no such layer');
  });

  test('--size tells what a container takes', () => {
    using box = sandboxWithBase('inspect');
    box.ok('create', '--name', 'work', 'base');
    const size = Number(box.ok('inspect', '-f', '{{.Size}}', 'base'));
    expect(box.ok('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'work')).toBe(`0 ${String(size)}`);
  });

  test('what an image says of itself does not steer a terminal', () => {
    using box = sandboxWithBase('inspect');
    const hostile = '\u009b2J\u202e\x1b]0;owned\x07';
    box.ok('import', '-m', hostile, box.at('base.tar'), 'hostile');
    const [image] = JSON.parse(box.ok('inspect', 'hostile')) as { Comment: string }[];
    expect(image?.Comment).toBe(hostile);
    for (const args of [
      ['inspect', 'hostile'],
      ['history', 'hostile'],
      ['history', '--no-trunc', 'hostile'],
      ['history', '--format', 'json', 'hostile'],
    ]) {
      expect(box.ok(...args)).toMatch(/^[\x20-\x7e\n]*$/);
    }
    // For a program it is what it is.
    expect(runCli(['inspect', '-f', '{{.Comment}}', 'hostile'], { env: { VENEER_ROOT: box.root } }).stdout).toBe(
      `${hostile}\n`,
    );
  });
});

describe.skipIf(gate.skip)(gate.title('images in archives, in place'), () => {
  test('are inspected as those of the store, by oci:DIR[:TAG] and in archives', () => {
    using box = sandboxWithBase('archived');
    box.ok('tag', 'base', 'team/app:1.0');
    box.ok('save', '--format', 'oci', '-o', box.at('layout/'), 'team/app:1.0');
    box.ok('save', '-o', box.at('both.tar'), 'base', 'team/app:1.0');
    const id = box.ok('images', '-q', '--no-trunc', 'base');
    const layout = `oci:${box.at('layout')}`;
    const [image] = JSON.parse(box.ok('inspect', layout)) as Record<string, unknown>[];
    const [stored] = JSON.parse(box.ok('inspect', 'base')) as Record<string, unknown>[];
    expect(image).toMatchObject({
      Id: id,
      RepoTags: ['team/app:1.0'],
      Config: stored?.['Config'],
      RootFS: stored?.['RootFS'],
    });
    expect(image?.['RepoDigests']).toEqual([expect.stringMatching(/^team\/app@sha256:[0-9a-f]{64}$/)]);
    expect(box.ok('inspect', '-f', '{{.Id}}', `${layout}:1.0`, 'base')).toBe(`${id}\n${id}`);
    expect(box.run('inspect', '--oci', 'config', layout).stdout).toBe(
      box.run('inspect', '--oci', 'config', 'base').stdout,
    );
    const manifest = box.run('inspect', '--oci', 'manifest', layout).stdout;
    expect(`team/app@sha256:${createHash('sha256').update(manifest).digest('hex')}`).toBe(
      (image?.['RepoDigests'] as string[])[0],
    );
    expect(box.ok('inspect', '-f', '{{.Id}} {{.RepoTags}}', `docker-archive:${box.at('both.tar')}`)).toContain(id);
    expect(box.ok('history', '--format', '{{.ID}} {{.Comment}}', layout)).toBe(
      `${id.slice(7, 19)} Imported from base.tar`,
    );
    // Nothing has come into the store.
    expect(box.ok('images', '-q', '--no-trunc')).toBe(id);
    box.check();
  });

  test('that are not there are one line', () => {
    using box = sandboxWithBase('archived');
    expect(box.run('inspect', `oci:${box.at('none')}`).stderr).toMatch(/^veneer: cannot open .*no such file/);
    expect(box.fails(1, 'history', `oci:${box.at('none')}`)).toContain('no such file');
    expect(box.fails(1, 'history', 'oci:')).toContain('names no file');
    box.ok('save', '--format', 'oci', '-o', box.at('layout/'), 'base');
    expect(box.fails(1, 'history', `oci:${box.at('layout')}:other`)).toContain("has no image 'other'");
  });
});
