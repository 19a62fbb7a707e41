/** `beamlet store copy FROM TO [TABLES]`: copies tables from one store to another, a directory or Mnesia on BEAM nodes. */
import { copyTables, type Copied, type CopyKind, type LmdbStore, type MnesiaStore, openStore } from '../store/index.js'
import { asking } from './client.js'
import { usage } from './errors.js'
import type { CommonOptions } from './options.js'
import { progress, readerGone, result } from './output.js'

export interface Copy {
  /** A directory, or `mnesia:NODE[,NODE…]` */
  readonly from: string
  readonly to: string
  readonly tables?: readonly string[] | undefined
  readonly copies: CopyKind
}

/** A line of progress at most so often, in milliseconds */
const OFTEN = 1000

/** @throws StoreError; NodeError; CliError CLI_USAGE */
export async function copy({ from, to, tables, copies }: Copy, options: CommonOptions): Promise<void> {
  const names = tables !== undefined && tables.length > 0 ? tables : undefined
  const first = [from, to].flatMap(place => nodesOf(place) ?? [])[0]
  await using node = first === undefined ? undefined : await asking(first, options)
  const open = async (place: string, readOnly: boolean): Promise<LmdbStore | MnesiaStore> => {
    const nodes = nodesOf(place)
    if (nodes === undefined) return openStore({ engine: 'lmdb', directory: place, readOnly, floats: 'exact' })
    const timeout = Math.min(options.timeout, 1_000_000_000)
    return openStore({ engine: 'mnesia', node: node!, nodes, copies, floats: 'exact', timeout })
  }
  await using source = await open(from, true)
  await using target = await open(to, false)
  let last = performance.now()
  const told = ({ table, rows, total, written }: Copied): void => {
    if (performance.now() - last < OFTEN && rows < total) return
    last = performance.now()
    progress(`${table}: ${rows} of ${total} rows, ${written} written`)
  }
  for (const copied of await copyTables(source, target, { tables: names, progress: told, signal: readerGone })) say(copied, options.json)
}

function say({ table, rows, written, extra, functions }: Copied, json: boolean): void {
  if (json) return result(JSON.stringify({ table, rows, written, extra, functions }))
  result(`${table}: ${rows} rows, ${written} written`)
  if (extra > 0) progress(`${table} has ${extra} rows more than what was copied; they are left as they are`)
  for (const name of functions) progress(`the index '${name}' of ${table} is made by a function: open the table with it to have it made`)
}

/** undefined: a directory */
function nodesOf(place: string): string[] | undefined {
  const [, list] = /^mnesia:(.*)$/.exec(place) ?? []
  if (list === undefined) return undefined
  const nodes = list.split(',')
  if (nodes.every(node => /^[^@]+@[^@]+$/.test(node))) return nodes
  throw usage(`'${place}' names no BEAM nodes: mnesia:erl@127.0.0.1, or several with commas between them.`)
}
