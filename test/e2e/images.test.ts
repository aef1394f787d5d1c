import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { runCli, sandbox, sandboxWithBase, SMALL_TREE } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('veneer images'), () => {
  test("prints docker's table", () => {
    using box = sandboxWithBase('images');
    box.ok('tag', 'base', 'registry.example:5000/team/app:1.2');
    const id = box.ok('images', '-q');
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    const [head, ...lines] = box.ok('images').split('\n');
    expect(head).toMatch(/^REPOSITORY {2,}TAG {2,}IMAGE ID {2,}CREATED {2,}SIZE$/);
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['base', 'latest', id],
      ['registry.example:5000/team/app', '1.2', id],
    ]);
    expect(lines[0]).toMatch(/ seconds? ago {2,}[\d.]+k?B$/);
  });

  test('filters by name, lists IDs, JSON and templates', () => {
    using box = sandboxWithBase('images');
    box.ok('tag', 'base', 'base:v1');
    box.ok('tag', 'base', 'other');
    const names = (...args: string[]): string[] =>
      box.ok('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', ...args).split('\n');
    expect(names('base').sort()).toEqual(['base:latest', 'base:v1']);
    expect(names('base:v1')).toEqual(['base:v1']);
    expect(names('none')).toEqual(['']);
    const rows = box.ok('images', '--format', 'json').split('\n');
    expect(rows.map((row) => (JSON.parse(row) as { Repository: string }).Repository)).toHaveLength(3);
    expect(box.ok('images', '-q', '--no-trunc').split('\n')).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
    expect(box.ok('images', '--format', 'table {{.Tag}}\t{{.ID}}').split('\n')[0]).toMatch(/^TAG +IMAGE ID$/);
  });

  test('filters combine as in docker', () => {
    using box = sandbox('images');
    const tar = box.tar('base.tar', SMALL_TREE);
    const make = (epoch: number, name: string[], ...changes: string[]): string => {
      const env = { VENEER_ROOT: box.root, SOURCE_DATE_EPOCH: String(epoch) };
      const options = changes.flatMap((change) => ['-c', change]);
      return runCli(['import', ...options, tar, ...name], { env }).stdout.trim();
    };
    make(1_000_000_000, ['old/one:1'], 'LABEL a=1 b=2');
    make(1_100_000_000, ['old/two:2'], 'LABEL a=2');
    const nameless = make(1_200_000_000, [], 'LABEL a=3');
    make(1_300_000_000, ['new']);
    const names = (...args: string[]): string =>
      box.ok('images', '--format', '{{.Repository}}', ...args.flatMap((arg) => ['-f', arg])).replaceAll('\n', ' ');
    expect(names()).toBe('new <none> old/two old/one');
    expect(names('dangling=true')).toBe('<none>');
    expect(names('dangling=false')).toBe('new old/two old/one');
    expect(names('label=a')).toBe('<none> old/two old/one');
    expect(names('label=a=1', 'label=b')).toBe('old/one');
    expect(names('label=a=1', 'label=a=2')).toBe('');
    expect(names('before=new', 'since=old/one:1')).toBe('<none> old/two');
    expect(names(`before=${nameless.slice(7, 19)}`)).toBe('old/two old/one');
    expect(names('until=2004-11-10')).toBe('old/two old/one');
    expect(names('until=24h')).toBe('new <none> old/two old/one');
    expect(names('reference=old/*', 'reference=new', 'dangling=false')).toBe('new old/two old/one');
    expect(names('reference=old/*:2')).toBe('old/two');
    expect(box.ok('images', '--format', '{{.Tag}}', '-f', 'label=a', 'old/*')).toBe('2\n1');
    expect(box.ok('images', '-q', '--no-trunc', '-f', 'dangling=true')).toBe(nameless);
    expect(box.ok('images', '-f', 'dangling=true').split('\n')[1]).toMatch(/^<none> {6,}<none> {4,}[0-9a-f]{12} {3}/);
    expect(box.fails(2, 'images', '-f', 'colour=red')).toMatch(
      /^veneer: unknown filter 'colour'\n {2}hint: .*dangling=/,
    );
    expect(box.fails(1, 'images', '-f', 'before=none')).toContain('no such image: none');
  });

  test("has docker's fields, and counts what they share", () => {
    using box = sandboxWithBase('images');
    box.ok('import', '-c', 'LABEL a=b', box.at('base.tar'), 'twin');
    box.ok('create', 'twin');
    const [row] = box.ok('images', '--format', 'json', 'twin').split('\n');
    const fields = JSON.parse(row ?? '') as Record<string, string>;
    expect(Object.keys(fields)).toEqual([
      ...['Containers', 'CreatedAt', 'CreatedSince', 'Digest', 'ID', 'Repository', 'SharedSize', 'Size', 'Tag'],
      ...['UniqueSize', 'VirtualSize'],
    ]);
    expect(fields).toMatchObject({ Containers: '1', SharedSize: fields['Size'], UniqueSize: '0B', Digest: '<none>' });
    const table = 'table {{.ID}}\\t{{upper .Repository}}\\t{{.SharedSize}}\\t{{if .Tag}}{{.Tag}}{{else}}-{{end}}';
    expect(box.ok('images', '--format', table).split('\n')[0]).toMatch(/^IMAGE ID +REPOSITORY +SHARED SIZE +TAG$/);
    expect(box.ok('images', '--digests').split('\n')[0]).toMatch(/^REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE$/);
  });

  test('--digests, names by digest, and their removal', () => {
    using box = sandboxWithBase('images');
    box.ok('tag', 'base', 'team/app:1.0');
    box.ok('save', '--format', 'oci', '-o', box.at('layout/'), 'team/app:1.0');
    box.ok('rmi', 'base', 'team/app:1.0');
    box.ok('load', '-i', box.at('layout/'));
    const [digest = ''] = JSON.parse(box.ok('inspect', '-f', '{{json .RepoDigests}}', 'team/app:1.0')) as string[];
    const [, sha] = digest.split('@');
    expect(box.ok('images', '--digests').split('\n')[1]).toMatch(
      new RegExp(`^team/app +1\\.0 +${sha ?? ''} +[0-9a-f]{12} `),
    );
    expect(box.ok('images', '--format', '{{.Tag}} {{.Digest}}', digest)).toBe(`<none> ${sha ?? ''}`);
    expect(box.ok('images', '--format', '{{.Tag}} {{.Digest}}', 'team/app')).toBe(`1.0 ${sha ?? ''}`);
    box.ok('tag', digest, 'other');
    expect(box.ok('rmi', 'team/app:1.0').split('\n')).toEqual(['Untagged: team/app:1.0', `Untagged: ${digest}`]);
    expect(box.ok('images', '--digests', '--format', '{{.Repository}} {{.Digest}}')).toBe('other <none>');
    box.check();
  });

  test('of an empty store is the heading', () => {
    using box = sandbox('images');
    expect(box.ok('images').split('\n')).toHaveLength(1);
    expect(box.ok('images', '-q')).toBe('');
  });

  test('refuses', () => {
    using box = sandboxWithBase('images');
    box.fails(2, 'images', '--format', '{{.Nope}}');
    box.fails(2, 'images', 'a', 'b');
    box.fails(1, 'images', 'Not Valid');
  });
});

