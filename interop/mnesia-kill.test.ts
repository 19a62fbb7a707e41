/** Replicas of Mnesia that are killed in the middle of transactions: what was acknowledged is there, and of all else it is known what became of it. */
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { format, Node } from '../src/index.js'
import { type MnesiaStore, openStore, type StoreError, type Transaction } from '../src/store/index.js'
import { eachOtp } from './support/each-otp.js'
import { landOf } from './support/mnesia.js'
import { until } from './support/until.js'

t.setTimeout(1_200_000)

t.test('one node: what was acknowledged is on its disk', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 1)
    for (let round = 0; round < 3; round++) {
      await using store = await land.open({ start: 'disc' })
      const rows = await store.table<number, string>('rows')
      const pairs = [
        await store.table<number, number>('left', { type: 'set', copies: { discOnly: land.names } }),
        await store.table<number, number>('right'),
      ] as const
      const acknowledged: number[] = []
      const half: number[] = []
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 0; ; n++) {
          const key = round * 1_000_000 + writer * 10_000 + n
          try {
            await rows.put(key, `of writer ${writer}`)
            await store.transaction(async tx => {
              for (const table of pairs) await tx.table(table).put(key, n)
            })
          } catch (error) {
            t.match((error as StoreError).code, /^STORE_(UNKNOWN|NODE_DOWN)$/)
            return
          }
          acknowledged.push(key)
        }
      })
      await until(() => acknowledged.length > 40 + 7 * round)
      await land.beams[0]!.kill()
      await Promise.all(writers)
      await land.restart(0)
      await using after = await land.open({ start: 'disc' })
      const again = await after.table<number, string>('rows')
      const [left, right] = [await after.table<number, number>('left'), await after.table<number, number>('right')]
      const missing: number[] = []
      for (const key of acknowledged) if (!(await again.has(key)) || !(await left.has(key))) missing.push(key)
      for await (const [key] of left.range()) if (!(await right.has(key))) half.push(key)
      for await (const [key] of right.range()) if (!(await left.has(key))) half.push(key)
      t.strictSame(missing, [], `${acknowledged.length} were acknowledged, and are there`)
      t.strictSame(half, [], 'no transaction is there by half')
    }
  })
})

t.test('three nodes: one after the other is killed, and every transaction is either committed or not', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 3)
    const store = await land.open({ start: 'disc' })
    const log = await store.table<string, number>('log')
    const sums = await store.table<string, number>('sums')
    await sums.put('all', 0)
    const outcomes = new Map<string, 'committed' | 'aborted' | 'unknown'>()
    const stop = new AbortController()
    let reruns = 0
    const writer = async (name: number): Promise<void> => {
      for (let n = 0; !stop.signal.aborted; n++) {
        const key = `${name}-${n}`
        let runs = 0
        const body = async (tx: Transaction): Promise<void> => {
          runs++
          const sum = (await tx.table(sums).get('all')) ?? 0
          await tx.table(log).put(key, sum)
          await tx.table(sums).put('all', sum + 1)
        }
        try {
          await store.transaction(body)
          outcomes.set(key, 'committed')
        } catch (error) {
          const { code, transaction } = error as StoreError
          if (code === 'STORE_UNKNOWN' && transaction !== undefined) outcomes.set(key, await settled(store, transaction))
          else if (/^STORE_(NODE_DOWN|NOT_RUNNING|NO_COPY)$/.test(code)) outcomes.set(key, 'aborted')
          else throw error
        }
        reruns += runs - 1
      }
    }
    const writers = Array.from({ length: 4 }, (_, n) => writer(n))
    for (const [round, victim] of [0, 1, 2, 0].entries()) {
      const before = outcomes.size
      await until(() => outcomes.size > before + 10)
      await setTimeout(round * 7) // anywhere in a transaction
      await land.beams[victim]!.kill()
      const then = outcomes.size
      await until(() => outcomes.size > then + 10, 'the others go on')
      const back = await land.restart(victim)
      await back.eval(`
        ok = mnesia:start(),
        ok = mnesia:wait_for_tables([log, sums], 60000).`, { timeout: 90_000 }) // prettier-ignore
    }
    stop.abort()
    await Promise.all(writers)
    const wrong: string[] = []
    for (const [key, outcome] of outcomes) {
      const there = await log.has(key)
      if (outcome === 'unknown' || there !== (outcome === 'committed')) wrong.push(`${key} is ${outcome}, and ${there ? '' : 'not '}there`)
    }
    t.strictSame(wrong, [], `${outcomes.size} transactions`)
    const committed = [...outcomes.values()].filter(outcome => outcome === 'committed').length
    t.equal(await sums.get('all'), committed, 'each was committed once')
    t.equal(await log.size(), committed)
    t.comment(`${outcomes.size} transactions, ${committed} committed, ${reruns} reruns`)
    for (const beam of land.beams) {
      t.equal(format(await beam.eval('lists:sort(ets:tab2list(sums)).')), `[{sums,<<"all">>,${committed}}]`, 'all copies agree')
    }
  })
})

async function settled(store: MnesiaStore, transaction: string): Promise<'committed' | 'aborted' | 'unknown'> {
  for (let n = 0; n < 20; n++) {
    try {
      return await store.outcome(transaction)
    } catch {
      await setTimeout(500)
    }
  }
  return 'unknown'
}

t.test('the TypeScript node goes in the middle: nothing is written, and nothing stays locked', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 1)
    await using ours = await land.open({ start: 'ram', copies: 'ram' })
    const table = await ours.table<number, string>('rows')
    const gone = await Node.start({ name: `gone-${process.pid}@127.0.0.1`, cookie: land.beams[0]!.cookie, hidden: true })
    const theirs = await openStore({ engine: 'mnesia', node: gone, nodes: land.names })
    await theirs.table('rows')
    let locked = (): void => undefined
    const isLocked = new Promise<void>(resolve => (locked = resolve))
    const lost = theirs.transaction(async tx => {
      await tx.table<number, string>('rows').put(1, 'never')
      locked()
      await new Promise(() => undefined)
    })
    lost.catch(() => undefined)
    await isLocked
    await gone.close()
    await table.put(1, 'ours')
    t.equal(String(await table.get(1)), 'ours')
    await t.rejects(lost, { code: 'STORE_NODE_DOWN' })
    t.equal(format(await land.beams[0]!.eval('mnesia:system_info(transactions).')), '[]')
  })
})
