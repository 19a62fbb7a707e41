/** The engine Mnesia when something is in the way: locks, nodes that stop, go or hang, copies that are not there. */
import t from 'tap'
import { format } from '../src/index.js'
import type { StoreError } from '../src/store/index.js'
import { eachOtp } from './support/each-otp.js'
import { landOf } from './support/mnesia.js'
import { until } from './support/until.js'

t.setTimeout(1_200_000)

/** A process of the BEAM that holds a write lock on a table until it is told to let go */
const holder = String.raw`
-module(holder).
-export([hold/1, release/0]).
hold(Tab) ->
    Caller = self(),
    register(holder, spawn(fun() ->
        mnesia:transaction(fun() -> mnesia:write_lock_table(Tab), Caller ! locked, receive release -> ok end end)
    end)),
    receive locked -> ok end.
release() ->
    Ref = monitor(process, holder),
    holder ! release,
    receive {'DOWN', Ref, process, _, _} -> ok end.
`

t.test('one node', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 1, { code: holder })
    const [beam] = land.beams
    const store = await land.open({ start: 'ram', copies: 'ram' })
    const table = await store.table<string, number>('rows')

    await t.test('Mnesia starts a transaction anew to avoid a deadlock: its function runs again', async t => {
      for (const name of ['a', 'b']) await table.put(name, 0)
      let runs = 0
      const both = [['a', 'b'], ['b', 'a']] as const // prettier-ignore
      const met: (() => void)[] = []
      const meet = [0, 1].map(n => new Promise<void>(resolve => (met[n] = resolve)))
      await Promise.all(
        both.map(([first, second], n) =>
          store.transaction(async tx => {
            runs++
            await tx.table(table).put(first, 1)
            met[n]!()
            // Each has its first lock before either asks for its second
            await meet[1 - n]
            await tx.table(table).put(second, n + 2)
          }),
        ),
      )
      t.ok(runs > 2, `${runs} runs`)
      const [a, b] = [await table.get('a'), await table.get('b')]
      t.ok((a === 1 && b === 2) || (a === 3 && b === 1), `as if one ran after the other: ${a} and ${b}`)
    })

    await t.test('a lock that is held for too long: STORE_TIMEOUT, and nothing is written', async t => {
      await using hasty = await land.open({ timeout: 3000, transactionTimeout: 3000, copies: 'ram' })
      const rows = await hasty.table<string, number>('rows')
      await rows.put('x', 1)
      await beam!.eval('holder:hold(rows).')
      await t.rejects(rows.get('x'), { code: 'STORE_TIMEOUT' })
      await t.rejects(rows.put('x', 2), { code: 'STORE_TIMEOUT' })
      await t.rejects(
        hasty.transaction(tx => tx.table(rows).put('x', 3)),
        // Mnesia lets an older transaction wait, and begins a younger one anew
        { code: /^STORE_(TIMEOUT|CONFLICT)$/ },
      )
      t.equal(await rows.dirty.get('x'), 1, 'dirty operations know no locks')
      await beam!.eval('holder:release().')
      t.equal(await rows.get('x'), 1)
    })

    await t.test('a transaction that asks for nothing is aborted, and its locks go', async t => {
      await using hasty = await land.open({ transactionTimeout: 500, copies: 'ram' })
      const rows = await hasty.table<string, number>('rows')
      await t.rejects(
        hasty.transaction(async tx => {
          await tx.table(rows).put('x', 9)
          await new Promise(() => undefined)
        }),
        { code: 'STORE_TIMEOUT' },
      )
      t.equal(await table.get('x'), 1)
    })

    await t.test('a range that nobody goes on with is given up', async t => {
      await using hasty = await land.open({ transactionTimeout: 200, copies: 'ram' })
      const rows = await hasty.table<number, number>('range')
      await beam!.eval('[mnesia:dirty_write({range, N, N}) || N <- lists:seq(1, 600)], ok.')
      const held = '[P || P <- processes(), {_, D} <- [process_info(P, dictionary)], {{cursor, _}, _} <- D].'
      let seen = 0
      const all = async (): Promise<void> => {
        for await (const _ of rows.range()) if (++seen === 500) await until(async () => format(await beam!.eval(held)) === '[]')
      }
      await t.rejects(all(), { code: 'STORE_TIMEOUT' })
      t.equal(seen, 500)
    })

    await t.test('what Mnesia aborts within a nested transaction undoes that one alone', async t => {
      await beam!.eval('{atomic, ok} = mnesia:create_table(doomed, []).')
      const doomed = await store.table('doomed')
      await beam!.eval('{atomic, ok} = mnesia:delete_table(doomed).')
      await store.transaction(async tx => {
        await tx.table(table).put('outer', 1)
        await t.rejects(
          tx.transaction(async inner => {
            await inner.table(table).put('outer', 2)
            await inner.table(doomed).put(1, 1)
          }),
          { code: 'STORE_NO_COPY' },
        )
        t.equal(await tx.table(table).get('outer'), 1)
      })
      t.equal(await table.get('outer'), 1)
      await t.rejects(
        store.transaction(async tx => {
          await tx.table(table).put('outer', 3)
          await tx
            .table(doomed)
            .put(1, 1)
            .catch(() => undefined)
        }),
        { code: 'STORE_NO_COPY' },
        'an error that is swallowed does not commit what Mnesia has aborted',
      )
      t.equal(await table.get('outer'), 1)
    })

    await t.test('Mnesia is stopped, and started', async t => {
      await beam!.eval('mnesia:stop().')
      await t.rejects(table.get('x'), { code: 'STORE_NOT_RUNNING' })
      await t.rejects(table.put('x', 1), { code: 'STORE_NOT_RUNNING' })
      await t.rejects(store.transaction(tx => tx.table(table).get('x')), { code: 'STORE_NOT_RUNNING' }) // prettier-ignore
      await beam!.eval('ok = mnesia:start().')
      await t.rejects(table.get('x'), { code: 'STORE_NO_TABLE' }, 'a table in memory is gone then')
    })

    await t.test('the node is gone', async t => {
      await beam!.kill()
      await t.rejects(table.get('x'), { code: 'STORE_NODE_DOWN' })
      await t.rejects(store.tables(), { code: 'STORE_NODE_DOWN' })
      await store.close()
      await t.rejects(store.tables(), { code: 'STORE_CLOSED' })
    })
  })
})

