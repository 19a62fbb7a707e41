/** The options that every command takes; a command that has no use for one ignores it. */
import type { Options } from 'yargs'
import type { TlsOptions } from '../index.js'

export interface CommonOptions {
  readonly name?: string | undefined
  readonly cookie?: string | undefined
  /** Default: those that ask and leave are, `start` is not. */
  readonly hidden?: boolean | undefined
  /** Milliseconds; Infinity for ever */
  readonly timeout: number
  readonly epmdPort?: number | undefined
  /** Path of an ssl_dist_optfile */
  readonly tls?: string | undefined
  readonly json: boolean
}

/** TLS, as Node.start takes it. */
export const tlsOf = ({ tls }: CommonOptions): TlsOptions | undefined => (tls === undefined ? undefined : { optfile: tls })

export const commonOptions = {
  name: {
    type: 'string',
    requiresArg: true,
    describe: 'name@host of the node that the command is; the host may be left out',
    defaultDescription: 'a new one',
  },
  cookie: {
    type: 'string',
    requiresArg: true,
    describe: "the cluster's cookie",
    defaultDescription: '$BEAMLET_COOKIE, $RELEASE_COOKIE, ~/.erlang.cookie',
  },
  hidden: {
    type: 'boolean',
    describe: 'do not show in nodes() of the others; --no-hidden shows',
    defaultDescription: 'hidden; start is visible',
  },
  timeout: {
    type: 'string',
    requiresArg: true,
    default: '5000',
    coerce: milliseconds,
    describe: "milliseconds to wait for an answer, or 'infinity'",
  },
  'epmd-port': {
    type: 'string',
    requiresArg: true,
    coerce: port,
    describe: "EPMD's port, here and on every other host",
    defaultDescription: '$ERL_EPMD_PORT, 4369',
  },
  tls: {
    type: 'string',
    requiresArg: true,
    describe: 'TLS, with the options of an ssl_dist_optfile',
    defaultDescription: 'plain connections',
  },
  json: { type: 'boolean', default: false, describe: 'print results and errors as JSON' },
} as const satisfies Record<string, Options>

export const drainOption = {
  type: 'string',
  requiresArg: true,
  default: '25000',
  coerce: (text: string): number => {
    if (/^\d+$/.test(text)) return Number(text)
    throw new Error(`'${text}' is no time for --drain, which is milliseconds from 0 up`)
  },
  describe: 'milliseconds that SIGTERM may take until what runs has ended; 0: none',
} as const satisfies Options

function milliseconds(text: string): number {
  if (text === 'infinity') return Infinity
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text)
  throw new Error(`'${text}' is no time for --timeout, which is milliseconds from 1 up or infinity`)
}

function port(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && number > 0 && number < 65536) return number
  throw new Error(`'${text}' is no port for --epmd-port, which is a number from 1 to 65535`)
}

export function seconds(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) >= 0.1) return Number(text)
  throw new Error(`'${text}' is no time for --interval, which is seconds from 0.1 up`)
}

export function count(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text)
  throw new Error(`'${text}' is no number of processes: give one from 1 up`)
}
