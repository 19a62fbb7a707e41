/**
 * Twins: a BEAM node and a TypeScript node that have the same processes. One Erlang program is run against each, and what it saw is compared; `N` is the node.
 *
 * Stack traces are cut after the function that failed, and pids and references are all alike.
 */
import type { Test } from 'tap'
import { atom, format, type Node, type Sendable, type Term } from '../../src/index.js'
import type { Beam } from '../../src/interop/index.js'

export const askerModule = String.raw`
-module(asker).
-export([ask/1, plain/1]).

%% How it ends, and what is left in the mailbox then
ask(Fun) ->
    Answer = try {value, Fun()} catch Class:Reason -> {Class, Reason} end,
    {plain(Answer), left()}.

left() -> receive M -> [plain(M) | left()] after 0 -> [] end.

plain([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(L), is_integer(A) -> stack;
plain([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(L), is_list(A) -> {stack, M, F, plain(A)};
plain(T) when is_tuple(T) -> list_to_tuple([plain(E) || E <- tuple_to_list(T)]);
plain(M) when is_map(M) -> maps:from_list([{plain(K), plain(V)} || {K, V} <- maps:to_list(M)]);
plain([H | T]) -> [plain(H) | plain(T)];
plain(P) when is_pid(P) -> pid;
plain(R) when is_reference(R) -> ref;
plain(F) when is_function(F) -> a_fun;
plain(T) -> T.
`

/** What every program has: how another ends, and how an expression does. */
const tools = `
  Down = fun(M) -> receive {'DOWN', M, _, _, Why} -> Why after 60000 -> none end end,
  Try = fun(F) -> try {value, F()} catch C:R -> {C, R} end end,
  Next = fun() -> receive Message -> Message after 60000 -> none end end,
  _ = {Down, Try, Next},`

/** Runs each program against both; a program is Erlang without the full stop. `prelude` comes before each. */
export async function alike(
  t: Test,
  asks: Beam,
  twins: readonly [theirs: Pick<Beam, 'name'>, ours: Pick<Node, 'name'>],
  programs: Readonly<Record<string, string>>,
  prelude = '',
): Promise<void> {
  for (const [name, program] of Object.entries(programs)) {
    const answers: string[] = []
    for (const { name: twin } of twins) answers.push(await answer(asks, twin, `${tools}\n${prelude}\n${program}`))
    t.equal(answers[1], answers[0], name)
    t.notMatch(answers[0], /\bnone\b/, `${name}: it was answered`)
  }
}

async function answer(asks: Beam, twin: string, program: string): Promise<string> {
  const bindings: Readonly<Record<string, Sendable>> = { N: atom(twin), X: atom('nobody@127.0.0.1') }
  const told: Term = await asks.eval(`asker:ask(fun() -> ${program} end).`, { bindings, timeout: 120_000 })
  return format(told)
    .replaceAll(twin, 'node')
    .replaceAll(/<\d+\.\d+\.\d+>/g, 'PID')
}
