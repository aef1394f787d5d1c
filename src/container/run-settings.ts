// What of a container's configuration its life depends on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerRecord, Store } from '../store/index.js';

export interface RunSettings {
  readonly terminal: boolean;
  readonly stdin: 'none' | 'once' | 'open';
  readonly stopSignal: string | undefined;
  /** Seconds. */
  readonly stopTimeout: number | undefined;
  readonly autoRemove: boolean;
  readonly restart: { readonly name: string; readonly maximum: number };
  readonly runtime: string | undefined;
}

interface Document {
  readonly config?: {
    Tty?: boolean;
    OpenStdin?: boolean;
    StdinOnce?: boolean;
    StopSignal?: string;
    StopTimeout?: number;
  };
  readonly host?: {
    AutoRemove?: boolean;
    RestartPolicy?: { Name?: string; MaximumRetryCount?: number };
    Runtime?: string;
  };
}

export function runSettings(store: Store, record: ContainerRecord): RunSettings {
  const file = join(store.containers.directory(record.id), 'config.json');
  const { config = {}, host = {} } = JSON.parse(readFileSync(file, 'utf8')) as Document;
  return {
    terminal: config.Tty === true,
    stdin: config.OpenStdin !== true ? 'none' : config.StdinOnce === true ? 'once' : 'open',
    stopSignal: config.StopSignal,
    stopTimeout: config.StopTimeout,
    autoRemove: host.AutoRemove === true,
    restart: { name: host.RestartPolicy?.Name ?? 'no', maximum: host.RestartPolicy?.MaximumRetryCount ?? 0 },
    runtime: host.Runtime,
  };
}
