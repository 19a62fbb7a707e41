/**
 * Trace tokens between TypeScript and Erlang. What a token should be is not computed here: the same walk is gone between two BEAM nodes of
 * that release first, and with TypeScript at either end the tokens must be the same.
 */
import t, { type Test } from 'tap'
import { any, atom, equals, format, isPid, match, type NodeProcess, Pid, type Term, Tuple, tuple } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay, next, type Pair } from './support/pair.js'

const code = String.raw`
-module(traced).
-export([echo/0, walk/1, child/1, spawns/1, linked/1]).

%% Answers each message with the token that came with it.
echo() -> receive {From, N} -> From ! {self(), N, seq_trace:get_token()}, echo() end.

%% The tokens of both ends, after each answer.
walk(Echo) ->
    apart(fun() ->
        Ask = fun(N) -> Echo ! {self(), N} end,
        Hear = fun() -> receive {Echo, N, Theirs} -> {N, Theirs, seq_trace:get_token()} end end,
        seq_trace:set_token(label, {any, label}),
        seq_trace:set_token(send, true),
        Ask(1), First = Hear(),
        Ask(2), Second = Hear(),
        Ask(3), Ask(4), Third = Hear(), Ask(5), Fourth = Hear(), Fifth = Hear(),
        seq_trace:set_token([]),
        Ask(6), Cleared = Hear(),
        seq_trace:set_token(label, 17),
        Ask(7), Again = Hear(),
        [First, Second, Third, Fourth, Fifth, Cleared, Again]
    end).

child(From) -> From ! {self(), seq_trace:get_token()}.

spawns(Node) ->
    apart(fun() ->
        seq_trace:set_token(label, l),
        Ref = spawn_request(Node, traced, child, [self()]),
        Reply = receive {spawn_reply, Ref, ok, Child} -> seq_trace:get_token() end,
        receive {Child, Token} -> [Reply, Token, seq_trace:get_token()] end
    end).

%% Links itself to that process, and waits, without a token of its own, for its exit.
linked(To) ->
    apart(fun() ->
        process_flag(trap_exit, true),
        link(To),
        seq_trace:set_token(label, mine),
        To ! go,
        seq_trace:set_token([]),
        receive {'EXIT', To, _} -> [seq_trace:get_token()] end
    end).

%% In a process without history, and without tokens in what it tells.
apart(Fun) ->
    {_, Ref} = spawn_monitor(fun() -> exit({ok, Fun()}) end),
    receive {'DOWN', Ref, _, _, {ok, Value}} -> Value end.
`

t.test('trace tokens', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code })
    const other = await start({ code, cookie: beam.cookie })
    const expected = await between(beam, other)
    await t.test('what BEAM nodes say among themselves', async t => {
      t.equal(
        expected.walk,
        `[${[
          '{1,{1,{any,label},1,me,0},{1,{any,label},2,it,1}}',
          '{2,{1,{any,label},3,me,2},{1,{any,label},4,it,3}}',
          '{3,{1,{any,label},5,me,4},{1,{any,label},6,it,5}}',
          '{4,{1,{any,label},6,me,4},{1,{any,label},7,it,6}}',
          '{5,{1,{any,label},7,me,6},{1,{any,label},8,it,7}}',
          '{6,[],[]}',
          '{7,{0,17,9,me,8},{0,17,10,it,9}}',
        ].join()}]`,
      )
      t.equal(expected.spawns, '[{0,l,2,me,1},{0,l,2,me,0},{0,l,3,me,2}]')
      t.equal(expected.linked, '[{0,mine,2,me,1}]')
    })
    for (const suite of [fromErlang, fromTypeScript]) await eachWay(t, beam, (t, pair) => suite(t, pair, expected))
  })
})

interface Expected {
  readonly walk: string
  readonly spawns: string
  readonly linked: string
}

async function between(beam: Beam, other: Beam): Promise<Expected> {
  const echo = (await other.eval('spawn(traced, echo, []).')) as Pid
  const ask = (source: string): Promise<Term> => beam.eval(source, { bindings: { Other: atom(other.name), Echo: echo } })
  // A BEAM drops the token of what it says before it knows whether the other one takes labels of every kind.
  await ask('true = net_kernel:connect_node(Other).')
  // What the code server is asked meanwhile is counted, too.
  for (const each of [beam, other]) await each.eval('{module, _} = code:ensure_loaded(seq_trace).')
  return {
    walk: readable(await ask('traced:walk(Echo).'), echo),
    spawns: readable(await ask('traced:spawns(Other).')),
    linked: readable(await ask('traced:linked(spawn(Other, fun() -> receive go -> exit(bye) end end)).')),
  }
}

