// Each verb with arguments that are none: one line and a hint on stderr, nothing on stdout, exit code 2.

import { afterAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/names.js';
import type { CommandName } from '../../src/cli/names.js';
import { runCli } from '../helpers/run-cli.js';
import { tempDir } from '../helpers/tmp.js';

/** Wrong arguments of each command, by what is wrong with them. */
const WRONG: Readonly<Record<string, readonly (readonly [args: string, message: RegExp])[]>> = {
  import: [['', /missing required argument 'file'/]],
  export: [['', /missing required argument/]],
  load: [['x', /too many arguments/]],
  save: [
    ['', /missing required argument 'image'/],
    ['--format tar x', /'tar' is invalid/],
  ],
  images: [
    ['a b', /too many arguments/],
    ['-f x', /'x' is not of the form NAME=VALUE/],
    ['-f colour=red', /unknown filter 'colour'/],
    ['-f dangling=perhaps', /true or false/],
    ['-f until=soon', /'soon' is not a time/],
    ['--format {{.ID', /is not closed/],
    ['--format {{nope}}', /'nope' is not a function/],
  ],
  inspect: [
    ['', /missing required argument 'name'/],
    ['--type volume x', /'volume' is invalid/],
    ['--oci index x', /'index' is invalid/],
    ['--oci config x y', /one image/],
    ['-f {{end}} x', /nothing for this 'end' to end/],
    ['--platform linux/arm64 x', /takes --remote/],
    ['--remote --size x', /--size is not for --remote/],
    ['--remote --type layer x', /--type layer is not for --remote/],
    ['--remote --oci config x y', /one image/],
    ['--remote --creds :x x', /the user is missing/],
    ['--remote --retry often x', /'often': it must be a whole number from 0/],
    ['--remote --retry-delay soon x', /'soon': it is not a length of time/],
  ],
  history: [
    ['', /name an image/],
    ['a b', /one image, or --tree/],
  ],
  tag: [
    ['a', /missing required argument 'target'/],
    ['a b c', /too many arguments/],
  ],
  rmi: [['', /missing required argument 'image'/]],
  pull: [
    ['', /missing required argument 'name'/],
    ['a b', /too many arguments/],
    ['-a r.test/a:1', /--all-tags goes with a name alone/],
    ['--retry x r.test/a', /--retry 'x'/],
  ],
  push: [
    ['', /missing required argument 'image'/],
    ['a b c', /too many arguments/],
    ['--format tar x', /'tar' is invalid/],
    ['--compression none x', /'none' is invalid/],
    ['--compression zstd --format docker x', /the format docker has no layers compressed with zstd/],
    ['--compression-level 10 x', /--compression-level '10': a level is 1 to 9 for gzip/],
    ['--compression zstd --compression-level 20 x', /1 to 19 for zstd/],
    ['--all-tags x:1', /--all-tags takes a name without a tag or digest/],
    ['--all-tags x y', /--all-tags goes with neither a destination nor --digestfile/],
    ['0'.repeat(64), /an ID is no name to push an image under/],
  ],
  login: [
    ['a.x b.x', /too many arguments/],
    ['amy', /'amy' is not a registry: write HOST\[:PORT\]/],
    ['a.x/Team', /no repository's name after its host/],
    ['--password-stdin a.x', /--password-stdin needs --username/],
    ['-u amy -p x --password-stdin a.x', /--password and --password-stdin contradict each other/],
    ['-u amy:x a.x', /a user name has no colon/],
    ['-u amy --password-stdin a.x', /standard input is empty/],
    ['-u amy --authfile= --password-stdin a.x', /--authfile is empty/],
  ],
  logout: [
    ['a.x b.x', /too many arguments/],
    ['--all a.x', /--all is for all registries/],
    ['amy', /'amy' is not a registry/],
  ],
  search: [
    ['', /missing required argument 'term'/],
    ['docker.io/', /Docker Hub tells no list of all it has/],
    ['--limit 0 x', /--limit '0': it must be a whole number from 1/],
    ['--limit 101 x', /--limit '101': it must be from 1 to 100/],
    ['-f stars=many x', /filter 'stars=many': it is a number/],
    ['-f is-official=perhaps x', /true or false/],
    ['-f colour=red x', /unknown filter 'colour'/],
    ['--format {{.Name x', /is not closed/],
  ],
  tags: [
    ['', /missing required argument 'name'/],
    ['debian:12', /'debian:12' has the tag '12': name a repository alone/],
    [`debian@sha256:${'0'.repeat(64)}`, /has a digest: name a repository alone/],
    ['--limit 0 debian', /--limit '0': it must be a whole number from 1/],
    ['--format {{.Tag debian', /is not closed/],
    ['--tls-verify=perhaps debian', /unknown option '--tls-verify=perhaps'/],
  ],
  'manifest inspect': [
    ['', /missing required argument 'name'/],
    ['a b', /too many arguments/],
    ['--local --platform linux/arm64 x', /--local asks none/],
  ],
  create: [
    ['', /missing required argument 'image'/],
    ['--pull sometimes x', /'sometimes' is invalid/],
  ],
  mount: [
    ['a b c', /too many arguments/],
    ['--pull sometimes x', /'sometimes' is invalid/],
  ],
  umount: [['', /name a container or a directory/]],
  stats: [
    ['--server', /name one container or directory/],
    ['--interval 5', /--interval is for --server/],
    ['--server --format table /', /--format 'table' is not json/],
  ],
  top: [['', /missing required argument 'container'/]],
  ps: [
    ['x', /too many arguments/],
    ['--filter colour=red', /unknown filter 'colour'/],
    ['--filter status=well', /'status=well': it is one of created, mounted/],
    ['--filter exited=x', /'exited=x': it is an exit code/],
    ['--filter name=[', /'name=\[': it is not a regular expression/],
    ['-n x', /--last 'x': it must be a whole number from 0/],
  ],
  diff: [['', /missing required argument/]],
  which: [['', /missing required argument/]],
  commit: [['', /missing required argument 'container'/]],
  cp: [
    ['a', /missing required argument 'destination'/],
    ['a b', /'b' is not in a container/],
    ['- -', /'-' is not in a container/],
  ],
  port: [
    ['', /missing required argument 'container'/],
    ['a 80 81', /too many arguments/],
  ],
  snapshot: [['', /missing required argument 'container'/]],
  snapshots: [['', /missing required argument 'container'/]],
  rollback: [['', /missing required argument 'container'/]],
  branch: [
    ['', /missing required argument 'container'/],
    ['-p http web', /'http'/],
  ],
  rename: [['a', /missing required argument 'name'/]],
  rm: [['', /missing required argument 'container'/]],
  'image prune': [
    ['x', /too many arguments/],
    ['-f --filter dangling=true', /unknown filter 'dangling'/],
  ],
  run: [
    ['', /missing required argument 'image'/],
    ['-d -a stdout box', /--detach contradicts --attach/],
    ['--detach-keys ctrl-1 box', /detach keys 'ctrl-1': 'ctrl-1' is no key/],
    ['-it box', /stdin is not a terminal/],
    ['--cpus 9999 box', /--cpus '9999': it is 0.01 to [0-9]+, as many as this host has/],
  ],
  exec: [
    ['', /missing required argument 'container'/],
    ['web', /missing required argument 'command'/],
    ['-it web sh', /stdin is not a terminal/],
  ],
  attach: [
    ['', /missing required argument 'container'/],
    ['a b', /too many arguments/],
  ],
  logs: [
    ['', /missing required argument 'container'/],
    ['-n many web', /--tail 'many': it must be a whole number from 0/],
    ['--since soon web', /'soon' is not a time/],
  ],
  start: [
    ['', /name containers, or say --all/],
    ['-a x y', /one container can be attached to at a time/],
  ],
  stop: [
    ['', /missing required argument 'container'/],
    ['-t soon web', /--timeout 'soon': it must be a whole number/],
  ],
  restart: [['', /missing required argument 'container'/]],
  kill: [['', /missing required argument 'container'/]],
  pause: [['', /missing required argument 'container'/]],
  unpause: [['', /missing required argument 'container'/]],
  wait: [
    ['', /missing required argument 'container'/],
    ['--condition well web', /Allowed choices are not-running, next-exit, removed/],
  ],
  'container cleanup': [['', /missing required argument 'container'/]],
  'container prune': [['-f --filter name=x', /unknown filter 'name'/]],
  'volume create': [['a b', /too many arguments/]],
  'volume ls': [['x', /too many arguments/]],
  'volume inspect': [['', /missing required argument 'volume'/]],
  'volume rm': [['', /missing required argument 'volume'/]],
  'volume prune': [['x', /too many arguments/]],
  'system df': [['x', /too many arguments/]],
  'system check': [['x', /too many arguments/]],
  'system prune': [
    ['x', /too many arguments/],
    ['-f --filter until=soon', /'soon' is not a time/],
  ],
  unshare: [['true', /root sees everything as it is/]],
  completion: [
    ['', /missing required argument 'shell'/],
    ['tcsh', /unknown shell 'tcsh'/],
  ],
  version: [['x', /too many arguments/]],
};

const verbs = (COMMANDS as readonly CommandName[]).map(({ name, groups = [], groupOnly }) => {
  const [first] = groups;
  return groupOnly === true ? `${first?.group ?? ''} ${first?.verbs[0] ?? ''}` : name;
});

describe('wrong arguments', () => {
  const store = tempDir('arguments');
  afterAll(() => store.remove());

  test('are known of every command', () => {
    expect(verbs.filter((verb) => !(verb in WRONG))).toEqual(['overlay']);
  });

  const cases = Object.entries(WRONG).flatMap(([verb, wrong]) => {
    const all = [...wrong, ['--nope', /unknown option '--nope'/] as const];
    return verbs.includes(verb) ? all.map(([args, message]) => [`${verb} ${args}`.trim(), message] as const) : [];
  });
  test.each(cases)('veneer %s', (line, message) => {
    const { code, stdout, stderr } = runCli(line.split(' '), { env: { VENEER_ROOT: store.path } });
    // What runs a command has exit codes of the command's own.
    const wrong = /^(?:run|exec)\b/.test(line) ? 125 : 2;
    expect({ code, stdout }).toEqual({ code: wrong, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^veneer: [^\n]+\n {2}hint: [^\n]+\n$/);
  });
});
