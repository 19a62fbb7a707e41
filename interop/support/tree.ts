/** A supervisor and its workers, the same in Erlang and in TypeScript: flags and specifications come as Erlang writes them. */
import { atom, ExitError, format, get, type NodeProcess, type Pid, type Term, Tuple, tuple } from '../../src/index.js'
import { supervisor, type SupervisorInit } from '../../src/otp/index.js'

export const workerModule = String.raw`
-module(worker).
-export([start_link/1, loop/1, free/1]).

start_link(ignore) -> ignore;
start_link(fail) -> {error, no};
start_link(odd) -> odd;
start_link({with, Info}) -> {ok, spawn_link(?MODULE, loop, [x]), Info};
start_link(crash) -> exit(crashed);
start_link({flaky, Name}) ->
    case persistent_term:get(Name, 0) of
        1 -> persistent_term:put(Name, 2), {error, flaky};
        N -> persistent_term:put(Name, N + 1), {ok, spawn_link(?MODULE, loop, [x])}
    end;
start_link({stuck, Name}) ->
    case persistent_term:get(Name, 0) of
        1 -> {error, stuck};
        N -> persistent_term:put(Name, N + 1), {ok, spawn_link(?MODULE, loop, [x])}
    end;
start_link(stubborn) -> {ok, spawn_link(fun() -> process_flag(trap_exit, true), loop(stubborn) end)};
start_link(X) -> {ok, spawn_link(?MODULE, loop, [X])}.

%% From now on one that is stuck starts.
free(Name) -> persistent_term:put(Name, 2), ok.

loop(X) -> receive {exit, Why} -> exit(Why); {'EXIT', _, _} when X =:= stubborn -> loop(X); {args, From} -> From ! {args, X}, loop(X) end.
`

const starts = new Map<string, number>()

/** The module `worker` of a TypeScript node */
export const worker = {
  start_link(this: NodeProcess, how: Term): unknown {
    const name = how instanceof Tuple ? how.tag : format(how)
    if (name === 'ignore') return atom('ignore')
    if (name === 'fail') return tuple(atom('error'), atom('no'))
    if (name === 'odd') return atom('odd')
    if (name === 'crash') throw new ExitError(atom('crashed'))
    if (name === 'with') return tuple(atom('ok'), this.spawnLink(loop(how)), (how as Tuple).elements[1])
    if (name === 'flaky' || name === 'stuck') {
      const key = format((how as Tuple).elements[1] as Term)
      const before = starts.get(key) ?? 0
      if (name === 'flaky' || before !== 1) starts.set(key, before + 1)
      if (before === 1) return tuple(atom('error'), atom(name))
    }
    return tuple(atom('ok'), this.spawnLink(loop(how)))
  },
  free(name: Term): Term {
    starts.set(format(name), 2)
    return atom('ok')
  },
}

const loop = (how: Term) => async (self: NodeProcess): Promise<void> => {
  if (how === atom('stubborn')) self.trapExit = true
  for await (const message of self) {
    if (!(message instanceof Tuple)) continue
    if (message.tag === 'exit') throw new ExitError(message.elements[1] as Term)
    if (message.tag === 'args') self.send(message.elements[1] as Pid, tuple(atom('args'), how))
  }
} // prettier-ignore

/** Flags and specifications as Erlang would give them. */
export const sup = supervisor((flags: Term, children: readonly Term[]): SupervisorInit => {
  const flag = (name: string, other: Term): any => get(flags as Map<Term, Term>, atom(name)) ?? other
  const camel = (term: { name: string }): any => term.name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return {
    strategy: camel(flag('strategy', atom('one_for_one'))),
    intensity: flag('intensity', 1),
    period: flag('period', 5),
    autoShutdown: camel(flag('auto_shutdown', atom('never'))),
    children: children.map(spec => {
      const of = (name: string): any => get(spec as Map<Term, Term>, atom(name))
      const [, , args] = (of('start') as Tuple).elements
      const shutdown = of('shutdown') as Term
      return {
        id: of('id'),
        start: { module: 'worker', fun: 'start_link' },
        args,
        restart: of('restart')?.name,
        significant: of('significant'),
        shutdown: shutdown === atom('brutal_kill') ? 'brutalKill' : shutdown,
        type: of('type')?.name,
      } as never
    }),
  }
})