t.test('two nodes', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 2, { code: holder })
    const [near, far] = land.names as [string, string]
    const store = await land.open({ start: 'disc' })
    const table = await store.table<string, number>('rows')
    await table.put('x', 0)

    await t.test('copies: added, changed, taken away', async t => {
      t.strictSame(await store.copies('rows'), { ram: [], disc: [near, far], discOnly: [] })
      const lone = await store.table<number, number>('lone', { copies: { ram: [far] }, indexes: { value: [] } })
      await lone.put(1, 10)
      t.equal((await lone.index('value').get(10)).length, 1, 'a table without a copy on the node that is asked')
      await store.addCopy('lone', near)
      await store.changeCopy('lone', far, 'disc')
      t.strictSame(await store.copies(lone), { ram: [], disc: [near, far].sort(), discOnly: [] })
      t.strictSame(await store.copies('lone.value'), { ram: [], disc: [near, far].sort(), discOnly: [] })
      await store.deleteCopy('lone', near)
      t.strictSame(await store.copies('lone'), { ram: [], disc: [far], discOnly: [] })
      await t.rejects(store.addCopy('lone', 'nobody@127.0.0.1'), { code: 'STORE_ABORTED' })
      await t.rejects(store.copies('nothing'), { code: 'STORE_NO_TABLE' })
    })

    await t.test('killed after the commit and before its answer: it is found to be committed, once', async t => {
      // The log's way to the disk, after the commit, goes through this process: now it stands still.
      await land.beams[0]!.eval('sys:suspend(mnesia_monitor).')
      let runs = 0
      const done = store.transaction(async tx => {
        runs++
        await tx.table(table).put('x', ((await tx.table(table).get('x')) ?? 0) + 1)
      })
      await land.beams[1]!.eval(`
        {ok, _} = mnesia:subscribe({table, rows, simple}),
        case mnesia:dirty_read(rows, <<"x">>) of [{_, _, 1}] -> ok; _ -> receive {mnesia_table_event, _} -> ok end end.`, { timeout: 60_000 }) // prettier-ignore
      await land.beams[0]!.kill()
      await done
      t.equal(runs, 1)
      t.equal(await table.get('x'), 1)
    })

    await t.test('and the lone copy on a node that is gone is STORE_NO_COPY', async t => {
      await land.restart(0)
      await using again = await land.open({ start: 'disc' })
      await again.table('lone')
      await land.beams[1]!.kill()
      await t.rejects((await land.open({ timeout: 3000 })).table('lone'), { code: 'STORE_NO_COPY' })
      await t.rejects(again.transaction(tx => tx.table('lone').get(1)), { code: 'STORE_NO_COPY' }) // prettier-ignore
    })
  })
})

t.test('nobody can be asked: STORE_UNKNOWN, and the outcome can be asked for later', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 1, { code: holder })
    const [beam] = land.beams
    await using store = await land.open({ start: 'ram', copies: 'ram', timeout: 3000 })
    const table = await store.table<string, number>('rows')
    await table.put('x', 0)
    let fault: StoreError | undefined
    await store
      .transaction(async tx => {
        await tx.table(table).put('x', 1)
        await beam!.eval('holder:hold(beamlet_outcomes).')
      })
      .catch((error: StoreError) => (fault = error))
    t.equal(fault?.code, 'STORE_UNKNOWN')
    await t.rejects(store.outcome(fault!.transaction!), { code: 'STORE_UNKNOWN' }, 'nor now')
    await beam!.eval('holder:release().')
    t.equal(await store.outcome(fault!.transaction!), 'aborted')
    t.equal(await table.get('x'), 0)
    await t.rejects(store.outcome('nonsense'), { code: 'STORE_OPTION' })
    t.equal(format(await beam!.eval('mnesia:system_info(transactions).')), '[]')
    await table.put('y', 1)
    await store.close()
    t.equal(await beam!.eval('mnesia:table_info(beamlet_outcomes, size).'), 1, 'what nobody knows stays; the rest is taken away')
  })
})
