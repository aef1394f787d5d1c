// The filters of `ps`, combined as docker combines them: several labels must all be met, of each of the others one value.

import type { Container } from '../container/index.js';
import { VeneerError } from '../core/index.js';
import type { Store } from '../store/index.js';
import { parseExpose } from '../network/index.js';
import type { ExposedPort } from '../network/index.js';
import { exposedPorts, publishedPorts } from './container-ports.js';
import { mountName } from './container-rows.js';
import { stateWord } from './container-status.js';
import { booleanFilter, hasLabel, labelFilters } from './filter.js';
import type { Filters } from './filter.js';

type Test = (container: Container) => boolean;
/** Of the values of one filter. */
type Maker = (values: readonly string[], store: Store) => Test;

const STATES = ['created', 'mounted', 'restarting', 'running', 'paused', 'exited', 'dead'];
const POLICIES = ['no', 'always', 'on-failure', 'unless-stopped'];
const HEALTHS = ['starting', 'healthy', 'unhealthy', 'none'];

function oneOf(name: string, values: readonly string[], known: readonly string[]): readonly string[] {
  const unknown = values.find((value) => !known.includes(value));
  if (unknown === undefined) return values;
  throw new VeneerError('usage', `filter '${name}=${unknown}': it is one of ${known.join(', ')}`);
}

/** podman's words for what a daemon of docker's would start again. */
function startsOnBoot({ id, host }: Container, store: Store): boolean {
  const { Name } = host.RestartPolicy;
  return Name === 'always' || (Name === 'unless-stopped' && store.runs.get(id)?.stopped !== true);
}

/** Patterns that are found anywhere, as Go's regexp finds them. */
function patterns(name: string, values: readonly string[]): (text: string) => boolean {
  const expressions = values.map((value) => {
    try {
      return new RegExp(value);
    } catch (cause) {
      throw new VeneerError('usage', `filter '${name}=${value}': it is not a regular expression`, { cause });
    }
  });
  return (text) => expressions.some((expression) => expression.test(text));
}

/** Containers of an image, and of images that were made from it. */
function ancestor(values: readonly string[], store: Store): Test {
  const images = values.flatMap((value) => store.images.find(value) ?? []);
  return ({ image, layers }) =>
    images.some(
      (one) => image === one.id || (one.layers.length > 0 && one.layers.every((id, at) => layers[at] === id)),
    );
}

function created(values: readonly string[], store: Store, compare: (time: number, other: number) => boolean): Test {
  const others = values.map((value) => store.containers.resolve(value).created.getTime());
  return (container) => others.some((other) => compare(container.created.getTime(), other));
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portTest(values: readonly string[], portsOf: (container: Container) => readonly ExposedPort[]): Test {
  const wanted = values.flatMap(parseExpose);
  return (container) =>
    portsOf(container).some(({ port, protocol }) =>
      wanted.some((one) => one.port === port && one.protocol === protocol),
    );
}

const MAKERS: Readonly<Record<string, Maker>> = {
  ancestor,
  before: (values, store) => created(values, store, (time, other) => time < other),
  since: (values, store) => created(values, store, (time, other) => time > other),
  exited(values) {
    const codes = values.map((value) => {
      if (/^\d{1,3}$/.test(value)) return Number(value);
      throw new VeneerError('usage', `filter 'exited=${value}': it is an exit code`);
    });
    return ({ run }) => run.status === 'exited' && codes.includes(run.exitCode ?? 0);
  },
  expose: (values) =>
    portTest(values, (container) => [
      ...exposedPorts(container),
      ...publishedPorts(container).map(({ protocol, containerPort: port }) => ({ protocol, port })),
    ]),
  health(values) {
    const wanted = oneOf('health', values, HEALTHS);
    return ({ run }) => wanted.includes(run.health?.status ?? 'none');
  },
  id(values) {
    const matches = patterns('id', values);
    return ({ id }) => matches(id);
  },
  label(values) {
    const labels = labelFilters(new Map([['label', values]]), 'label');
    return (container) => labels.every((label) => hasLabel(container.labels, label));
  },
  name(values) {
    const matches = patterns('name', values);
    // docker's names begin with a slash, and who knows it writes `^/web$`.
    return ({ name }) => matches(name) || matches(`/${name}`);
  },
  network: (values) => {
    const shown = (mode: string): string => (mode === 'default' ? 'bridge' : mode);
    return ({ run, host }) => values.map(shown).includes(shown(run.network?.mode ?? host.NetworkMode));
  },
  publish: (values) =>
    portTest(values, (container) =>
      publishedPorts(container).map(({ protocol, hostPort: port }) => ({ protocol, port })),
    ),
  'restart-policy': (values) => {
    const wanted = oneOf('restart-policy', values, POLICIES);
    return ({ host }) => wanted.includes(host.RestartPolicy.Name);
  },
  'should-start-on-boot': (values, store) => {
    const wanted = booleanFilter(new Map([['should-start-on-boot', values]]), 'should-start-on-boot');
    return (container) => startsOnBoot(container, store) === wanted;
  },
  status(values) {
    const wanted = oneOf('status', values, STATES);
    return (container) => wanted.includes(stateWord(container));
  },
  volume: (values) => (container) =>
    container.mounts.some((mount) => [mountName(mount), mount.Destination].some((name) => values.includes(name))),
};

export const CONTAINER_FILTERS = Object.keys(MAKERS);

/** Whether the filters speak of containers that do not run. */
export function impliesAll(filters: Filters): boolean {
  return filters.has('status') || filters.has('exited');
}

export function filterContainers(store: Store, containers: readonly Container[], filters: Filters): Container[] {
  const tests = [...filters].flatMap(([name, values]) => MAKERS[name]?.(values, store) ?? []);
  return containers.filter((container) => tests.every((test) => test(container)));
}
