// crun as it wants to be started. A container that gets hold of the program which has made it could change it for the next one
// (CVE-2019-5736): so crun mounts itself read-only and starts again from there, every time. Of a copy that nobody can change it does
// not (is_self_cloned, src/libcrun/cloned_binary.c).

import { closeSync, existsSync, readFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { memoryFile, seal } from '../sys/index.js';

const copies = new Map<string, string>();

const ELF = '\x7fELF';

/** With SELinux a program's label tells what it may do; a copy has none. */
const SELINUX = '/sys/fs/selinux/enforce';

/** How a runtime is started while this process is there: by a sealed copy where it is crun, else by its path. */
export function sealedProgram(path: string): string {
  if (basename(path) !== 'crun' || existsSync(SELINUX)) return path;
  const made = copies.get(path) ?? sealedCopy(path) ?? path;
  copies.set(path, made);
  return made;
}

/** Open until this process ends. Undefined where it cannot be had, and for a script. */
function sealedCopy(path: string): string | undefined {
  const program = readFileSync(path);
  if (program.toString('latin1', 0, ELF.length) !== ELF) return undefined;
  const fd = memoryFile('crun');
  if (fd < 0) return undefined;
  if (writeSync(fd, program) === program.length && seal(fd) >= 0)
    return `/proc/${String(process.pid)}/fd/${String(fd)}`;
  closeSync(fd);
  return undefined;
}
