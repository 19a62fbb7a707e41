/** What anybody may ask an EPMD: where a node listens, which nodes there are, and what `epmd -kill` and its like ask. */
import { EpmdError } from '../dist/epmd-error.js'
import * as wire from '../dist/epmd.js'
import type { DumpReply, EpmdEntry, EpmdName } from '../dist/epmd.js'
import { epmdPort, usualPort } from './epmd-address.js'
import { exchange, type Answer, type EpmdCallOptions } from './epmd-exchange.js'
import { NoSuchNodeError, useThatPort } from './no-such-node.js'

/** 65,536 ports at a name of some fifty bytes: no honest list is longer. */
const longestList = 4 * 1024 * 1024

const port: Answer<EpmdEntry | null> = { limit: wire.longestReply, read: wire.readPortReply }
const list: Answer<wire.NamesReply> = { limit: longestList, untilClose: true, read: wire.readNamesReply }
const everything: Answer<DumpReply> = { limit: longestList, untilClose: true, read: wire.readDumpReply }
const killed: Answer<boolean> = { limit: wire.longestReply, read: wire.readKillReply }
const stopped: Answer<boolean> = { limit: wire.longestReply, read: wire.readStopReply }

async function ask<T>(host: string, request: wire.EpmdRequest, answer: Answer<T>, options: EpmdCallOptions): Promise<T> {
  const { value, socket } = await exchange(host, wire.encodeRequest(request), answer, options)
  socket.destroy()
  return value
}

/**
 * Asks the EPMD of `host` where the node `name` (the part before the `@`) listens.
 *
 *     const { port } = await lookup('erl', '127.0.0.1', { timeout: 2000 })
 *
 * @throws EpmdError EPMD_NO_SUCH_NODE, EPMD_UNREACHABLE, EPMD_UNKNOWN_HOST, EPMD_TIMEOUT, EPMD_CLOSED, EPMD_FORMAT, EPMD_NAME, EPMD_PORT,
 * EPMD_ABORTED.
 */
export async function lookup(name: string, host: string, options: EpmdCallOptions = {}): Promise<EpmdEntry> {
  checkName(name)
  const asked = epmdPort(options.epmdPort)
  let entry: EpmdEntry | null
  try {
    entry = await ask(host, { op: 'portPlease2', name }, port, options)
  } catch (error) {
    throw (await refusedHere(error, name, host, asked, options)) ?? error
  }
  if (entry) return entry
  const more = brief(options)
  const [registered, elsewhere] = await Promise.all([
    // It has answered that it knows no such node; that it says no more takes nothing away from that.
    names(host, more).catch(() => undefined),
    knownElsewhere(name, host, asked, more),
  ])
  throw new NoSuchNodeError(name, `EPMD at ${host}:${asked}`, registered, elsewhere)
}

/** Questions beyond the one that was asked are not to keep the caller waiting. Milliseconds. */
const brief = (options: EpmdCallOptions): EpmdCallOptions => ({ ...options, timeout: Math.min(options.timeout ?? 1000, 1000) })

/** The usual port, if it is another than was asked and an EPMD there knows the node. */
async function knownElsewhere(name: string, host: string, asked: number, options: EpmdCallOptions): Promise<number | undefined> {
  if (asked === usualPort) return undefined
  try {
    return (await ask(host, { op: 'portPlease2', name }, port, { ...options, epmdPort: usualPort })) ? usualPort : undefined
  } catch {
    // Nobody need be there: it was only worth a look.
    return undefined
  }
}

/** Nobody listens at the port that was asked, and the node is to be found at the usual one. */
async function refusedHere(
  error: unknown,
  name: string,
  host: string,
  asked: number,
  options: EpmdCallOptions,
): Promise<EpmdError | undefined> {
  if (!(error instanceof EpmdError) || (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'ECONNREFUSED') return undefined
  const elsewhere = await knownElsewhere(name, host, asked, brief(options))
  if (elsewhere === undefined) return undefined
  return new EpmdError('EPMD_UNREACHABLE', error.says, { cause: error.cause, remedy: useThatPort(elsewhere) })
}

/** Every node that the EPMD of `host` knows. @throws EpmdError as `lookup` does, EPMD_NO_SUCH_NODE and EPMD_NAME excepted. */
export async function names(host: string, options: EpmdCallOptions = {}): Promise<readonly EpmdName[]> {
  return (await ask(host, { op: 'names' }, list, options)).names
}

/** What `epmd -debug_info` shows: also the nodes that have gone. @throws EpmdError as `names` does; EPMD_REFUSED from another host. */
export const dump = (host: string, options: EpmdCallOptions = {}): Promise<DumpReply> => command(host, { op: 'dump' }, everything, options)

/**
 * Ends EPMD, as `epmd -kill` does. False: it lives on, for nodes are registered (unless it was started with relaxed command checks).
 *
 * @throws EpmdError as `names` does; EPMD_REFUSED from another host.
 */
export const kill = (host: string, options: EpmdCallOptions = {}): Promise<boolean> => command(host, { op: 'kill' }, killed, options)

/**
 * Unregisters somebody else's node, as `epmd -stop` does. False: no such node.
 *
 * @throws EpmdError as `names` does; EPMD_NAME; EPMD_REFUSED without relaxed command checks or from another host.
 */
export async function stop(name: string, host: string, options: EpmdCallOptions = {}): Promise<boolean> {
  checkName(name)
  return command(host, { op: 'stop', name }, stopped, options)
}

/** EPMD refuses a command by closing without a word. */
async function command<T>(host: string, request: wire.EpmdRequest, answer: Answer<T>, options: EpmdCallOptions): Promise<T> {
  try {
    return await ask(host, request, answer, options)
  } catch (error) {
    if (!(error instanceof EpmdError) || error.code !== 'EPMD_CLOSED') throw error
    const rule = 'it obeys commands of its own host only, and STOP only when it was started with -relaxed_command_check'
    throw new EpmdError('EPMD_REFUSED', `EPMD at ${host} refused to ${request.op}: ${rule}.`, { cause: error })
  }
}

/** @throws EpmdError EPMD_NAME. */
export function checkName(name: string): void {
  if (wire.isEpmdName(name) && !name.includes('@')) return
  const rule = 'give the part of the node name before the @, 1 to 255 characters without control characters'
  throw new EpmdError('EPMD_NAME', `EPMD cannot hold the name '${name}': ${rule}.`)
}
