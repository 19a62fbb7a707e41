import { atoms } from './atoms.js'
import { bulkLatency } from './bulk-latency.js'
import { codecFigure } from './codec.js'
import { concurrency } from './concurrency.js'
import { connections } from './connections.js'
import { cpu } from './cpu.js'
import { exits } from './exits.js'
import type { Figure } from './figure.js'
import { genCall } from './gen-call.js'
import { local } from './local.js'
import { nodedown } from './nodedown.js'
import { binaries, messages } from './one-way.js'
import { pingPong } from './ping-pong.js'
import { placed } from './placed.js'
import { placedStart } from './placed-start.js'
import { processesFigure } from './processes.js'
import { roundTrip, roundTripAwake } from './round-trip.js'
import { slopes } from './slopes.js'
import { spawnFigure } from './spawn.js'
import { start } from './start.js'
import { storeFigure } from './store.js'
import { ties } from './ties.js'

/** In the order in which they are printed */
export const figures: readonly Figure[] = [
  codecFigure,
  roundTrip,
  roundTripAwake,
  messages,
  binaries,
  cpu,
  bulkLatency,
  genCall,
  pingPong,
  local,
  spawnFigure,
  ties,
  exits,
  processesFigure,
  connections,
  slopes,
  atoms,
  nodedown,
  placed,
  placedStart,
  concurrency,
  start,
  storeFigure,
]
