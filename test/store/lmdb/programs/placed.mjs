import { tuple, atom } from 'beamlet'
import { openStore, StoreError } from 'beamlet/store'

/** @import { NodeProcess, Term } from 'beamlet' */

/** @param {() => Promise<unknown>} work */
const codeOf = async work => {
  try {
    await work()
    return 'none'
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error)
  }
}

/**
 * What a place can do with a store that main owns: the codes of what it cannot; and the row that main writes for it, as it reads that itself.
 *
 * @type {(this: NodeProcess, directory: Buffer) => Promise<Term>}
 */
export const use = async function (directory) {
  const path = String(directory)
  const owning = await codeOf(() => openStore(path))
  const store = await openStore(path, { readOnly: true })
  try {
    const table = await store.table('rows')
    const before = (await table.get('key')) === undefined
    const putting = await codeOf(() => table.put('key', 1))
    const subscribing = await codeOf(async () => table.subscribe(() => {}))
    await this.call('writer', tuple(atom('put'), 'key', 7), { timeout: 100_000 })
    return tuple(owning, putting, subscribing, before, /** @type {Term} */ (await table.get('key')))
  } finally {
    await store.close()
  }
}