/** Each token as it is, but for who has sent it: `it`, the other end, or `me`. */
function readable(tokens: Term, it: Pid | null = null): string {
  const who = (term: Term): Term => {
    if (term instanceof Pid) return atom(it && equals(term, it) ? 'it' : 'me')
    if (Array.isArray(term)) return (term as readonly Term[]).map(who)
    return term instanceof Tuple ? (tuple(...(term.elements as readonly Term[]).map(who)) as Term) : term
  }
  return format(who(tokens))
}

async function fromErlang(t: Test, { node, evaluate }: Pair, expected: Expected): Promise<void> {
  await node.code.load('traced', {
    child(this: NodeProcess, from: Pid) {
      this.send(from, tuple(this.pid, this.seqTrace.getToken()))
    },
  })

  await t.test('a token goes to TypeScript and comes back, counted as OTP counts', async t => {
    const echo = node.spawn(async self => {
      for (;;) {
        const { elements } = await self.receive(match([isPid, any]))
        self.send(elements[0], tuple(self.pid, elements[1], self.seqTrace.getToken()))
      }
    })
    t.equal(readable(await evaluate('traced:walk(Echo).', { Echo: echo }), echo), expected.walk)
    node.exit(echo, atom('kill'))
  })

  await t.test('Erlang spawns with a token', async t => {
    t.equal(readable(await evaluate('traced:spawns(Ts).')), expected.spawns)
  })

  await t.test('a link to TypeScript breaks with a token', async t => {
    const pid = node.spawn(async self => {
      await self.receive(match(atom('go')))
      self.exit(atom('bye'))
    })
    t.equal(readable(await evaluate('traced:linked(To).', { To: pid })), expected.linked)
  })
}

async function fromTypeScript(t: Test, { beam, node, evaluate }: Pair, expected: Expected): Promise<void> {
  await t.test('a token of TypeScript goes to Erlang and comes back, counted as OTP counts', async t => {
    const echo = (await evaluate('spawn(traced, echo, []).')) as Pid
    const walk = await node.run(async self => {
      const { seqTrace } = self
      const ask = (n: number): boolean => self.send(echo, tuple(self.pid, n))
      const hear = async (): Promise<Term> => {
        const { elements } = (await next(self)) as Tuple
        return tuple(elements[1], elements[2], seqTrace.getToken()) as Term
      }
      const heard: Term[] = []
      seqTrace.setToken('label', tuple(atom('any'), atom('label')))
      seqTrace.setToken('send', true)
      ask(1)
      heard.push(await hear())
      ask(2)
      heard.push(await hear())
      ask(3)
      ask(4)
      heard.push(await hear())
      ask(5)
      heard.push(await hear(), await hear())
      seqTrace.setToken([])
      ask(6)
      heard.push(await hear())
      seqTrace.setToken('label', 17)
      ask(7)
      heard.push(await hear())
      return heard
    })
    t.equal(readable(walk, echo), expected.walk)
    node.exit(echo, atom('kill'))
  })

  await t.test('TypeScript spawns with a token', async t => {
    const tokens = await node.run(async self => {
      const { seqTrace } = self
      seqTrace.setToken('label', atom('l'))
      self.spawnRequest({ node: beam.name, module: 'traced', fun: 'child', args: [self.pid] })
      await next(self)
      const reply = seqTrace.getToken()
      const [, token] = ((await next(self)) as Tuple).elements
      return [reply, token, seqTrace.getToken()] as Term
    })
    t.equal(readable(tokens), expected.spawns)
  })

  await t.test('a link to Erlang breaks with a token', async t => {
    const pid = (await evaluate('spawn(fun() -> receive go -> exit(bye) end end).')) as Pid
    const tokens = await node.run(async self => {
      self.trapExit = true
      self.link(pid)
      self.seqTrace.setToken('label', atom('mine'))
      self.send(pid, atom('go'))
      self.seqTrace.setToken([])
      await next(self)
      return [self.seqTrace.getToken()] as Term
    })
    t.equal(readable(tokens), expected.linked)
  })
}
