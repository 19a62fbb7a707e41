/** What is wrong with the options of a node, told before anything is opened. Names, cookies, ports and TLS are checked where they are read. */
import { NodeError } from '../term/index.js'
import type { NodeOptions } from './options.js'

/** NODE_OPTION: an option has a value that it cannot have. */
export class NodeOptionError extends NodeError {}

interface Kind {
  /** What follows "must be" */
  readonly says: string
  fits(value: unknown): boolean
}

/** The longest time of a timer in JavaScript. A longer one would be over at once. */
const longest = 2 ** 31 - 1

const within = (most: number, unit: string): Kind => ({
  says: `a number of ${unit} above 0, at most ${most}`,
  fits: value => typeof value === 'number' && value > 0 && value <= most,
})

const oneOf = (...values: readonly unknown[]): Kind => ({
  says: `one of ${values.map(value => JSON.stringify(value)).join(', ')}`,
  fits: value => values.includes(value),
})

const listens = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return value === false
  const { host, port } = value as Readonly<Record<string, unknown>>
  const hostFits = host === undefined || (typeof host === 'string' && host !== '')
  return hostFits && (port === undefined || (Number.isInteger(port) && (port as number) >= 0 && (port as number) < 65536))
}

const texts = (value: unknown): boolean => Array.isArray(value) && value.every(entry => typeof entry === 'string')

/** 0 for none */
const milliseconds: Kind = {
  says: `a number of milliseconds, at most ${longest}; 0 for none`,
  fits: value => typeof value === 'number' && value >= 0 && value <= longest,
}

const schedules = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false
  const { count = 0, maxBusy = 0, isolatedHeap = 1, isolatedMemory = 1, spare = true } = value as Readonly<Record<string, unknown>>
  const mebibytes = [isolatedHeap, isolatedMemory].every(size => typeof size === 'number' && size >= 1)
  // One place is left for an isolated process.
  const counts = Number.isInteger(count) && Number(count) >= 0 && Number(count) <= 62
  return counts && mebibytes && milliseconds.fits(maxBusy) && typeof spare === 'boolean'
}

const kinds = {
  nameDomain: oneOf('short', 'long'),
  allow: { says: "a list of strings: nodes' names or hosts", fits: texts },
  distAutoConnect: oneOf('never', 'once', true),
  connectAll: oneOf(true, false),
  preventOverlappingPartitions: oneOf(true, false),
  epmd: oneOf('auto', 'system', 'embedded', false),
  resolve: { says: 'a port or a function', fits: value => typeof value === 'number' || typeof value === 'function' },
  listen: { says: '{ host, port } with a port from 0 to 65535, or false', fits: listens },
  netTickTime: within(Math.floor(longest / 1000), 'seconds'),
  // As net_kernel has it.
  netTickIntensity: {
    says: 'an integer from 4 to 1000',
    fits: value => Number.isInteger(value) && Number(value) >= 4 && Number(value) <= 1000,
  },
  netSetupTime: within(longest, 'milliseconds'),
  longSchedule: milliseconds,
  schedulers: {
    says: '{ count, setup, execArgv, maxBusy, isolatedHeap, isolatedMemory, spare } with a count from 0 to 62',
    fits: schedules,
  },
} satisfies Partial<Record<keyof NodeOptions, Kind>>

/** @throws NodeOptionError NODE_OPTION. */
export function checkOptions(options: NodeOptions): void {
  for (const [option, { says, fits }] of Object.entries<Kind>(kinds)) {
    const value: unknown = options[option as keyof typeof kinds]
    if (value === undefined || fits(value)) continue
    const shown = typeof value === 'object' ? JSON.stringify(value) : typeof value === 'string' ? `'${value}'` : String(value)
    throw new NodeOptionError('NODE_OPTION', `The option ${option} is ${shown}; it must be ${says}.`)
  }
}
