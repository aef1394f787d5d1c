// A small real Debian root, copied offline from the machine the tests run on: its essential packages with all they
// depend on, and a package database that knows just these.

import { mkdirSync, readFileSync, symlinkSync, writeFileSync, existsSync, cpSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { runWell } from './other-process.js';

const WANTED = ['adduser', 'passwd', 'login', 'dpkg', 'tar'];

interface Package {
  readonly name: string;
  readonly paragraph: string;
  readonly essential: boolean;
  readonly needs: readonly string[];
}

const field = (paragraph: string, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';

function installedPackages(): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const paragraph of readFileSync('/var/lib/dpkg/status', 'utf8').split('\n\n')) {
    if (field(paragraph, 'Status') !== 'install ok installed') continue;
    const needs = ['Pre-Depends', 'Depends'].flatMap((kind) => field(paragraph, kind).split(/[,|]/));
    packages.set(field(paragraph, 'Package'), {
      name: field(paragraph, 'Package'),
      paragraph,
      essential: field(paragraph, 'Essential') === 'yes',
      needs: needs.map((need) => need.trim().split(/[ :(]/)[0] ?? ''),
    });
  }
  return packages;
}

function closure(packages: ReadonlyMap<string, Package>): Package[] {
  const chosen = new Set<Package>();
  const choose = (name: string): void => {
    const found = packages.get(name);
    if (found === undefined || chosen.has(found)) return;
    chosen.add(found);
    found.needs.forEach(choose);
  };
  for (const { name, essential } of packages.values()) if (essential || WANTED.includes(name)) choose(name);
  return [...chosen];
}

/** Documentation and translations make most of the files, and nothing of the behaviour. */
const LEFT_OUT = /^\/usr\/share\/(locale|man|i18n|info)\//;

/** Fills an empty directory. */
export async function copyDebianRoot(root: string): Promise<void> {
  const packages = closure(installedPackages());
  const listed = await runWell('dpkg', ['-L', ...packages.map(({ name }) => name)]);
  const files = [...new Set(listed.split('\n'))].filter(
    (name) => name.startsWith('/') && !LEFT_OUT.test(name) && existsSync(name),
  );
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(path.join(root, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, path.join(root, name));
  }
  // As dpkg installed them under / or /usr, all lies under /usr now.
  const merged = files
    .map((name) => name.replace(/^\/(bin|sbin|lib|lib64)(\/|$)/, '/usr/$1$2'))
    .filter((name) => name !== '/.' && existsSync(name));
  const list = [...new Set(merged)].join('\n');
  await runWell('sh', ['-c', `tar -c --no-recursion -C / -T - | tar -x -C '${root}'`], { input: `${list}\n` });
  for (const name of [
    'etc',
    'proc',
    'sys',
    'dev',
    'root',
    'home',
    'tmp',
    'var/lib/dpkg/info',
    'var/lib/dpkg/updates',
    'var/log',
  ]) {
    mkdirSync(path.join(root, name), { recursive: true });
  }
  const write = (name: string, text: string): void => writeFileSync(path.join(root, name), text);
  // Made by the packages' scripts, so not in their lists.
  cpSync('/etc/pam.d', path.join(root, 'etc/pam.d'), { recursive: true });
  write('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n');
  write('etc/group', 'root:x:0:\nnogroup:x:65534:\n');
  write('etc/shadow', 'root:*:19000:0:99999:7:::\n');
  write('etc/hosts', '127.0.0.1 localhost\n');
  write('var/lib/dpkg/status', `${packages.map(({ paragraph }) => paragraph).join('\n\n')}\n\n`);
  const names = new Set(packages.map(({ name }) => name));
  const info = '/var/lib/dpkg/info';
  for (const name of readdirSync(info)) {
    if (names.has(name.split(/[.:]/)[0] ?? '') || names.has(name.replace(/(:[a-z0-9]+)?\.[a-z0-9]+$/, '')))
      cpSync(path.join(info, name), path.join(root, info, name));
  }
}
