// Health checks: one small process for each container that has them, which the start of the container starts, and which ends with it.

import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { encodeSpec, freezerFiles } from '../../runtime/index.js';
import type { Runtime } from '../../runtime/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { kill } from '../../sys/index.js';
import type { ProcessIdentity } from '../../sys/index.js';
import { execProcess } from '../exec-process.js';
import { documentOf } from '../document.js';
import { NOT_WATCHED_YET, healthDirectory, healthWatcher, lastHealthOf } from './health-file.js';
import type { Health } from './health-file.js';
import { healthSettings } from './health-settings.js';
import { healthScript } from './health-script.js';

/** Starts the process that checks a container which has just been started, if it has health checks. */
export function startHealthChecks(
  store: Store,
  record: ContainerRecord,
  { runtime, first }: { readonly runtime: Runtime; readonly first: ProcessIdentity },
): void {
  const { config } = documentOf(store, record);
  const settings = healthSettings(config.Healthcheck, config.Shell);
  if (settings === undefined) return;
  const directory = healthDirectory(runtime.files(record.id).directory);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  const { process: spec, cgroups } = execProcess(store, record, { args: settings.command, tty: false });
  const [processFile, script] = [join(directory, 'process.json'), join(directory, 'watch')];
  writeFileSync(processFile, encodeSpec(spec), { mode: 0o600 });
  const check = runtime.execCommand(record.id, { process: processFile, pidFile: join(directory, 'pid'), cgroups });
  const origin = Date.now() - uptime() * 1000;
  writeFileSync(script, healthScript({ settings, first, freezers: freezerFiles(first.pid), check, origin }));
  writeFileSync(join(directory, 'state'), NOT_WATCHED_YET);
  const watcher = spawn('/bin/sh', [script], { detached: true, stdio: 'ignore', cwd: directory });
  watcher.once('error', () => undefined);
  watcher.unref();
}

const SIGKILL = 9;

/** Ends what checks a container, at once; returns what it has found. `directory`: the container's run directory. */
export function endHealthChecks(directory: string): Health | undefined {
  const health = lastHealthOf(directory);
  const watcher = healthWatcher(directory);
  // With what it has started: it leads their process group.
  if (watcher !== undefined) kill(-watcher.pid, SIGKILL);
  return health;
}
