// Image configurations: OCI image spec, config.md. Field names are those of the document.

import type { DiffId } from './ids.js';
import { parseDiffId } from './ids.js';
import { isDigest } from '../core/index.js';
import { asArray, asBoolean, asMap, asNumber, asObject, asString, at, malformed } from './json.js';
import { parseDocument, readFields, required } from './json.js';
import type { JsonPlace } from './json.js';

/** Docker's health check: durations in nanoseconds. */
export interface Healthcheck {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

type Names = Readonly<Record<string, object>>;

/** How a container of the image runs by default: the `config` of the document. */
export interface RuntimeConfig {
  readonly User?: string;
  readonly ExposedPorts?: Names;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Healthcheck?: Healthcheck;
  readonly Volumes?: Names;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True for an entry that made no layer. */
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly os: string;
  readonly config?: RuntimeConfig;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly DiffId[] };
  readonly history?: readonly HistoryEntry[];
}

const strings = (value: unknown, place: JsonPlace): string[] => asArray(value, place, asString);
const names = (value: unknown, place: JsonPlace): Names => asMap(value, place, asObject);

function readHealthcheck(value: unknown, place: JsonPlace): Healthcheck {
  return readFields<Healthcheck>(asObject(value, place), place, {
    Test: strings,
    Interval: asNumber,
    Timeout: asNumber,
    StartPeriod: asNumber,
    StartInterval: asNumber,
    Retries: asNumber,
  });
}

function readRuntime(value: unknown, place: JsonPlace): RuntimeConfig {
  return readFields<RuntimeConfig>(asObject(value, place), place, {
    User: asString,
    ExposedPorts: names,
    Env: strings,
    Entrypoint: strings,
    Cmd: strings,
    Healthcheck: readHealthcheck,
    Volumes: names,
    WorkingDir: asString,
    Labels: (map, where) => asMap(map, where, asString),
    StopSignal: asString,
    OnBuild: strings,
    Shell: strings,
  });
}

function readHistory(value: unknown, place: JsonPlace): HistoryEntry {
  return readFields<HistoryEntry>(asObject(value, place), place, {
    created: asString,
    created_by: asString,
    author: asString,
    comment: asString,
    empty_layer: asBoolean,
  });
}

function readDiffId(value: unknown, place: JsonPlace): DiffId {
  const text = asString(value, place);
  if (!isDigest(text)) throw malformed(place, 'a sha256 digest');
  return parseDiffId(text);
}

function readRootfs(value: unknown, place: JsonPlace): ImageConfig['rootfs'] {
  const read = readFields<{ type: string; diff_ids: DiffId[] }>(asObject(value, place), place, {
    type: asString,
    diff_ids: (list, where) => asArray(list, where, readDiffId),
  });
  if (read.type !== 'layers') throw malformed(at(place, 'type'), "'layers'");
  return { ...read, type: 'layers', diff_ids: read.diff_ids ?? [] };
}

/** Parses an image configuration. Fields this program does not know are kept. Throws `invalid`. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const place = { document: 'image config', path: '' };
  const read = readFields<ImageConfig>(parseDocument(bytes, place.document), place, {
    created: asString,
    author: asString,
    architecture: asString,
    variant: asString,
    os: asString,
    config: readRuntime,
    rootfs: readRootfs,
    history: (list, where) => asArray(list, where, readHistory),
  });
  return {
    ...read,
    architecture: required(read.architecture, at(place, 'architecture')),
    os: required(read.os, at(place, 'os')),
    rootfs: required(read.rootfs, at(place, 'rootfs')),
  };
}

/** The bytes of a configuration, whose digest is the image's ID: equal for equal configurations, however built. */
export function encodeImageConfig(config: ImageConfig): Buffer {
  // Reading what was written puts the known fields into their one order.
  const ordered = parseImageConfig(Buffer.from(JSON.stringify(config), 'utf8'));
  return Buffer.from(JSON.stringify(ordered), 'utf8');
}
