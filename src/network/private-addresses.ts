// The addresses of a private network: the same in all of them, since nobody else sees them.

export const PRIVATE = {
  device: 'eth0',
  network: '10.0.2.0/24',
  prefix: 24,
  address: '10.0.2.100',
  gateway: '10.0.2.2',
  /** Asks the host's name server. */
  dns: '10.0.2.3',
} as const;
