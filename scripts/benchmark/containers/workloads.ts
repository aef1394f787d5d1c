// Work on containers, and who else does it. Scripts see $OUT (fresh and empty), and `veneer`; $VENEER_STORE, $PODMAN and Docker's daemon
// have the images bench-box (busybox) and bench-root (a Debian system).

import type { Contestant, ImageWorkload } from '../compare.js';

/** The same words for all: what differs is who runs them. */
interface Steps {
  readonly before?: string;
  readonly run: string;
  readonly after?: string;
}

const PROGRAMS = {
  veneer: 'c() { VENEER_ROOT=$VENEER_STORE veneer "$@"; }',
  podman: 'c() { $PODMAN "$@"; }',
  docker: 'c() { docker "$@"; }',
} as const;

/** Docker's daemon is not started for this: it takes part where it runs. */
const isHere = (name: string): boolean => name !== 'docker' || Boolean(process.env['DOCKER']);

function all({ before = '', run, after }: Steps): [Contestant, ...Contestant[]] {
  const others = Object.keys(PROGRAMS).filter((name) => name !== 'veneer' && isHere(name)) as ('podman' | 'docker')[];
  const contestant = (name: keyof typeof PROGRAMS): Contestant => ({
    name,
    before: `${PROGRAMS[name]}\n${before}`,
    run,
    ...(after === undefined ? {} : { after }),
  });
  return [contestant('veneer'), ...others.map(contestant)];
}

const TARGETS = ['podman', 'docker'].filter(isHere).map((against) => ({ against, limit: 1 }));

/** Docker takes the container's pid 1 ten seconds to stop unless it is killed; so do all. */
const REMOVE = 'c rm -f "$id"';

export const CONTAINER_WORKLOADS: readonly ImageWorkload[] = [
  {
    name: 'run',
    title: 'run --rm of true in busybox, from start to exit, with the network that is the default',
    contestants: all({ run: 'c run --rm bench-box true' }),
    targets: TARGETS,
  },
  {
    name: 'run-no-network',
    title: 'the same with --network none',
    contestants: all({ run: 'c run --rm --network none bench-box true' }),
    targets: TARGETS,
  },
  {
    name: 'run-debian',
    title: 'the same in a Debian system, with the default network',
    contestants: all({ run: 'c run --rm bench-root true' }),
    targets: TARGETS,
  },
  {
    name: 'run-published',
    title: 'the same in busybox with a published port',
    contestants: all({ run: 'c run --rm -p 127.0.0.1:48080:80 bench-box true' }),
  },
  {
    name: 'exec',
    title: 'exec of true in a running container',
    contestants: all({ before: 'id=$(c run -d bench-box sleep 1000)', run: 'c exec "$id" true', after: REMOVE }),
    targets: TARGETS,
  },
  {
    name: 'start-remove',
    title: 'run -d, then rm -f',
    contestants: all({ run: 'id=$(c run -d bench-box sleep 1000); c rm -f "$id"' }),
    targets: TARGETS,
  },
  {
    name: 'commit-running',
    title: '200 changed files of a running Debian system become an image',
    contestants: all({
      before: `id=$(c run -d bench-root sleep 1000)
c exec "$id" sh -c 'mkdir /changed; for n in $(seq 200); do echo $n >/changed/$n; done'`,
      run: 'c commit "$id" bench-new >"$OUT/id"',
      after: `${REMOVE}; c rmi -f bench-new`,
    }),
  },
];
