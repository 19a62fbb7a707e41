/** The engine Mnesia on one BEAM node: rows, ranges, indexes, transactions, and what is wrong. */
import t from 'tap'
import { atom, equals, float, format, tuple } from '../src/index.js'
import { openStore } from '../src/store/index.js'
import { eachOtp } from './support/each-otp.js'
import { landOf } from './support/mnesia.js'
import { collect, keysOf } from '../test/store/rows.js'

t.setTimeout(600_000)

t.test('one node', async t => {
  await eachOtp(t, async (t, real) => {
    const { open, beams } = await landOf(t, real, 1)
    const [beam] = beams
    await t.test('Mnesia that does not run is told so, and started when asked for', async t => {
      await t.rejects(open(), { code: 'STORE_NOT_RUNNING' })
      await open({ start: 'disc' })
      await open()
    })
    const store = await open()

    await t.test('rows are Mnesia’s records', async t => {
      const table = await store.table('rows')
      await table.put('joe', { age: 68 })
      t.ok(equals(await table.get('joe'), { age: 68 }))
      t.equal(format(await beam!.eval('mnesia:dirty_read(rows, <<"joe">>).')), '[{rows,<<"joe">>,#{age => 68}}]')
      await beam!.eval('mnesia:dirty_write({rows, robert, [1.0]}).')
      t.equal(format((await table.get(atom('robert')))!), '[1]')
      t.equal(await table.size(), 2)
      t.equal(await table.has('nobody'), false)
      t.equal(await table.get('nobody'), undefined)
      await table.delete('joe')
      await table.delete('joe')
      t.equal(await table.size(), 1)
      t.strictSame(await store.tables(), ['rows'])
    })

    await t.test('ranges, in order and by hash', async t => {
      for (const type of ['ordered_set', 'set'] as const) {
        const table = await store.table<number>(`numbers_${type}`, { type })
        await Promise.all(Array.from({ length: 10 }, (_, n) => table.put(n, n * n)))
        t.strictSame(await keysOf(table.range({ gte: 3, lte: 5 })), ['3', '4', '5'])
        t.strictSame(await keysOf(table.range({ gt: 3, lt: 6 })), ['4', '5'])
        t.strictSame(await keysOf(table.range({ gte: float(3), lt: float(5) } as never)), ['3', '4'])
        t.strictSame(await keysOf(table.range({ gt: 7, reverse: true })), ['9', '8'])
        t.strictSame(await keysOf(table.range({ lte: 2, reverse: true })), ['2', '1', '0'])
        t.strictSame(await keysOf(table.range({ limit: 2 })), ['0', '1'])
        t.strictSame(await keysOf(table.range({ limit: 2, reverse: true })), ['9', '8'])
        t.strictSame(await keysOf(table.range({ limit: 0 })), [])
        t.strictSame(await keysOf(table.range({ gt: 5, lt: 3 })), [])
        await t.rejects(collect(table.range({ limit: -1 })), { code: 'STORE_OPTION' })
      }
    })

    await t.test('a long range comes in pages, as it was when it began', async t => {
      const table = await store.table<number, string>('long')
      await store.transaction(async tx => {
        for (let n = 0; n < 1300; n++) await tx.table(table).put(n, `row ${n}`)
      })
      const seen: number[] = []
      for await (const [key] of table.range()) {
        if (seen.length === 0) await table.delete(1299)
        seen.push(key)
      }
      t.strictSame(
        seen,
        Array.from({ length: 1300 }, (_, n) => n),
      )
      const back = await collect(table.range({ reverse: true, limit: 700 }))
      t.strictSame(back.map(([key]) => key), Array.from({ length: 700 }, (_, n) => 1298 - n)) // prettier-ignore
    })

    await t.test('transactions', async t => {
      const a = await store.table<string, number>('a')
      const b = await store.table<string, number>('b')
      await a.put('x', 100)
      await store.transaction(async tx => {
        const balance = (await tx.table(a).get('x')) ?? 0
        await tx.table(a).put('x', balance - 30)
        await tx.table(b).put('x', 30)
        t.equal(await tx.table(a).get('x'), 70, 'it sees what it wrote')
        t.strictSame((await collect(tx.table(b).range())).length, 1)
      })
      t.strictSame([await a.get('x'), await b.get('x')], [70, 30])
      await t.rejects(
        store.transaction(async tx => {
          await tx.table(a).put('x', 0)
          throw new RangeError('no')
        }),
        RangeError,
      )
      t.equal(await a.get('x'), 70)
      await store.transaction(async tx => {
        await tx.table(a).put('y', 1)
        await t.rejects(
          tx.transaction(async inner => {
            await inner.table(a).put('y', 2)
            t.throws(() => tx.table(a), { code: 'STORE_TRANSACTION' })
            throw new RangeError('inner')
          }),
          RangeError,
        )
        t.equal(await tx.table(a).get('y'), 1, 'only what the inner one wrote is undone')
        await tx.transaction(async inner => inner.table(a).put('z', 3))
      })
      t.strictSame([await a.get('y'), await a.get('z')], [1, 3])
    })

    await t.test('counters: as if one ran after the other, with BEAM processes among them', async t => {
      const counters = await store.table<string, number>('counters')
      await counters.put('n', 0)
      const ours = Array.from({ length: 20 }, () =>
        store.transaction(async tx => {
          const n = (await tx.table(counters).get('n')) ?? 0
          await tx.table(counters).put('n', n + 1)
        }),
      )
      const theirs = beam!.eval(`
        [mnesia:transaction(fun() -> [{_, K, N}] = mnesia:read(counters, <<"n">>), mnesia:write({counters, K, N + 1}) end) || _ <- lists:seq(1, 20)].`)
      await Promise.all([...ours, theirs])
      t.equal(await counters.get('n'), 40)
    })

    await t.test('indexes', async t => {
      const users = await store.table<string, { email: string; age: number }>('users')
      await users.put('old', { email: 'old@example.org', age: 80 })
      const indexed = await store.table<string, any>('users', {
        indexes: { email: ['email'], decade: (user: any) => Math.floor(Number(user.get(atom('age'))) / 10) },
      })
      await indexed.put('joe', { email: 'joe@example.org', age: 68 })
      await indexed.put('bob', { email: 'bob@example.org', age: 61 })
      t.equal((await indexed.index('email').get('old@example.org')).length, 1, 'built for what was there')
      t.strictSame(
        (await indexed.index('decade').get(6)).map(([key]) => String(key)),
        ['bob', 'joe'],
      )
      t.strictSame(
        (await collect(indexed.index('decade').range({ gt: 6 }))).map(([key]) => String(key)),
        ['old'],
      )
      t.strictSame(
        (await collect(indexed.index('decade').range({ lte: 6, reverse: true }))).map(([key]) => String(key)),
        ['joe', 'bob'],
      )
      await indexed.put('joe', { email: 'joe@example.org', age: 70 })
      await indexed.delete('bob')
      t.strictSame((await indexed.index('decade').get(6)).length, 0)
      t.throws(() => indexed.index('nothing'), { code: 'STORE_NO_INDEX' })
      t.equal(format(await beam!.eval(`mnesia:table_info('users.email', size).`)), '2')
      t.ok(!(await store.tables()).includes('users.email'))
    })

    await t.test('floats, limits, majority', async t => {
      const exact = await open({ floats: 'exact', limits: { depth: 3 } })
      const table = await exact.table('exact', { majority: true })
      await table.put(float(1), [float(2)])
      t.equal(format((await table.get(float(1)))!), '[2.0]')
      t.strictSame(await keysOf((await store.table('exact')).range()), ['1.0'], 'a key comes back as it was')
      await t.rejects(table.put(1, [[[[[]]]]]), { code: 'STORE_VALUE' })
      t.equal(await beam!.eval('mnesia:table_info(exact, majority).'), true)
    })

    await t.test('retries: a transaction that Mnesia may not begin anew', async t => {
      const table = await store.table<string, number>('rows')
      const met: (() => void)[] = []
      const meet = [0, 1].map(n => new Promise<void>(resolve => (met[n] = resolve)))
      const ends = await Promise.allSettled(
        [
          ['a', 'b'],
          ['b', 'a'],
        ].map(([first, second], n) =>
          // prettier-ignore
          store.transaction(
            async tx => {
              await tx.table(table).put(first!, n)
              met[n]!()
              await meet[1 - n]!
              await tx.table(table).put(second!, n)
            },
            { retries: 0 },
          ),
        ),
      )
      const failed = ends.flatMap(end => (end.status === 'rejected' ? [(end.reason as { code: string }).code] : []))
      t.strictSame(failed, ['STORE_CONFLICT'], 'one gives way, and the other is done')
    })

    await t.test('sync and outcomes: when the log does not get to the disk', async t => {
      const table = await store.table<string, number>('rows')
      const [lazy, blind] = [await open({ sync: false }), await open({ outcomes: false, timeout: 3000 })]
      const [lazily, blindly] = [await lazy.table<string, number>('rows'), await blind.table<string, number>('rows')]
      await lazily.put('lazy', 0)
      // This process of Mnesia's brings the log to the disk: now it stands still.
      await beam!.eval('sys:suspend(mnesia_monitor).')
      await lazily.put('lazy', 1)
      await t.rejects(blindly.put('blind', 1), { code: /^STORE_(IO|UNKNOWN)$/, transaction: undefined })
      await t.rejects(blindly.dirty.put('dirty', 1), { code: /^STORE_(IO|UNKNOWN)$/ })
      await beam!.eval('sys:resume(mnesia_monitor).')
      t.strictSame([await table.get('lazy'), await table.get('blind'), await table.get('dirty')], [1, 1, 1])
    })

    await t.test('options that cannot be', async t => {
      for (const wrong of [
        { nodes: [] },
        { nodes: ['here'] },
        { copies: 'tape' },
        { start: 'maybe' },
        { floats: 'none' },
        { timeout: 0 },
        { node: {} },
      ]) {
        await t.rejects(open(wrong as never), { code: 'STORE_OPTION' })
      }
      await t.rejects(openStore({ engine: 'dets' } as never), { code: 'STORE_OPTION' })
      await t.rejects(store.table('both', { type: 'ordered_set', copies: { discOnly: [beam!.name] } }), { code: 'STORE_OPTION' })
    })

    await t.test('what is wrong', async t => {
      await t.rejects(store.table('nowhere', { create: false }), { code: 'STORE_NO_TABLE' })
      const table = await store.table('wrong')
      await t.rejects(table.put(atom('$end_of_table'), 1), { code: 'STORE_KEY' })
      await t.rejects(table.put((() => 1) as never, 1), { code: 'STORE_KEY' })
      await t.rejects(table.put(1, (() => 1) as never), { code: 'STORE_VALUE' })
      for (const key of [atom('_'), atom('$1'), tuple(atom('_'), atom('$2'))]) {
        await table.put(key, 'v')
        t.equal(String(await table.get(key)), 'v')
        t.strictSame(await keysOf(table.range({ gte: key, lte: key })), [format(key)])
        await table.delete(key)
      }
      await beam!.eval('mnesia:create_table(sack, [{type, bag}]).')
      await t.rejects(store.table('sack'), { code: 'STORE_FOREIGN' })
      await beam!.eval('mnesia:delete_table(wrong).')
      await t.rejects(table.get(1), { code: 'STORE_NO_TABLE' })
      await t.rejects(table.put(1, 1), { code: 'STORE_NO_TABLE' })
      await t.rejects(
        store.transaction(tx => tx.table(table).put(1, 1)),
        { code: /STORE_NO_(TABLE|COPY)/ },
      )
    })
  })
})
