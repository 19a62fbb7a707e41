/**
 * The programs in examples/, run as their first lines say, and asked what those lines ask: each `> …` is evaluated, in one process for each `$ erl` and
 * `$ iex`, and must give the term on the line below it.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Beam, startEpmd } from '../src/interop/index.js'
import { equals, format, type Term, type Tuple } from '../src/index.js'
import { Beamlet } from '../test/cli/beamlet.js'
import { eachOtp } from './support/each-otp.js'

/** Phoenix.PubSub with its default adapter, as far as an application sees it. */
const phoenix = String.raw`
  defmodule Phoenix.PubSub do
    def subscribe(pubsub, topic), do: with({:ok, _} <- Registry.register(pubsub, topic, nil), do: :ok)
    def dispatch(entries, _from, message), do: for({pid, _} <- entries, do: send(pid, message))
  end
  defmodule Phoenix.PubSub.PG2Worker do
    use GenServer
    def init(pubsub) do
      :ok = :pg.join(Phoenix.PubSub, Module.concat(pubsub, Adapter), self())
      {:ok, pubsub}
    end
    def handle_info({:forward_to_local, topic, message, dispatcher}, pubsub) do
      Registry.dispatch(pubsub, topic, {dispatcher, :dispatch, [:none, message]})
      {:noreply, pubsub}
    end
  end
  defmodule App do
    def start(to) do
      {:ok, _} = Registry.start_link(keys: :duplicate, name: MyApp.PubSub)
      {:ok, _} = :pg.start_link(Phoenix.PubSub)
      {:ok, _} = GenServer.start_link(Phoenix.PubSub.PG2Worker, MyApp.PubSub, name: MyApp.PubSub.Adapter)
      send(to, :started)
      Process.sleep(:infinity)
    end
  end
  me = self()
  spawn(fn -> App.start(me) end)
  receive do :started -> :ok end`

interface Session {
  readonly language: 'erl' | 'iex'
  readonly asked: { readonly code: string; readonly answer: string }[]
}

function sessionsIn(source: string): Session[] {
  const comment = source.slice(0, source.indexOf('*/')).split('\n').map(line => line.replace(/^ \* {0,5}/, '')) // prettier-ignore
  const sessions: Session[] = []
  for (const [index, line] of comment.entries()) {
    const language = /^\$ (erl|iex) /.exec(line)?.[1] as Session['language'] | undefined
    if (language) sessions.push({ language, asked: [] })
    else if (line.startsWith('> '))
      sessions.at(-1)?.asked.push({ code: line.slice(2).replace(/\.$/, ''), answer: comment[index + 1] ?? '' })
  }
  return sessions
}

/** A tuple of pairs: what came, and what should have come. */
function answers(beam: Beam, { language, asked }: Session): Promise<Term> {
  const [name, between, [begin, end]] = language === 'erl' ? ['Answer', ',\n', ['begin', 'end']] : ['answer', '\n', ['(', ')']]
  const steps = asked.map(({ code }, index) => `${name}${index} = ${begin} ${code} ${end}`)
  const pairs = asked.map(({ answer }, index) => `{${name}${index}, ${answer}}`)
  const program = [...steps, `{${pairs.join(', ')}}`].join(between)
  return language === 'erl' ? beam.eval(`${program}.`) : beam.elixir(program)
}

async function inspect(t: Test, name: string, beam: Beam): Promise<void> {
  const sessions = sessionsIn(readFileSync(`examples/${name}.ts`, 'utf8'))
  t.ok(sessions.length > 0 && sessions.every(({ asked }) => asked.length > 1), 'it says how it is called')
  for (const session of sessions) {
    const { elements } = (await answers(beam, session)) as Tuple<readonly Tuple<readonly [Term, Term]>[]>
    for (const [index, { elements: pair }] of elements.entries())
      t.ok(equals(pair[0], pair[1]), `${session.language}: ${session.asked[index]?.code} is ${format(pair[0])}`)
  }
}

t.test('each example does what its first lines say', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    // With an EPMD of their own, the nodes can have the names that the examples give them.
    await using epmd = await startEpmd({ otp })
    for (const name of ['counter', 'supervised-worker', 'pricing']) {
      await t.test(name, async t => {
        const beam = await start({ epmdPort: epmd.port, cookie: 'secret', elixir: true })
        await using program = new Beamlet(['start', `examples/${name}.ts`, '--name', `${name}@127.0.0.1`], {
          env: { ERL_EPMD_PORT: String(epmd.port), BEAMLET_COOKIE: 'secret', TS_NODE_TRANSPILE_ONLY: '1' },
          node: ['--import=@tapjs/typescript/import'],
        })
        await program.said(/ is up/)
        if (name === 'pricing') await joined(beam)
        await inspect(t, name, beam)
        program.signal('SIGTERM')
        t.match(await program.ended, { code: 0, signal: null })
      })
    }
  })
})

/** Returns when the service knows the application's adapter: the scope's answer is on its way when it answers the next question. */
async function joined(beam: Beam): Promise<void> {
  await beam.elixir(phoenix)
  await beam.elixir(`:pong = Node.ping(:"pricing@127.0.0.1"); _ = :sys.get_state(Phoenix.PubSub)`)
}
