import { atom, type Term } from '../../src/index.js'
import type { Beam } from '../../src/interop/index.js'

/** Why the BEAM lost that node, as `net_kernel:monitor_nodes/2` tells it. It is connected, and stays so until this has begun to look. */
export async function lossOf(beam: Beam, name: string): Promise<{ reason: Promise<Term> }> {
  const source = `
    ok = net_kernel:monitor_nodes(true, [nodedown_reason, {node_type, all}]),
    true = lists:member(Name, nodes(connected)),
    logger:notice("looks at ~s", [Name]),
    receive {nodedown, Name, Info} -> proplists:get_value(nodedown_reason, Info) end.`
  const reason = beam.eval(source, { bindings: { Name: atom(name) } })
  await beam.waitForLog(`looks at ${name}`)
  return { reason }
}
