/** What a person looks at: here, what Erlang's own `observer` and `etop` ask a node for. */
import type { Kernel } from '../node/kernel.js'
import type { Builtins } from '../otp/rpc/builtins.js'
import type { ProcessInfo } from '../otp/process-info/process-info.js'
import { appmonBuiltins } from './appmon-info.js'
import { Loads } from './load.js'
import { moduleBuiltins, serveModuleInfo } from './module-info.js'
import { observerBuiltins } from './observer-backend.js'
import { portBuiltins } from './ports.js'
import { SystemInfo, systemBuiltins } from './system-info.js'
import { dbgBuiltins } from './tracing/dbg.js'
import { Tracing } from './tracing/tracing.js'

/** In every place; what main answers for others is what comes back. */
export function watched(kernel: Kernel<any>, info: ProcessInfo): readonly Builtins[] {
  const loads = new Loads(kernel)
  const tracing = new Tracing(kernel)
  if (kernel.uplink) return []
  const system = new SystemInfo(kernel, loads)
  serveModuleInfo(kernel)
  return [
    systemBuiltins(system),
    portBuiltins(kernel),
    observerBuiltins(kernel, info, system),
    dbgBuiltins(kernel, tracing, info),
    appmonBuiltins(kernel, info),
    moduleBuiltins(kernel),
  ]
}