describe.skipIf(gate.skip)(gate.title('veneer tag and rmi'), () => {
  test('name and remove', () => {
    using box = sandboxWithBase('tag');
    const id = box.ok('images', '-q', '--no-trunc');
    expect(box.ok('tag', 'base', 'base:v1')).toBe('');
    expect(box.ok('tag', id.slice(7, 19), 'by/id')).toBe('');
    expect(box.ok('rmi', 'base:v1')).toBe('Untagged: base:v1');
    expect(box.ok('image', 'rm', 'by/id', 'base').split('\n')).toEqual([
      'Untagged: by/id:latest',
      'Untagged: base:latest',
      `Deleted: ${id}`,
      expect.stringMatching(/^Deleted: sha256:[0-9a-f]{64}$/),
    ]);
    expect(box.ok('images', '-q')).toBe('');
    box.check();
  });

  test('an ID with several names needs force', () => {
    using box = sandboxWithBase('tag');
    box.ok('tag', 'base', 'base:v1');
    const id = box.ok('images', '-q');
    expect(box.fails(1, 'rmi', id)).toMatch(/force|-f/);
    expect(box.ok('rmi', '-f', id).split('\n').slice(0, 2).sort()).toEqual([
      'Untagged: base:latest',
      'Untagged: base:v1',
    ]);
    box.check();
  });

  test('rmi goes on after a failure, with exit code 1', () => {
    using box = sandboxWithBase('tag');
    const { code, stdout, stderr } = box.run('rmi', 'none', 'base');
    expect(code).toBe(1);
    expect(stdout).toContain('Untagged: base:latest');
    expect(stderr).toMatch(/^veneer: [^\n]*none/);
    box.check();
  });

  test('an image that a container uses stays', () => {
    using box = sandboxWithBase('tag');
    box.ok('create', '--name', 'work', 'base');
    expect(box.fails(1, 'rmi', 'base')).toMatch(/in use|used by|container/);
    box.ok('rm', 'work');
    box.ok('rmi', 'base');
    box.check();
  });

  test('refuse', () => {
    using box = sandboxWithBase('tag');
    expect(box.fails(1, 'tag', 'none', 'x')).toContain('none');
    expect(box.fails(1, 'tag', 'base', 'Bad Name')).toContain('Bad Name');
    expect(box.fails(1, 'tag', 'base', 'base@sha256:0')).toContain('sha256:0');
    box.fails(2, 'tag', 'base');
    box.fails(2, 'rmi');
    expect(box.fails(1, 'rmi', 'f00')).toContain('f00');
  });
});
