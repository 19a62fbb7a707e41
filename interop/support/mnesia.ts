/** BEAM nodes with a Mnesia of their own each, in directories that are gone afterwards, and a TypeScript node that knows them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Node, type NodeOptions } from '../../src/index.js'
import type { Beam } from '../../src/interop/index.js'
import { type MnesiaOptions, type MnesiaStore, openStore } from '../../src/store/index.js'
import type { Real } from './each-otp.js'

export interface Land {
  readonly node: Node
  readonly beams: readonly Beam[]
  /** Their names */
  readonly names: readonly string[]
  /** A store on all of them, or as the options say, closed with the test */
  open(options?: Partial<MnesiaOptions>): Promise<MnesiaStore>
  /** Starts one that was killed again, with its name and its directory. */
  restart(index: number): Promise<Beam>
}

let lands = 0

/** What Mnesia, and those who watch over it, say when a node is killed */
const ofKills = [/Mnesia\(/, /mnesia/, /Global.*disconnected|global/i, /Error in process .* exit value:\s*killed/]

export async function landOf(
  t: Test,
  { start }: Pick<Real, 'start'>,
  count: number,
  { code, node: nodeOptions = {} }: { readonly code?: string; readonly node?: Partial<NodeOptions> } = {},
): Promise<Land> {
  const directory = mkdtempSync('/tmp/beamlet-mnesia-')
  const land = `${process.pid}-${++lands}`
  const cookie = `mnesia-${land}`
  const launch = async (index: number): Promise<Beam> => {
    const beam = await start({
      name: `mn${index}-${land}@127.0.0.1`,
      cookie,
      args: ['-mnesia', 'dir', `"${join(directory, String(index))}"`, '-kernel', 'prevent_overlapping_partitions', 'false'],
      code,
    })
    for (const pattern of ofKills) beam.expectLog(pattern)
    return beam
  }
  const beams = await Promise.all(Array.from({ length: count }, (_, index) => launch(index)))
  const node = await Node.start({ name: `ts-mn-${land}@127.0.0.1`, cookie, hidden: true, ...nodeOptions })
  const stores: MnesiaStore[] = []
  t.teardown(async () => {
    for (const store of stores) await store.close()
    await node.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const names = beams.map(({ name }) => name)
  return {
    node,
    beams,
    names,
    async open(options = {}) {
      const store = await openStore({ engine: 'mnesia', node, nodes: names, timeout: 60_000, ...options })
      stores.push(store)
      return store
    },
    async restart(index) {
      const beam = await launch(index)
      beams[index] = beam
      return beam
    },
  }
}
