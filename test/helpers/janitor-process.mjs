// Runs beside a test file: un-mounts and removes its directories when the file is done or has died, and cuts the
// connection of a FUSE mount on which an operation hangs. Reads one JSON command per line; needs nothing from src, so
// that it works when nothing else does.
//
//   {"watch": dir}                  a directory whose mounts and content go when the input ends
//   {"forget": dir}                 it is gone already
//   {"arm": ms, "label": text, "marker": file}   unless disarmed in time: cut all FUSE mounts below, write the marker
//   {"disarm": true}

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const koffi = createRequire(import.meta.url)('koffi');
const umount2 = koffi.load('libc.so.6').func('int umount2(const char *, int)');
const MNT_FORCE = 1;
const MNT_DETACH = 2;

const watched = new Set();
let timer;

// Ctrl-C goes to the whole process group; the end of the input is the signal that counts.
process.on('SIGINT', () => undefined);

function mountsBelow(dir, type) {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => type === undefined || (line.split(' - ')[1] ?? '').startsWith(type))
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8))),
    )
    .filter((mount) => mount.startsWith(`${dir}/`))
    .reverse();
}

/** MNT_FORCE aborts a FUSE connection: every operation on it that waits fails at once. */
function cut(dir, type) {
  for (const mount of mountsBelow(dir, type)) umount2(mount, MNT_FORCE | MNT_DETACH);
}

function expire({ label, ms, marker }) {
  process.stderr.write(`watchdog: '${label}' took more than ${String(ms)} ms; its FUSE mounts are cut off\n`);
  writeFileSync(marker, label);
  for (const dir of watched) cut(dir, 'fuse');
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  if (command.watch !== undefined) watched.add(command.watch);
  else if (command.forget !== undefined) watched.delete(command.forget);
  else if (command.arm !== undefined) {
    clearTimeout(timer);
    timer = setTimeout(expire, command.arm, { label: command.label, ms: command.arm, marker: command.marker });
  } else clearTimeout(timer);
}

clearTimeout(timer);
for (const dir of watched) {
  cut(dir);
  if (mountsBelow(dir).length === 0) rmSync(dir, { recursive: true, force: true });
}
