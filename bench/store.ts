/** Stable storage beside what the BEAM has for a log on the disk and a table in memory, and beside the bare package under it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { decode, encode } from '../src/etf/index.js'
import { openStore, type Table } from '../src/store/index.js'
import type { Sendable } from '../src/term/index.js'
import { type Figure, onBeam, timed } from './figure.js'
import type { Contender, Row } from './harness.js'

/** Rows that are there, and that a range reads */
const rows = 10_000
const together = 100
const page = 100

/**
 * `ets` of ordered_set, and `disk_log` with a sync before an insert is acknowledged: what Mnesia's disc_copies have, but for the sync. Writers at once: each
 * waits for a sync that began after its log was written, so many cost one, as a commit does.
 */
const erlang = String.raw`
-module(store).
-export([open/2, puts/1, many/1, gets/1, ranges/1]).

open(File, Rows) ->
    Self = self(),
    spawn(fun() ->
        {ok, Log} = disk_log:open([{name, store}, {file, File}]),
        Table = ets:new(store, [ordered_set, public, named_table]),
        register(writer, self()),
        Self ! opened,
        write(Log, Table)
    end),
    receive opened -> ok end,
    [ets:insert(store, {Key, value(Key)}) || Key <- lists:seq(0, Rows - 1)],
    ok.

write(Log, Table) ->
    receive {put, From, Row} -> write(Log, Table, [{From, Row}]) end.

write(Log, Table, Jobs) ->
    receive {put, From, Row} -> write(Log, Table, [{From, Row} | Jobs])
    after 0 ->
        Ordered = lists:reverse(Jobs),
        ok = disk_log:log_terms(Log, [Row || {_, Row} <- Ordered]),
        ok = disk_log:sync(Log),
        [begin ets:insert(Table, Row), From ! done end || {From, Row} <- Ordered],
        write(Log, Table)
    end.

value(N) -> #{name => <<"apples">>, count => N}.

timed(Work) -> Start = erlang:monotonic_time(nanosecond), Work(), erlang:monotonic_time(nanosecond) - Start.

puts(N) -> timed(fun() -> [begin writer ! {put, self(), {K rem ${rows}, value(K)}}, receive done -> ok end end || K <- lists:seq(1, N)] end).

many(N) -> timed(fun() -> rounds(N) end).
rounds(N) when N =< 0 -> ok;
rounds(N) ->
    [writer ! {put, self(), {K rem ${rows}, value(K)}} || K <- lists:seq(N, N + ${together} - 1)],
    [receive done -> ok end || _ <- lists:seq(1, ${together})],
    rounds(N - ${together}).

gets(N) -> timed(fun() -> [[{_, #{}}] = ets:lookup(store, K rem ${rows}) || K <- lists:seq(1, N)] end).

ranges(N) -> timed(fun() -> [${page} = length(range(K * ${page} rem (${rows} - ${page}))) || K <- lists:seq(1, N)] end).
range(From) -> ets:select(store, [{{'$1', '_'}, [{'>=', '$1', From}, {'<', '$1', From + ${page}}], ['$_']}]).
`

const value = (n: number): Sendable => ({ name: 'apples', count: n })

/** The least that keeps a store of terms on LMDB: its keys in the package's own order, its values in the external term format. */
function bare(directory: string): RootDatabase<Buffer, number> {
  return open<Buffer, number>(directory, { encoding: 'binary', noSubdir: false, overlappingSync: false, eventTurnBatching: false })
}

interface Contestant {
  readonly name: string
  put(key: number, value: Sendable): Promise<unknown>
  get(key: number): unknown
  range(from: number): Promise<number>
}

const contender = (name: string, work: (n: number) => Promise<unknown>): Contender => ({ name, run: n => timed(n, () => work(n)) })

const puts = ({ name, put }: Contestant): Contender =>
  contender(name, async n => {
    for (let k = 1; k <= n; k++) await put(k % rows, value(k))
  })

const whole = (n: number): number => Math.ceil(n / together) * together

function many({ name, put }: Contestant): Contender {
  const work = async (n: number): Promise<void> => {
    for (let k = 0; k < n; k += together) await Promise.all(Array.from({ length: together }, (_, i) => put((k + i) % rows, value(k + i))))
  }
  return { name, run: n => timed(whole(n), () => work(whole(n))) }
}

const gets = ({ name, get }: Contestant): Contender =>
  contender(name, async n => {
    for (let k = 1; k <= n; k++) if ((await get(k % rows)) === undefined) throw new Error(`The row ${k % rows} is not there.`)
  })

const ranges = ({ name, range }: Contestant): Contender =>
  contender(name, async n => {
    for (let k = 1; k <= n; k++) {
      const found = await range((k * page) % (rows - page))
      if (found !== page) throw new Error(`A range has ${found} rows.`)
    }
  })

const ours = (table: Table<number>): Contestant => ({
  name: 'Beamlet',
  put: (key, value) => table.put(key, value as never),
  get: key => table.get(key),
  async range(from) {
    let count = 0
    for await (const [, value] of table.range({ gte: from, lt: from + page })) if (value) count++
    return count
  },
})

const lmdb = (root: RootDatabase<Buffer, number>): Contestant => ({
  name: 'lmdb',
  put: (key, value) => root.put(key, encode(value)),
  get: key => decode(root.get(key) as Buffer),
  async range(from) {
    let count = 0
    for (const { value } of root.getRange({ start: from, end: from + page })) if (decode(value)) count++
    return count
  },
})

export const storeFigure: Figure = {
  name: 'store',
  about: `stable storage: rows of a small map under an integer, ${rows} of them; what is put is on the disk when it is acknowledged`,

  async rows(stage): Promise<readonly Row[]> {
    const directory = mkdtempSync(join(tmpdir(), 'beamlet-bench-'))
    const store = await openStore(join(directory, 'store'))
    const root = bare(join(directory, 'lmdb'))
    stage.defer(async () => {
      await Promise.all([store.close(), root.close()])
      rmSync(directory, { recursive: true, force: true })
    })
    const table = await store.table<number>('rows')
    const [us, them] = [ours(table), lmdb(root)]
    await Promise.all(Array.from({ length: rows }, (_, key) => [us.put(key, value(key)), them.put(key, value(key))]).flat())
    const beam = await stage.beam(erlang)
    await beam.eval('store:open(File, Rows).', { bindings: { File: [...Buffer.from(join(directory, 'log'))], Rows: rows } })
    const row = (name: string, unit: string, fun: string, make: (who: Contestant) => Contender, of = (n: number): number => n): Row => {
      const { name: beamName, run } = onBeam(beam, `store:${fun}(N).`)
      return { name, unit, better: 'more', ours: make(us), peers: [{ name: beamName, run: n => run(of(n)) }, make(them)] }
    }
    return [
      row('put, one after the other', 'rows/s', 'puts', puts),
      row(`put, ${together} at once`, 'rows/s', 'many', many, whole),
      row('get', 'rows/s', 'gets', gets),
      row(`a range of ${page} rows`, 'ranges/s', 'ranges', ranges),
    ]
  },
}
