// Which file holds which command. A file is loaded when its command is called, and only then.

import type { Command } from 'commander';
import type { CommandId } from './names.js';

interface CommandFile {
  /** Declares arguments, options, help and action. */
  configure(command: Command): void;
}

const FILES: Readonly<Record<CommandId, () => Promise<CommandFile>>> = {
  import: () => import('./commands/import.js'),
  load: () => import('./commands/load.js'),
  save: () => import('./commands/save.js'),
  export: () => import('./commands/export.js'),
  images: () => import('./commands/images.js'),
  inspect: () => import('./commands/inspect.js'),
  history: () => import('./commands/history.js'),
  tag: () => import('./commands/tag.js'),
  rmi: () => import('./commands/rmi.js'),
  pull: () => import('./commands/pull.js'),
  push: () => import('./commands/push.js'),
  login: () => import('./commands/login.js'),
  logout: () => import('./commands/logout.js'),
  search: () => import('./commands/search.js'),
  tags: () => import('./commands/tags.js'),
  'manifest-inspect': () => import('./commands/manifest-inspect.js'),
  create: () => import('./commands/create.js'),
  run: () => import('./commands/run.js'),
  exec: () => import('./commands/exec.js'),
  attach: () => import('./commands/attach.js'),
  logs: () => import('./commands/logs.js'),
  start: () => import('./commands/start.js'),
  stop: () => import('./commands/stop.js'),
  restart: () => import('./commands/restart.js'),
  kill: () => import('./commands/kill.js'),
  pause: () => import('./commands/pause.js'),
  unpause: () => import('./commands/unpause.js'),
  wait: () => import('./commands/wait.js'),
  'container-cleanup': () => import('./commands/container-cleanup.js'),
  mount: () => import('./commands/mount.js'),
  top: () => import('./commands/top.js'),
  umount: () => import('./commands/umount.js'),
  stats: () => import('./commands/stats.js'),
  ps: () => import('./commands/ps.js'),
  diff: () => import('./commands/diff.js'),
  which: () => import('./commands/which.js'),
  commit: () => import('./commands/commit.js'),
  port: () => import('./commands/port.js'),
  cp: () => import('./commands/cp.js'),
  snapshot: () => import('./commands/snapshot.js'),
  snapshots: () => import('./commands/snapshots.js'),
  rollback: () => import('./commands/rollback.js'),
  branch: () => import('./commands/branch.js'),
  rename: () => import('./commands/rename.js'),
  rm: () => import('./commands/rm.js'),
  overlay: () => import('./commands/overlay.js'),
  'image-prune': () => import('./commands/image-prune.js'),
  'container-prune': () => import('./commands/container-prune.js'),
  'volume-create': () => import('./commands/volume-create.js'),
  'volume-ls': () => import('./commands/volume-ls.js'),
  'volume-inspect': () => import('./commands/volume-inspect.js'),
  'volume-rm': () => import('./commands/volume-rm.js'),
  'volume-prune': () => import('./commands/volume-prune.js'),
  df: () => import('./commands/system-df.js'),
  check: () => import('./commands/system-check.js'),
  prune: () => import('./commands/system-prune.js'),
  unshare: () => import('./commands/unshare.js'),
  completion: () => import('./commands/completion.js'),
  version: () => import('./commands/version.js'),
};

export async function configureCommand(id: CommandId, command: Command): Promise<void> {
  const file = await FILES[id]();
  file.configure(command);
}
